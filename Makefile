# Commands of the project; `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# Two processes with one thread each; a process that has finished takes tests from the other.
TESTS = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow install-lowest test-lowest check format coverage docs bench build clean

help:  ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/.installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > $(VENV)/compile.log 2>&1; true  # on all cores; pip uses one
	@touch $@

install: $(BIN)/.installed  ## Create .venv with the tested versions and the development tools

run: install  ## Train on the available data and write the report: run_rumor.py --output_dir out
	$(BIN)/python run_rumor.py --output_dir out

test: install  ## Run the fast tests
	$(TESTS)

test-slow: install  ## Run the slow tests, including those on the real corpus
	$(TESTS) -m "slow and not gpu and not network"

# Hard links to .venv, of which pip replaces only what differs. Old versions may warn about each other.
LOWEST = build/lowest
$(LOWEST).installed: $(BIN)/.installed .ci/lowest.py
	rm -rf $(LOWEST)
	mkdir -p build
	$(BIN)/python .ci/lowest.py $(VENV) $(LOWEST) > build/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c build/lowest.txt -e '.[audit,test]'
	@touch $@

install-lowest: $(LOWEST).installed  ## Create build/lowest with the lowest versions that setup.cfg allows

test-lowest: install-lowest  ## Run the cheap tests with the lowest versions that setup.cfg allows
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -n 2 -o filterwarnings=default tests/util tests/evaluation tests/corpus

check: install  ## Check lint, format, types and wording
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy hf_rumor
	$(BIN)/python .ci/wording.py

format: install  ## Format the code and fix lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

coverage: install  ## Run the fast tests and require 90% branch coverage
	$(TESTS) --cov --cov-report=term --cov-fail-under=90

docs: install  ## Build the website of the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench: install  ## Measure how long everyday commands take
	$(BIN)/python benchmarks/everyday.py

build: install  ## Build the wheel and the source distribution into dist/
	rm -rf dist
	$(BIN)/python -m build --quiet

clean:  ## Remove .venv and build products; keep out/
	rm -rf $(VENV) build dist site *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache
