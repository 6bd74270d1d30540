# Everything runs in .venv, which is made when it is needed; `make demo` is where to start.
# A stamp tells what is installed, so nothing is fetched again while pyproject.toml stands.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell \
	$(name) -c 'import sys; print("$(name)" if sys.version_info >= (3, 11) else "")' 2>/dev/null)))
BIN := .venv/bin
OUT ?= subtomo-demo

.PHONY: demo test test-fast lint bench docs clean

demo: .venv/.installed
	$(BIN)/subtomo demo --output-dir $(OUT) --overwrite
	@echo "The report is in $(OUT)/report.html"

test: lint docs
	$(BIN)/python -m pytest -n auto

test-fast: .venv/.installed-dev
	$(BIN)/python -m pytest -n auto -m "not slow"

lint: .venv/.installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/.installed-dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

docs: .venv/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "The pages start at site/index.html"

clean:
	rm -rf .venv site .mypy_cache .pytest_cache .ruff_cache

.venv/bin/pip:
	@test -n "$(PYTHON)" || { echo "subtomo needs Python 3.11 or newer; found none" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group test --group docs
	touch .venv/.installed $@
