# Every command of the house. `make help` lists them from the `##` comments.
# Variables, with their usual values: PYTHON=python3.11 (or another path to it), UV=uv (only for `make lock`),
# ARGS= (more words for pytest, for example `make test ARGS="-k causal"`), TORCH=torch==2.13.0 (a wheel's file, or nothing),
# WORKERS=3 (processes that share the tests; one more than there are cores, for many tests wait for real time to pass).
PYTHON ?= python3.11
TORCH ?= torch==2.13.0
UV ?= uv
ARGS ?=
WORKERS ?= 3
VENV := .venv
SHARED := --dist loadfile --no-loadscope-reorder
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup run demo lab-smoke test check bench attacks format lock

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## create .venv and install what the lock names (about two minutes the first time)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: make setup PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.lock
	$(if $(TORCH),$(PIP) install $(TORCH))
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "import api.bootstrap; from twin.kernel import warm_up; warm_up()"
	@touch $(STAMP)

run: setup ## start the server with an emulated network on 127.0.0.1:8000 and an incident that waits for you
	$(BIN)/nocturne serve --demo

demo: setup ## play the same story in the terminal, to the end, unattended
	$(BIN)/nocturne demo

lab-smoke: setup ## play one mistake on four real routers (FRR in network namespaces; needs root, else it says so)
	$(BIN)/nocturne lab smoke

test: setup ## run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) $(SHARED) $(ARGS)

check: setup ## format, lint, types, contracts and the fast tests: run it before each commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n $(WORKERS) $(SHARED) -m "not slow" $(ARGS)

bench: setup ## print the figures of every bench beside their baselines
	$(BIN)/nocturne bench all

attacks: setup ## start a server, attack it as a client would, and print what it withstood (about five minutes)
	$(BIN)/python -m tests.attacks.live $(ARGS)

format: setup ## let the formatter and the safe lint fixes have their way
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## make requirements.lock anew from pyproject.toml (needs uv: UV=/path/to/uv)
	@command -v $(UV) >/dev/null || { echo "uv is needed for this one command: make lock UV=/path/to/uv"; exit 1; }
	$(UV) pip compile --quiet --python-version 3.11 --extra dev --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock pyproject.toml
	@! grep -nE '://|^-|==[^ ]*\+' requirements.lock || { echo "the lock names a host, a path or a local build"; exit 1; }
