#!/usr/bin/env bash
# The lints. Each step says its name, so that a red run tells where to look.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

step "rustfmt";    cargo fmt --all --check
step "clippy";     cargo clippy --workspace --all-targets --locked -- -D warnings
step "rustdoc";    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
step "cargo deny"; scripts/install-lint-tools.sh
PATH="$PWD/target/tools/bin:$PATH" cargo deny --locked check licenses bans sources
step "web types";  (cd web && npm run typecheck)
step "eslint";     (cd web && npx eslint . --max-warnings 0)
step "all lints passed"
