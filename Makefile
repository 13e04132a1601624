# Every command of the house. `make help` lists them from the `##` comments.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check bench format lock

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv and install what the lock names

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: make setup PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: setup ## start the server with an emulated network on 127.0.0.1:8000 and an incident that waits for you
	$(BIN)/nocturne serve --demo

demo: setup ## play the same story in the terminal, to the end, unattended
	$(BIN)/nocturne demo

test: setup ## run the whole test suite
	$(BIN)/python -m pytest

check: setup ## format, lint, types, contracts and the fast tests: run it before each commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -m "not slow"

bench: setup ## print the figures of every bench beside their baselines
	$(BIN)/nocturne bench all

format: setup ## let the formatter and the safe lint fixes have their way
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## make the lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --all-extras -o requirements.lock pyproject.toml
