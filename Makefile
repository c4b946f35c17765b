# Everything here sets itself up: it needs make, a POSIX shell and Python 3.11 or newer, and nothing else.
#   make setup PYTHON=/path/to/python3   names the interpreter of a new .venv (make distclean removes the old one)

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
# A version of Prefect that replaces the pinned one, for a virtual environment of its own: VENV=.venv-other PREFECT=3.8.8
PREFECT :=

# What a shell happens to export must not reach into the virtual environment.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX

# A virtual environment knows its own absolute path and its interpreter: where one of them is gone, it is made anew.
ifneq ($(shell $(BIN)/python -c '' 2>/dev/null && cat $(VENV)/.place 2>/dev/null),$(CURDIR))
stale := stale
endif

# The lower bound of pyproject.toml.
OLDEST_PREFECT = $(shell sed -n 's/^ *"prefect>=\([0-9.]*\),.*/\1/p' pyproject.toml)
ON_OLDEST = VENV=.venv-oldest PREFECT=$(or $(OLDEST_PREFECT),$(error pyproject.toml names no oldest Prefect))

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-oldest test-python test-ui chaos days bench bench-billing mutants check docs clean
.PHONY: distclean stale

help: ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.ready-to-develop ## make .venv with the package and all development tools
	@echo "Ready: $(BIN) holds prefect-seedance and the development tools."

demo: $(VENV)/.ready-to-run ## make videos from examples/prompts.csv in the sandbox: no key, no cost (KEEP=1 leaves the UI up)
	@$(BIN)/prefect-seedance demo $(if $(filter-out 0,$(KEEP)),--keep) $(ARGS)

test: $(VENV)/.ready-to-develop ## run the fast tests (ARGS="-k word" goes to pytest)
	@$(BIN)/pytest -m "not slow and not ui and not chaos" -n $(JOBS) --dist load $(ARGS)

test-slow: $(VENV)/.ready-to-develop ## run the long tests, then test-oldest (with ARGS, the long tests only)
	@$(BIN)/pytest -m "slow and not ui" -n $(JOBS) --dist load $(ARGS)
	@$(if $(ARGS),,$(MAKE) --no-print-directory test-oldest)

test-oldest: ## run the tests of flows, tasks, blocks and schedules on the oldest Prefect allowed, in .venv-oldest
	@$(MAKE) --no-print-directory $(ON_OLDEST) test ARGS="tests/flows tests/tasks tests/blocks"
	@$(MAKE) --no-print-directory $(ON_OLDEST) test-slow ARGS="tests/deployments/test_schedules.py"

test-python: ## run the fast tests on another Python, in a virtual environment of its own (PYTHON=python3.14)
	@$(MAKE) --no-print-directory VENV=.venv-$(notdir $(or $(PYTHON),$(error Name the Python: PYTHON=python3.14))) test

test-ui: $(VENV)/.ready-to-develop ## run the tests that need Chromium
	@$(BIN)/pytest -m ui $(ARGS)

chaos: $(VENV)/.ready-to-develop ## kill the real program at least 500 times (CHAOS_SEEDS=2 is the short form)
	@CHAOS_SEEDS=$(or $(CHAOS_SEEDS),80) CHAOS_LOG=$(or $(CHAOS_LOG),chaos.log) $(BIN)/pytest tests/chaos -q $(ARGS)

days: $(VENV)/.ready-to-develop ## a batch of many days in a time-lapse, on an idle machine (DAYS_KILLS=50 is the long form)
	@DAYS=1 DAYS_KILLS=$(or $(DAYS_KILLS),5) CHAOS_LOG=$(or $(CHAOS_LOG),chaos.log) $(BIN)/pytest tests/chaos/test_days.py -q $(ARGS)

bench: $(VENV)/.ready-to-run ## what a row costs, ours beside a bare script and plain Prefect (ARGS="--only 1 --rows 50")
	@$(BIN)/python benchmarks/bench.py $(ARGS)

