# Short names for what is done daily; `.ci/run` and `tests/run` need no just.

# List the recipes.
default:
    @just --list

# Everything CI runs.
ci:
    .ci/run

# All tests, with the servers they need.
test:
    tests/run

# The quick ones: no binary, no server.
unit:
    cargo test --lib

# Format and lint.
lint:
    cargo fmt
    cargo clippy --all-targets -- -D warnings

# Scan this repository, as the README says.
self:
    cargo run --release -- scan --history .

# Build the invented shop into target/shop.
shop:
    rm -rf target/shop
    fixtures/shop/build target/shop

# Renew the run that the README shows.
picture:
    cargo build --release
    fixtures/shop/picture target/release/keyatlas

# Benches, one for each stage and one for the whole.
bench *ARGS:
    cargo bench {{ARGS}}
