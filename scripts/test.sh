#!/usr/bin/env bash
# `make test`: every test there is, in the order in which a failure is cheapest to find.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS
step() { printf '\n== %s (%d s)\n' "$*" $((SECONDS - started)); }

step "what the tests need"
scripts/install-test-deps.sh

step "web: build, unit tests, size budgets"
make --no-print-directory web
(cd web && npm test)

step "Rust: build"
# With --tests the features of all crates are resolved once, as in `cargo test`; other flags would build twice.
cargo build --workspace --bins --tests --locked

step "PostgreSQL for this run"
source scripts/test-postgres.sh
start_test_postgres
trap stop_test_postgres EXIT

step "Rust: everything; the store on both engines, stories on PostgreSQL"
cargo test --workspace --locked

step "Rust: stories on SQLite"
env -u CONTINUO_TEST_DATABASE_URL node scripts/run-stories.mjs

step "end to end, in Chromium"
npm run e2e --prefix web -w e2e

step "done"
