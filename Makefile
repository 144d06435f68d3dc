# The two commands are `make run` and `make test`. Bare `make` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Given to the program: make run ARGS="--listen 0.0.0.0:8080 --data /srv/continuo"
ARGS ?=
ONLY ?=
SIZE ?= small

WEB_SOURCES = $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path 'web/e2e/*' -not -name '.stamp-*' 2>/dev/null)

.PHONY: help run test check web mock api demo e2e bench snap fmt

help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: web/.stamp-build ## Build everything (release) and start Continuo on ./data; ARGS="..." are passed on
	cargo build --release --locked --bin continuo
	target/release/continuo serve $(ARGS)

test: ## The whole suite: web, Rust on SQLite and PostgreSQL, real browser; installs what it needs
	scripts/test.sh

check: web/.stamp-install ## Formatter, clippy, documents, licences, web types and lint; warnings are errors
	scripts/check.sh

web: web/.stamp-build ## Build the web parts into web/*/dist when something changed

mock: web/.stamp-install ## The workspace with an invented back end in the browser: no Rust needed
	cd web && npm run mock -w workspace

api: web/.stamp-install ## Write openapi.json and the TypeScript types that are made from it
	cargo build --locked --bin continuo
	target/debug/continuo openapi > target/openapi.json && mv target/openapi.json openapi.json
	cd web && npm run generate -w api-client

demo: web/.stamp-build ## Fill ./data with a believable small business; ARGS="--conversations 1000000" for size
	cargo build --release --locked --bin continuo
	target/release/continuo demo $(ARGS)

e2e: web/.stamp-build ## Only the browser tests; ONLY=reconnect runs the files whose name holds that
	cargo build --locked --bin continuo
	ONLY="$(ONLY)" npm run e2e --prefix web -w e2e

bench: web/.stamp-build ## Yardsticks beside product figures; ONLY=ingest SIZE=small|full
	ONLY="$(ONLY)" SIZE="$(SIZE)" scripts/bench.sh

snap: ## Accept what the tests print as the new snapshots: look at `git diff` afterwards
	INSTA_UPDATE=always CONTINUO_UPDATE_SNAPSHOTS=1 cargo test --workspace --locked

fmt: web/.stamp-install ## Format Rust, let eslint fix what it can
	cargo fmt --all
	cd web && npx eslint . --fix

# Stamps: `npm ci` only when the lock file changed, a build only when a source did.
web/.stamp-install: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

web/.stamp-build: web/.stamp-install $(WEB_SOURCES)
	cd web && npm run build
	touch $@
