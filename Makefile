# Everything here sets itself up: it needs make, a POSIX shell and Python 3.11 or newer, and nothing else.
#   make PYTHON=/path/to/python3   chooses the interpreter by hand

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

# What a shell happens to export must not reach into the virtual environment.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX

# A virtual environment knows its own absolute path: one that was moved or copied is made anew.
ifneq ($(shell cat $(VENV)/.place 2>/dev/null),$(CURDIR))
moved := moved
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-ui check clean distclean moved

help: ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | awk -F '\t' '{printf "  %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.ready-to-develop ## make .venv with the package and all development tools

demo: $(VENV)/.ready-to-run ## make videos from examples/prompts.csv in the sandbox: no key, no cost (KEEP=1 leaves the UI up)
	@$(BIN)/prefect-seedance demo $(if $(filter-out 0,$(KEEP)),--keep) $(ARGS)

test: $(VENV)/.ready-to-develop ## run the fast tests (ARGS="-k word" goes to pytest)
	@$(BIN)/pytest -m "not slow and not ui" -n $(JOBS) --dist loadscope $(ARGS)

test-slow: $(VENV)/.ready-to-develop ## run the long tests
	@$(BIN)/pytest -m "slow and not ui" $(ARGS)

test-ui: $(VENV)/.ready-to-develop ## run the tests that need Chromium
	@$(BIN)/pytest -m ui $(ARGS)

check: $(VENV)/.ready-to-develop ## formatter, linter, strict types, import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean: ## remove caches and what the builds, tests and demo left
	@rm -rf .demo dist build htmlcov .coverage .coverage.* .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove .venv as well
	@rm -rf $(VENV)

# Set-up, in two steps: the demo does not wait for the development tools.

define FUNCTIONS
log=$(VENV)/setup.log

fit() {
    "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

whole() {
    "$$1" -c 'import ensurepip, sqlite3, ssl, venv' 2>/dev/null
}

choose_python() {
    partial=
    for name in $${CHOSEN:-python3.13 python3.12 python3.11 python3}; do
        fit "$$name" || continue
        if whole "$$name"; then python=$$name; return; fi
        partial=$$name
    done
    if [ -n "$$partial" ]; then
        echo "$$partial is new enough, but lacks a module that is needed: venv with ensurepip, ssl or sqlite3." >&2
        echo "On Debian or Ubuntu: apt-get install python3-venv. Elsewhere: install a complete Python." >&2
    else
        echo "Python 3.11 or newer is needed, and none of these is one: $${CHOSEN:-python3.13 python3.12 python3.11 python3}." >&2
        echo "Install one, or name it: make PYTHON=/path/to/python3" >&2
    fi
    exit 1
}

make_venv() {
    [ "$(moved)" = "" ] && fit $(BIN)/python && [ -f $(BIN)/pip ] && return
    choose_python
    echo "Setting up $(VENV) with $$("$$python" -V) ..."
    rm -rf $(VENV) && mkdir $(VENV)
    "$$python" -m venv $(VENV) >$$log 2>&1 || fail "Making $(VENV) failed"
    printf '%s\n' "$$PWD" >$(VENV)/.place
}

fail() {
    cat $$log >&2
    echo "$$1: the messages above say why, and $$log keeps them." >&2
    exit 1
}

install() {
    what=$$1; shift
    echo "Installing $$what (a minute or so; log: $$log) ..."
    $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off -c constraints.txt "$$@" \
        >>$$log 2>&1 </dev/null || fail "Installing $$what failed"
}
endef
export FUNCTIONS
export CHOSEN := $(PYTHON)

$(VENV)/.ready-to-run: pyproject.toml constraints.txt $(moved)
	@eval "$$FUNCTIONS"; make_venv; \
	install "prefect-seedance" -e ".[parquet,excel]"; \
	touch $@

$(VENV)/.ready-to-develop: $(VENV)/.ready-to-run
	@eval "$$FUNCTIONS"; \
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
		>$(VENV)/dev-requirements.txt; \
	install "the development tools" -r $(VENV)/dev-requirements.txt; \
	touch $@
