# `make demo` and `make test` do all the set-up that they need; `make help` lists the rest.

SHELL := /bin/bash
# Outside the checkout, so that a second clone need not compile RocksDB again.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/furrow/target
FURROW := $(CARGO_TARGET_DIR)/debug/furrow
ONCE ?=

.PHONY: help setup setup-demo build demo test compare soak fuzz lint deny openapi clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## install what build and tests need
	@scripts/setup.sh test

setup-demo:
	@scripts/setup.sh demo

build: setup-demo ## build the furrow binary
	cargo build --locked --workspace --bins

demo: build ## three cooperatives, one harvest, one chain; ONCE=1 ends by itself
	@ONCE='$(ONCE)' '$(FURROW)' demo --dir demo/run $(if $(ONCE),--once)

test: setup ## everything that must hold
	@scripts/test.sh

compare: ## measure what one would pick instead (nostr-rs-relay, OrbitDB, EAS, Ceramic) into target/compare.json
	@scripts/compare/run.sh

soak: ## run many nodes through faults of many seeds; SEEDS=10000, FROM=0 is the first of them
	cargo run --locked --workspace --bin simulation -- --seeds $(or $(SEEDS),10000) --from $(or $(FROM),0)

fuzz: setup ## look for inputs that break a parser; FUZZ_SECONDS=600 for each of them
	fuzz/run.sh $(or $(FUZZ_SECONDS),600)

lint: ## format and clippy
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings

deny: ## licences, sources and duplicate crates (installs cargo-deny where it is missing)
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny --locked check bans licenses sources

openapi: ## write api/openapi.json again from the code
	UPDATE=1 cargo test --locked --workspace --package api openapi

clean: ## remove what demo and tests left in this folder
	rm -rf node_modules contracts/out contracts/cache demo/run
