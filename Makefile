# `make help` lists what can be done. Needs Python 3.11 or newer with pip, and make.
# PYTHON=… names the interpreter, ARGS=… is handed to the command behind a target.

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:

# The user's own environment must not lead ours elsewhere, nor have each process compile our code anew.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
export MAKECMDGOALS

BIN := .venv/bin
# How tests are shared out is told in tests/distribution.py; ARGS=-n0 runs all in one process.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header pyproject.toml
CODE := services observability chaos deploy tests requirements

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: setup-run ## see one checkout travel through four processes as one trace
	@exec $(BIN)/python -m deploy.demo $(ARGS)

.PHONY: test
test: setup-dev ## every test, the long ones with small counts
	@exec $(BIN)/python -m pytest $(PARALLEL) --ignore=tests/backends $(ARGS)

.PHONY: backends
backends: setup-run ## install the real Prometheus, Alertmanager and Jaeger, as far as this machine can have them
	@exec $(BIN)/python -m deploy.programs.install

.PHONY: test-backends
test-backends: setup-dev ## the tests with the real Prometheus, Alertmanager and Jaeger
	@exec $(BIN)/python -m pytest tests/backends $(ARGS)

.PHONY: test-long
test-long: setup-dev ## the long tests with full counts
	@exec $(BIN)/python -m pytest --long -m long --ignore=tests/backends $(ARGS)

.PHONY: up
up: setup-run ## start the system on its fixed ports; Ctrl-C stops it
	@exec $(BIN)/faultline up $(ARGS)

.PHONY: down
down: setup-run ## stop a system that was started with `up`
	@exec $(BIN)/faultline down $(ARGS)

.PHONY: lint
lint: setup-dev ## formatter, linter, strict types, import contracts
	@echo "lint  format";  $(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
	@echo "lint  rules";   exec $(BIN)/ruff check --quiet .
	@echo "lint  types";   exec $(BIN)/mypy --no-error-summary
	@echo "lint  imports"; told=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$told"; exit 1; }

.PHONY: format
format: setup-dev ## let the formatter and the linter's safe fixes rewrite the code
	@$(BIN)/ruff check --fix --quiet . ; exec $(BIN)/ruff format --quiet .

.PHONY: bench
bench: setup-dev ## measure; ONLY=name runs a part
	@exec $(BIN)/python -m deploy.bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

.PHONY: docs
docs: setup-dev ## write docs/settings.md from the settings classes
	@exec $(BIN)/python -m tests.architecture.settings_doc

.PHONY: stack
stack: setup-dev ## make the generated files of observability/stack anew
	@exec $(BIN)/python -m observability.stack

.PHONY: pictures
pictures: setup-dev ## make the README's pictures anew; needs Chromium
	@exec $(BIN)/python -m tests.browser.pictures

.PHONY: lock
lock: setup-dev ## resolve pyproject.toml into requirements/*.lock; ARGS=--upgrade for the newest
	@$(UV_COMPILE) -o requirements/run.lock $(ARGS)
	@$(UV_COMPILE) --extra dev --extra bench -c requirements/run.lock -o requirements/dev.lock $(ARGS)

.PHONY: proto
proto: setup-dev ## generate the stubs beside services/contracts/**/*.proto
	@PATH="$$PWD/$(BIN):$$PATH" exec $(BIN)/python -m grpc_tools.protoc -I . \
		--python_out=. --grpc_python_out=. --mypy_out=. --mypy_grpc_out=. services/contracts/*/v1/*.proto

.PHONY: snapshots
snapshots: setup-dev ## keep the contracts as they are now; refuses what breaks callers
	@exec $(BIN)/python -m tests.contract.snapshots $(ARGS)

.PHONY: clean
clean: ## remove all that was made, the environment too
	@if [ -e .faultline/control.json ] && [ -x $(BIN)/faultline ]; then $(BIN)/faultline down || true; fi
	@rm -rf .venv build .faultline .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info
	@find $(wildcard $(CODE)) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: setup-run setup-dev
setup-run setup-dev: setup-%:
	@sh requirements/setup.sh $*
