# syntax=docker/dockerfile:1
# Builds the gateway, then puts the binary alone into a small image that runs without root.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked -p debtgate && cp target/release/debtgate /usr/local/bin/debtgate

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/debtgate debtgate
COPY --from=build /usr/local/bin/debtgate /usr/local/bin/debtgate
USER debtgate
WORKDIR /var/lib/debtgate
VOLUME /var/lib/debtgate
EXPOSE 8080
ENTRYPOINT ["debtgate"]
CMD ["serve", "--config", "/etc/debtgate/debtgate.toml"]
