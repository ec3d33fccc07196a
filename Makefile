# SPDX-License-Identifier: Apache-2.0
#
# Every verb of this repository. `make help` lists them; the work is done by
# the scripts in scripts/, Meson and pytest.

SHELL := bash
BUILD_DIR ?= build/native
ENGINES_PREFIX ?= $(CURDIR)/build/engines
TOOLS_PREFIX ?= $(CURDIR)/build/tools
JOBS ?= $(shell nproc)
export BUILD_DIR ENGINES_PREFIX TOOLS_PREFIX

PKG := PKG_CONFIG_PATH=$(ENGINES_PREFIX)/lib/pkgconfig
RUN := scripts/run-tests
NINJA := ninja -j$(JOBS)

# `make media-test-unit K="audio"` runs what has these words in its name, and so
# does `make media-test-unit -k "audio"`. To make the latter is --keep-going and
# one more goal, so a goal beside a test verb that is no verb itself is a word;
# the rule at the end keeps make from looking for it.
VERBS := $(shell sed -nE 's/^([a-z0-9-]+):.*/\1/p' Makefile)
TESTS := test test-% media-test% sts-test% e2e-test% asan asan-e2e
ifneq (,$(findstring k,$(filter-out --%,$(firstword -$(MAKEFLAGS)))))
ifneq (,$(filter $(TESTS),$(MAKECMDGOALS)))
WORDS := $(filter-out $(VERBS),$(MAKECMDGOALS))
K ?= $(WORDS)
endif
endif
PICK := $(if $(K),-k "$(K)")

.DEFAULT_GOAL := help
.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | \
	  awk -F':.*## ' '{printf "  make %-24s %s\n", $$1, $$2}'
	@echo
	@echo '  K="words"   only tests with these words in their names; -k "words" too'
	@echo '  BUILD_DIR=  another build folder; JOBS=  parallel compilers'

## Build

.PHONY: setup setup-build media-setup build typecheck install-hooks
setup: ## install all that building and testing need; makes .venv
	@scripts/setup all

media-setup: ## install what media-service alone needs
	@scripts/setup media

setup-build:
	@scripts/setup build

build: setup-build ## build all programs
	@$(NINJA) -C $(BUILD_DIR)

typecheck: setup ## gcc and clang with warnings as errors, clang-tidy
	@$(NINJA) -C $(BUILD_DIR)
	@scripts/typecheck

install-hooks: setup ## check each commit: format, lint, tests, secrets, message
	@.venv/bin/pre-commit install --hook-type pre-commit \
	  --hook-type commit-msg

.PHONY: fmt lint
fmt: ## format the C sources
	@git ls-files -z '*.c' '*.h' | xargs -0 --no-run-if-empty clang-format -i

lint: setup ## check format, includes, scripts, spelling, secrets, commit texts
	@scripts/lint

## Test

.PHONY: test test-unit test-tools
test: setup ## unit, contract, integration, tools, end to end (P1)
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --tools --e2e "helper or p1"

test-unit: setup ## the fast tests only
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --suite unit --tools

test-tools: setup ## the tests of scripts/
	@$(RUN) $(PICK) --no-meson --tools

.PHONY: media-test media-test-unit media-test-integration media-test-coverage
media-test: setup ## media-service: unit and integration tests
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --prefix media-

media-test-unit: setup ## media-service: unit tests
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --prefix media- --suite unit

media-test-integration: setup ## media-service: tests with a real MediaMTX
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --prefix media- --suite integration

media-test-coverage: setup ## media-service: lines tested, 80 % and 95 % gates
	@scripts/coverage media

.PHONY: sts-test sts-test-unit sts-test-coverage
sts-test: setup ## sts-service: all its tests
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --prefix sts-

sts-test-unit: setup ## sts-service: unit tests
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --prefix sts- --suite unit

sts-test-coverage: setup ## sts-service: lines tested, 80 % and 95 % gates
	@scripts/coverage sts

.PHONY: sts-test-e2e
sts-test-e2e: setup ## sts-service alone, by the public Socket.IO client
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --no-meson --e2e sts

.PHONY: e2e-test-p1 e2e-test-p2 e2e-test-p3
e2e-test-p1: setup ## the whole system from outside, on real media
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --no-meson --e2e p1

