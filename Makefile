# Every target does the set-up that it needs (scripts/bootstrap.py: .venv, and Meep through apt); `make help` lists them.

PY := .venv/bin/python
BOOTSTRAP := @python3 scripts/bootstrap.py
JOBS ?= 2
TYPED := .venv/.types-hold
SOURCES := $(shell find cavitydesign scripts \( -name '*.py' -o -type d \) -not -name __pycache__) # a folder: what was deleted
PYTEST := $(PY) -m pytest -n $(JOBS) --dist worksteal

# Small matrices: threads inside BLAS cost more than they bring, and the processes above share the cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# The node that the pinned wheel brings, whatever the machine has.
export PYRIGHT_PYTHON_GLOBAL_NODE := off
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help run test test-all coverage mutants lint format bench setup setup-dev setup-bench meep lock clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

run: setup ## predict the three published lasers, draw their maps and masks into out/, print one screen
	@$(PY) -m cavitydesign showcase --out out

test: setup-dev lint ## format, lint, types, import rules, then every test that is not slow
	$(PYTEST) -m "not slow"

test-all: setup-dev lint ## the same with the slow tests
	$(PYTEST)

coverage: setup-dev ## the tests that are not slow, and the lines of each module that they miss
	$(PYTEST) -m "not slow" --cov=cavitydesign --cov-report=term:skip-covered

mutants: setup-dev ## break 200 lines of gain/ and study/, one at a time, and name what no test notices (up to 40 min)
	$(PY) scripts/mutants.py --count 200 --jobs $(JOBS)

lint: setup-dev ## ruff, pyright and import-linter
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	.venv/bin/lint-imports --no-logo
	@$(MAKE) --no-print-directory $(TYPED)

# pyright keeps nothing from run to run, and takes longer than all else of `make lint`: not again for the same files.
$(TYPED): $(SOURCES) pyproject.toml constraints.txt
	$(PY) -m pyright
	@touch $@

format: setup-dev ## let ruff write what it can
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

bench: setup-bench ## time the solvers, beside other codes
	$(PY) scripts/benchmark.py

setup: ## .venv with what `make run` needs, and Meep
	$(BOOTSTRAP) run

setup-dev: ## .venv with the tools of `make test` as well
	$(BOOTSTRAP) dev

setup-bench:
	$(BOOTSTRAP) bench

meep: ## look for Meep again, and install it if apt can
	$(BOOTSTRAP) meep

lock: ## resolve pyproject.toml anew and rewrite constraints.txt
	sh scripts/lock.sh

clean: ## remove what runs, tests and builds left
	rm -rf out build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove the environment too
	rm -rf .venv