bench-billing: $(VENV)/.ready-to-run ## creates billed for one logical create, ours beside published clients (ARGS=--write)
	@$(BIN)/python benchmarks/billed_creates.py $(ARGS)

mutants: $(VENV)/.ready-to-develop ## change the code where money is decided: do the tests notice? (ARGS="--only ledger --each 30")
	@$(BIN)/python benchmarks/mutants.py $(ARGS)

check: $(VENV)/.ready-to-develop ## formatter, linter, strict types, import layers, declared dependencies
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry src

docs: $(VENV)/.ready-to-document ## build the manual into site/, with warnings as errors (site/index.html opens from the folder)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict $(ARGS)
	@echo "The manual: $(CURDIR)/site/index.html"

clean: ## remove caches and what the builds, tests and demo left
	@rm -rf .demo dist build site htmlcov .coverage .coverage.* .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove the virtual environments as well
	@rm -rf .venv .venv-*

# Set-up, in two steps: the demo does not wait for the development tools.

CANDIDATES := $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3)

define STEPS
set -e
log=$(VENV)/setup.log

new_enough() {
    "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

complete() {
    "$$1" -c 'import ensurepip, sqlite3, ssl, venv' 2>/dev/null
}

fail() {
    cat $$log >&2
    echo "$$1. The messages above say why; they are kept in $$log." >&2
    exit 1
}

choose_python() {
    partial=
    for python in $(CANDIDATES); do
        new_enough "$$python" || continue
        if complete "$$python"; then return; fi
        partial=$${partial:-$$python}
    done
    if [ -n "$$partial" ]; then
        echo "$$partial is new enough, but lacks one of the modules venv, ensurepip, ssl and sqlite3." >&2
        echo "On Debian or Ubuntu: apt-get install python3-venv. Elsewhere: install a complete Python." >&2
    else
        echo "Python 3.11 or newer is needed, and none was found as: $(CANDIDATES)." >&2
        echo "Install one, or name it: make PYTHON=/path/to/python3" >&2
    fi
    exit 1
}

need_venv() {
    if [ "$$(cat $(VENV)/.place 2>/dev/null || echo "$(CURDIR)")" != "$(CURDIR)" ] ||
        ! new_enough $(BIN)/python || [ ! -f $(BIN)/pip ]
    then
        choose_python
        rm -rf $(VENV)
        mkdir $(VENV)
        "$$python" -m venv $(VENV) >$$log 2>&1 || fail "No virtual environment could be made"
    fi
    echo "$(CURDIR)" >$(VENV)/.place
}

add() {
    what=$$1
    shift
    sed 's/^prefect==.*/$(if $(PREFECT),prefect==$(PREFECT),&)/' constraints.txt >$(VENV)/constraints.txt
    echo "Setting up $$what in $(VENV) with $$($(BIN)/python -V); the first time takes about a minute ..."
    $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off -c $(VENV)/constraints.txt "$$@" \
        >$$log 2>&1 </dev/null || fail "Setting up $$what failed"
}
endef

$(VENV)/.ready-to-run $(VENV)/.ready-to-develop $(VENV)/.ready-to-document: export STEPS := $(STEPS)

$(VENV)/.ready-to-run: pyproject.toml constraints.txt $(stale)
	@eval "$$STEPS"; need_venv; add "the package" -e ".[parquet,excel]"; touch $@

# pip before 25.1 knows nothing of dependency groups, so they are read here.
define ADD_GROUP
@eval "$$STEPS"; \
$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["$(1)"], sep="\n")' \
	>$(VENV)/$(1)-requirements.txt; \
add "$(2)" -r $(VENV)/$(1)-requirements.txt; touch $@
endef

$(VENV)/.ready-to-develop: $(VENV)/.ready-to-run
	$(call ADD_GROUP,dev,the development tools)

$(VENV)/.ready-to-document: $(VENV)/.ready-to-run
	$(call ADD_GROUP,docs,the tools of the manual)