e2e-test-p2: setup ## faults of the speech service, judged on the output
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --no-meson --e2e p2

e2e-test-p3: setup ## source, server, destination lost and found again
	@$(NINJA) -C $(BUILD_DIR)
	@$(RUN) $(PICK) --no-meson --e2e p3

.PHONY: asan asan-e2e fuzz
asan: setup ## unit tests and the echo path under the sanitizers
	@scripts/asan $(PICK)

asan-e2e: setup ## the faults of P2 and P3 under the sanitizers
	@scripts/asan --e2e $(PICK)

fuzz: setup ## each fuzz target for SECONDS_EACH (20) seconds
	@$(PKG) scripts/variant fuzz
	@scripts/fuzz

## Run

.PHONY: demo sts-echo
demo: build ## dub the demo clip live; FILE= FROM= TO= DURATION=
	@scripts/demo

sts-echo: build ## sts-service that sends back what it gets, on STS_PORT (3000)
	@ECHO_PORT=$${STS_PORT:-3000} $(BUILD_DIR)/apps/sts-service/sts-service echo

# Containers build what they need themselves.
SERVICES := scripts/services
BUILT = [ "$$($(SERVICES) engine)" = compose ] || \
  $(MAKE) --no-print-directory build

.PHONY: e2e-up e2e-ps e2e-logs e2e-test e2e-test-full e2e-down
e2e-up: ## start MediaMTX, sts-service, media-service; STS_MODE=echo
	@$(BUILT)
	@$(SERVICES) e2e up

e2e-ps: ## what runs of the services for the tests, with ports
	@$(SERVICES) e2e ps

e2e-logs: ## their last 200 lines of log, then what comes; FOLLOW=no
	@$(SERVICES) e2e logs

e2e-test: setup ## end-to-end tests against what e2e-up started
	@E2E_STACK=running $(RUN) $(PICK) --no-meson --e2e stack

e2e-test-full: setup ## start the services, test against them, end them
	@$(BUILT)
	@E2E_STACK=running $(SERVICES) e2e with \
	  $(RUN) $(PICK) --no-meson --e2e stack

e2e-down: ## end what e2e-up started
	@$(SERVICES) e2e down

.PHONY: media-dev media-ps media-logs media-down metrics api-status
media-dev: ## start MediaMTX and media-service; sts-echo is a service for them
	@$(BUILT)
	@$(SERVICES) media up

media-ps: ## what runs of what media-dev started, with ports
	@$(SERVICES) media ps

media-logs: ## last 200 lines of log of what media-dev started; FOLLOW=no
	@$(SERVICES) media logs

media-down: ## end what media-dev started
	@$(SERVICES) media down

metrics: ## Prometheus text of what runs
	@$(SERVICES) metrics

api-status: ## the streams that MediaMTX has
	@$(SERVICES) api-status

## Measure

.PHONY: chaos bench-worker bench-delay bench-sts bench-socketio bench-sessions
.PHONY: bench-voices bench-quality bench-hooks
bench-worker: setup build ## cost of a worker, beside ffmpeg's
	@bench/bench-worker

chaos: setup build ## a worker through mixed faults; MINUTES=10 SEED=1
	@bench/chaos

bench-delay: setup build ## how constant the programme delay is
	@bench/bench-delay

bench-hooks: setup build ## how fast hooks are answered, and streams start
	@bench/bench-hooks

bench-sts: setup build ## speed of speech to speech, per stage
	@bench/bench-sts

bench-voices: setup build ## cost of each voice, and is it understood
	@bench/bench-voices

bench-quality: setup build ## how well the chains hear, translate and speak
	@bench/bench-quality

bench-sessions: build ## 50 sessions on mock engines for MINUTES (10)
	@bench/bench-sessions

bench-socketio: setup build ## our Socket.IO server beside Node's and Python's
	@bench/bench-socketio

## Clean

.PHONY: clean clean-artifacts
clean: ## remove what was built (engines and tools stay)
	@rm -rf build/native build/asan build/fuzz build/typecheck build/coverage \
	  build/log build/chroot build/demo build/fixtures htmlcov

clean-artifacts: ## remove what failed tests and debug artifacts left
	@rm -rf .artifacts

ifneq (,$(WORDS))
Makefile: ;
%:
	@:
endif
