# `make demo` and `make test` do all the set-up that they need; `make help` lists the rest.

SHELL := /bin/bash
# Outside the checkout, so that a second clone need not compile RocksDB again.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/furrow/target
FURROW := $(CARGO_TARGET_DIR)/debug/furrow
ONCE ?=

# What runs on a cooperative's server is what is measured: the workspace's own crates are optimised as far as they go and
# have no debug assertions; arithmetic that overflows still ends in a panic. Tests build faster, and assert. Libraries,
# RocksDB and cryptography among them, are the same in both, so nothing of them is compiled twice. A release build would
# take half an hour and measures the same.
OPTIMISED := CARGO_PROFILE_DEV_OPT_LEVEL=3 CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false

.PHONY: help setup setup-demo build demo test bench compare soak fuzz lint deny openapi clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## install what build and tests need
	@scripts/setup.sh test

setup-demo:
	@scripts/setup.sh demo

build: setup-demo ## build the furrow binary as it is to run
	$(OPTIMISED) cargo build --locked --workspace --bin furrow

demo: build ## three cooperatives, one harvest, one chain; ONCE=1 ends by itself
	@ONCE='$(ONCE)' '$(FURROW)' demo --dir demo/run $(if $(ONCE),--once)

test: setup ## everything that must hold
	@scripts/test.sh

bench: setup-demo ## measure how fast a node is into target/bench.json; EVENTS=1000000, FULL=1 for ten million, ONLY=NAME,NAME
	$(OPTIMISED) cargo build --locked --workspace --bin bench --bin furrow
	'$(CARGO_TARGET_DIR)/debug/bench' --cache '$(CARGO_TARGET_DIR)/bench' --out target/bench.json \
		--events $(or $(EVENTS),$(if $(FULL),10000000,1000000)) $(if $(ONLY),--only '$(ONLY)')
	$(if $(UPDATE),UPDATE='$(UPDATE)' scripts/performance.mjs target/bench.json)

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
