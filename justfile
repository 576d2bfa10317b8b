# Build the site in this repository into public/.
site:
    cargo run -- build

# Preview the site in this repository.
serve:
    cargo run -- serve --open

# Run the tests whose names contain NAME, or all of them.
test NAME="":
    cargo test {{NAME}}

# Check formatting, lints and documentation.
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# Time the stages of a build.
bench:
    cargo bench --bench stages
