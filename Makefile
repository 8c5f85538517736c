# Everything that VROOM needs, in a few words:
#   make run    install what is missing, build, start vroomd and print its URL
#   make test   install what is missing and run every check
# See docs/development.md for the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What `make run` passes on, for example: make run ARGS='--listen 127.0.0.1:9000 -- weston-terminal'
ARGS ?=
CARGO ?= cargo
FUZZ_SECONDS ?= 60

# A red build is about the change and not about luck: random tests always try the same cases here. A plain
# `cargo test` tries others each time, and so does `make fuzz`.
export PROPTEST_RNG_SEED ?= 1

.PHONY: help setup setup-test web build run test test-core test-rust test-web test-browser test-wasm lint bench bench-terminal bench-peers bench-audio fuzz fuzz-desktop wlcs clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## Install what building and running needs (Debian packages)
	@packaging/setup.sh run

setup-test: ## Install what the tests need besides
	@packaging/setup.sh test

web: setup ## Build the page into web/dist
	@packaging/build-web.sh

build: web ## Build vroomd and vroom for use
	$(CARGO) build --release --locked -p vroom-daemon -p vroom-client
	@packaging/build-hold.sh

run: build ## Start vroomd with a desktop of its own
	@exec target/release/vroomd $(ARGS)

test: setup-test web lint test-web test-rust test-wasm test-browser ## Run every check
	@echo "all checks passed"

test-core: ## The inner loop: crates that need no system libraries
	$(CARGO) test --locked -p vroom-protocol -p vroom-desktop -p vroom-transport -p vroom-terminal -p vroom-client

test-rust:
	$(CARGO) test --workspace --locked

test-web:
	cd web && npm run --silent check && npm test --silent

# The real page in a real browser against the real daemon and real Wayland programs. They are those of the other
# tests, which stop where a number overflows; `npm test` alone takes released ones.
test-browser:
	$(CARGO) test --workspace --locked --no-run -q
	$(CARGO) build --locked -q -p vroom-fake-encoder
	target/debug/examples/screen_streams tests/out/streams
	cd tests/browser && npm install --no-save --silent --no-audit --no-fund && \
		VROOMD=$(CURDIR)/target/debug/vroomd VROOM_PROBE=$(CURDIR)/target/debug/vroom-probe npm test --silent

# The protocol crate has to run in a page too.
test-wasm:
	@packaging/check-wasm.sh

lint:
	@packaging/lint.sh

bench: setup-test build ## Measure latency, CPU and memory; prints a table
	$(CARGO) build --release --locked -p vroom-tests
	cd tests/browser && npm install --no-save --silent --no-audit --no-fund && node bench.mjs
	$(CARGO) run --release --locked -q -p vroom-transport --example frames_per_second
	$(CARGO) run --release --locked -q -p vroom-compositor --example cost

# As root: the emulated link needs network namespaces, and sshd a user to log in.
bench-terminal: ## Measure terminals beside sshd, mosh and wetty; prints ratios
	@packaging/setup.sh bench
	$(CARGO) build --release --locked -p vroom-daemon -p vroom-client -p vroom-tests
	@packaging/build-hold.sh
	cd tests/bench && npm install --no-save --silent --no-audit --no-fund
	target/release/vroom-bench-terminal $(ARGS)

bench-audio: setup-test build ## Measure sound both ways for ten minutes; prints a table
	$(CARGO) build --release --locked -p vroom-tests
	cd tests/browser && npm install --no-save --silent --no-audit --no-fund && node bench-audio.mjs $(ARGS)

# As root, in a network of its own: what goes over its loopback is then what one product sends.
bench-peers: setup-test build ## Measure the picture beside selkies and noVNC on wayvnc; prints medians
	@packaging/setup.sh peers
	@[ -x target/peers/bin/selkies ] || { python3 -m venv target/peers && target/peers/bin/pip install -q selkies; }
	$(CARGO) build --release --locked -p vroom-tests
	cd tests/browser && npm install --no-save --silent --no-audit --no-fund
	cd tests/browser && unshare --net sh -c 'ip link set lo up && ip link add vroom0 type veth peer name vroom1 && ip link set vroom1 up && \
		ip addr add 10.77.7.7/24 dev vroom0 && ip link set vroom0 up && exec node peers.mjs "$$@"' peers $(ARGS)

fuzz: ## Run every fuzz target for FUZZ_SECONDS each
	@packaging/fuzz.sh $(FUZZ_SECONDS)

fuzz-desktop: setup ## Send a million random requests to the compositor
	$(CARGO) test --release --locked -p vroom-compositor --lib -- --ignored --nocapture a_million_requests

wlcs: setup-test ## Run the newest Wayland conformance suite; clones and builds it
	@packaging/setup.sh wlcs
	@packaging/build-wlcs.sh
	WLCS=$(CURDIR)/target/wlcs/build/wlcs $(CARGO) test --locked -p vroom-wlcs -- --ignored --nocapture

clean: ## Remove everything that was built
	$(CARGO) clean
	rm -rf web/dist web/node_modules tests/browser/node_modules tests/bench/node_modules tests/out
