# The steps of .ci/run one by one, for daily work. `just` lists them.

# The folder with outside test data (see README.md): `just data=/path/to/folder test`
data := env("DEBTGATE_TEST_DATA", "")

default:
    @just --list

# Everything that runs before a merge, as it runs there.
ci:
    .ci/run

fmt:
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check

lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Without `data` the checks against outside material say SKIPPED.
test:
    DEBTGATE_TEST_DATA={{ if data == "" { "" } else { absolute_path(data) } }} cargo test --workspace

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

deny:
    cargo deny check bans licenses sources

# One table of all benchmarks.
bench:
    cargo build --release -p debtgate
    cargo bench -p bench

# Thousands of requests read, answered and confirmed while the simulator misbehaves.
drill *options:
    cargo build --release -p debtgate
    cargo run --release -p bench -- drill {{ options }}

# The same for a long time: memory must stay flat and nothing may be left over.
soak minutes="30":
    cargo build --release -p debtgate
    cargo run --release -p bench -- soak --minutes {{ minutes }}

# The document, generated clients, a browser and invented requests against a running demo.
outside:
    cargo build -p debtgate
    tests/outside/run

# Kills the program so many times a database, with more answers than the usual tests: nothing may be lost or doubled.
crash kills="200" answers="2000":
    DEBTGATE_CRASH_KILLS={{ kills }} DEBTGATE_CRASH_ANSWERS={{ answers }} cargo test --workspace --test crash

# A fuzzing target (replies, key_files, simulator) for so many seconds.
fuzz target seconds="300":
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{ target }} -- -max_total_time={{ seconds }}

# A stand-in of GIS ZhKH with 1000 requests.
sim:
    cargo run -p gis-sim -- --listen 127.0.0.1:8081 --requests 1000
