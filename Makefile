# Verbs of the project; `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# In two processes, of one thread each; whichever is done takes over from the other.
TESTS = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal
ALL = -m "not gpu and not network"

.DEFAULT_GOAL := help
.PHONY: help install run test test-all check format coverage bench build clean

help:  ## List the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/.installed: setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(BIN)/.installed  ## Make .venv with the tested versions and the tools

run: install  ## Train on the data at hand and report: python run_rumor.py --output_dir out
	$(BIN)/python run_rumor.py --output_dir out

test: install  ## Run the tests (fast ones)
	$(TESTS)

test-all: install  ## Run the tests, the slow ones and those on the real corpus too
	$(TESTS) $(ALL)

check: install  ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy hf_rumor

format: install  ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

coverage: install  ## Run all of these tests and demand 90 % of the branches
	$(TESTS) $(ALL) --cov --cov-report=term --cov-fail-under=90

bench: install  ## Measure what a user waits for, beside the commit before
	$(BIN)/python benchmarks/everyday.py

build: install  ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --quiet

clean:  ## Remove what was made here, .venv and out/ included
	rm -rf $(VENV) out build dist *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache
