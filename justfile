# The recipes that .ci/run is made of. `just` lists them.

# Every check that runs before a merge.
ci: fmt lint test doc deny

default:
    @just --list

fmt:
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Outside test data: `just data=../shared test`
data := env("DEBTGATE_TEST_DATA", "")

test:
    DEBTGATE_TEST_DATA={{ data }} cargo test --workspace

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

deny:
    cargo deny check bans licenses sources

# One table of all benchmarks.
bench:
    cargo bench -p bench

# A fuzzing target (replies, key_files, simulator) for so many seconds.
fuzz target seconds="300":
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{ target }} -- -max_total_time={{ seconds }}

# A stand-in of GIS ZhKH with 1000 requests.
sim:
    cargo run -p gis-sim -- --listen 127.0.0.1:8081 --requests 1000
