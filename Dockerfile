# syntax=docker/dockerfile:1
# Builds the gateway, then puts the binary alone into a small image that runs without root.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked -p debtgate && cp target/release/debtgate /usr/local/bin/debtgate

FROM debian:bookworm-slim
# A number of its own, so that files of the host can be given to it.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/debtgate debtgate
COPY --from=build /usr/local/bin/debtgate /usr/local/bin/debtgate
USER 10001
WORKDIR /var/lib/debtgate
VOLUME /var/lib/debtgate
# Paths in the configuration begin where it lies: with the README's own settings the database, the files and the keys are in
# the volume. No variable names the database: it would count for the demo too.
# A container is reached at its own address, whatever the file says.
ENV DEBTGATE_CONFIG=/var/lib/debtgate/debtgate.toml \
    DEBTGATE__SERVER__LISTEN=0.0.0.0:8080
EXPOSE 8080
# bash can open a connection by itself, so the check needs no other program. A worker answers on its internal port alone.
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD \
    port=${DEBTGATE__SERVER__INTERNAL_LISTEN:-$DEBTGATE__SERVER__LISTEN}; \
    exec 3<>"/dev/tcp/127.0.0.1/${port##*:}" \
    && printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 \
    && read -r _ status _ <&3 && [ "$status" = 200 ]
ENTRYPOINT ["debtgate"]
CMD ["serve"]
