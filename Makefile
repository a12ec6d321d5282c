# The commands of the project; `make` alone lists them. `make demo` and `make test` each do everything themselves, on a
# machine that has only Python 3.11 or newer and make.

VENV        := .venv
NEWEST      := .venv-newest
LATEST      := .venv-latest
LOCKING     := .venv-lock
CONSTRAINTS := .ci/constraints.txt
PEERS       := tests/bench/peers
MEASURED    := .venv-bench/measured
# What is installed to measure with: no more than users have, since what is there counts when programs start; and what
# reads TypeScript.
MEASURABLE  := speed,typescript
PY          := $(VENV)/bin/python
BASE        := $(VENV)/.installed-base
DEV         := $(VENV)/.installed-dev
INTEROP     := tests/interop/node_modules/.installed
IDE         := tests/ide/node_modules/.installed
TYPESCRIPT  := tests/typescript/node_modules/.installed
# Tests wait for servers, compilers and browsers that they start, so that there is room for one more than there are cores.
WORKERS     ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PYTHON      ?=
PYTEST_ARGS ?=
ATTACKS     ?=
EXAMPLES    ?=
LOAD        ?=
SEED        ?=
MINUTES     ?=
ENGINES     ?=
# What may differ from one Python to the next: the runtime, and what the compiler makes of source and types.
NEWEST_TESTS := tests/runtime tests/gen/frontends tests/gen/backends $(addprefix tests/gen/test_,\
	check.py compiler.py diagnostics.py generated_code.py generated_types.py golden.py)
PIP         := -m pip --disable-pip-version-check --quiet install
# What pip is told wherever something is installed: everything in the version that $(CONSTRAINTS) names, and what builds
# this package is installed first, so that it is too.
PINNED      := $(PIP) -c $(CONSTRAINTS)
BUILDERS    := hatchling editables
LOCK        := uv pip compile --universal --python-version 3.11 --upgrade --quiet --no-annotate \
	--custom-compile-command "make lock"

export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-scale examples inspect test test-newest test-latest lock release coverage track nightly \
	attack load chaos bench-quick bench-mounts bench-plans bench-scale bench docs docs-serve docs-links check format \
	schemas clean

# Prints the first interpreter that can make a virtual environment with Python 3.11 or newer.
define FIND_PYTHON
for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3 python; do \
	if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		echo "$$candidate"; exit 0; \
	fi; \
done
endef

# Prints "<minor version> <path>" of the newest released CPython on PATH or under pyenv.
define FIND_NEWEST
for candidate in python3.11 python3.12 python3.13 python3.14 python3.15 "$$HOME"/.pyenv/versions/*/bin/python3.1[1-9]; do \
	"$$candidate" -c 'import sys, venv, ensurepip; v = sys.version_info; \
	print(v[1], sys.executable) if v.releaselevel == "final" and sys.implementation.name == "cpython" else None' 2>/dev/null; \
done | sort -n | tail -n 1
endef

# Sets $$python to an interpreter to measure with: that of $(VENV), or one of an environment made of an optimised build of
# the same version, if there is one.
define MEASURING
python=$(PY); base=$$($(PY) -m tests.bench.interpreter) || exit 1; \
if [ "$$base" != "$$($(PY) -c 'import sys; print(sys.executable)')" ]; then \
	python=$(MEASURED)/bin/python; \
	if ! "$$python" -c "import sys; sys.exit(sys._base_executable != '$$base')" 2>/dev/null; then \
		rm -rf $(MEASURED); "$$base" -m venv $(MEASURED) || exit 1; \
	fi; \
	if [ ! -e $(MEASURED)/.installed ] || [ pyproject.toml -nt $(MEASURED)/.installed ] || \
		[ $(CONSTRAINTS) -nt $(MEASURED)/.installed ]; then \
		"$$python" $(PINNED) $(BUILDERS) && "$$python" $(PINNED) --no-build-isolation -e '.[$(MEASURABLE)]' && \
		touch $(MEASURED)/.installed || exit 1; \
	fi; \
fi
endef

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) $(INTEROP) $(IDE) $(TYPESCRIPT) ## install everything that development needs into .venv

demo: $(BASE) ## compile schemas/ into generated/, serve, call, and show what happened
	@$(PY) -m capnweb_gen.cli schemas --out generated --reflection
	@$(PY) -m examples.demo

demo-scale: $(DEV) ## serve with two workers and Redis, kill one, and show that nothing is missing
	@$(PY) -m examples.demo_scale

examples: $(DEV) ## run every example, and end with a table of what was checked: make examples EXAMPLES='calculator'
	@$(PY) -m examples $(EXAMPLES)

inspect: $(BASE) ## serve schemas/ with some traffic, and print where to watch it
	@$(PY) -m examples.inspected

test: $(DEV) $(INTEROP) $(IDE) $(TYPESCRIPT) ## run the tests: make test PYTEST_ARGS='-k map -x'
	$(PY) -m pytest --numprocesses $(WORKERS) $(PYTEST_ARGS)

test-newest: $(DEV) ## run what depends on Python's version on the newest Python found
	@newest=$$($(FIND_NEWEST)); minor=$${newest%% *}; python=$${newest#* }; \
	default=$$($(PY) -c 'import sys; print(sys.version_info[1])'); \
	if [ -z "$$newest" ] || [ "$$minor" -le "$$default" ]; then \
		echo "test-newest: 3.$$default in $(VENV) is the newest Python here; make test covers it,"; \
		echo "but for the golden cases that are written in the syntax of a newer one"; \
		exit 0; \
	fi; \
	echo "test-newest: 3.$$minor ($$python)"; \
	if ! $(NEWEST)/bin/python -c "import sys; sys.exit(sys.version_info[1] != $$minor)" 2>/dev/null; then \
		rm -rf $(NEWEST); "$$python" -m venv $(NEWEST); \
	fi; \
	if [ ! -e $(NEWEST)/.installed ] || [ pyproject.toml -nt $(NEWEST)/.installed ] || \
		[ $(CONSTRAINTS) -nt $(NEWEST)/.installed ]; then \
		$(NEWEST)/bin/python $(PINNED) $(BUILDERS) && \
		$(NEWEST)/bin/python $(PINNED) --no-build-isolation -e '.[test,checking,speed]' && \
		touch $(NEWEST)/.installed || exit 1; \
	fi; \
	$(NEWEST)/bin/python -m pytest --numprocesses $(WORKERS) -m 'not any_python' $(NEWEST_TESTS) $(PYTEST_ARGS)

# TypeScript stays at 6, since what checks its programs in tests/typescript allows no newer one.
test-latest: $(DEV) ## run the tests with the newest release of everything, and say what moved since `make lock`
	@echo "installing the newest releases into $(LATEST)"
	@rm -rf $(LATEST) && $(PY) -m venv $(LATEST)
	@$(LATEST)/bin/python $(PIP) --upgrade -e '.[dev]'
	@$(LATEST)/bin/python .ci/moved.py
	@if command -v npm >/dev/null 2>&1; then \
		rm -f $(INTEROP) $(IDE) $(TYPESCRIPT); \
		for folder in tests/interop tests/ide tests/typescript; do \
			(cd $$folder && npm ci --silent && { npm outdated || true; } && \
			npm install --silent --no-save --no-package-lock $$(node -p "Object.keys(require('./package.json').dependencies) \
			.map(name => name + (name == 'typescript' ? '@6' : '@latest')).join(' ')")) || exit 1; \
		done; \
	fi
	$(LATEST)/bin/python -m pytest $(PYTEST_ARGS)

lock: | $(PY) ## choose the newest releases anew that setup, demo and CI install
	@if [ ! -e $(LOCKING)/bin/uv ]; then $(PY) -m venv $(LOCKING) && $(LOCKING)/bin/python $(PINNED) uv; fi
	@$(LOCKING)/bin/$(LOCK) pyproject.toml .ci/build-requirements.txt --all-extras --output-file $(CONSTRAINTS)
	@$(LOCKING)/bin/$(LOCK) $(PEERS)/requirements.txt --output-file $(PEERS)/constraints.txt
	@git --no-pager diff --stat -- $(CONSTRAINTS) $(PEERS)/constraints.txt

release: $(DEV) ## build wheel and sdist reproducibly, check and try them, list what they stand on; uploads nothing
	@$(PY) .ci/release $(RELEASE_ARGS)

coverage: $(DEV) $(INTEROP) $(IDE) $(TYPESCRIPT) ## run the tests and say how much of each package they run
	$(PY) -m pytest --numprocesses $(WORKERS) --cov --cov-branch --cov-report= --cov-report=json:build/coverage.json $(PYTEST_ARGS)
	@$(PY) .ci/covered.py build/coverage.json

track: $(DEV) ## compare what hot paths cost, in instructions, with the last of the history: make track TRACK=--append
	@$(PY) -m tests.bench.history $(TRACK)

nightly: $(DEV) ## run the generated tests with 10,000 examples each (half an hour)
	HYPOTHESIS_PROFILE=nightly $(PY) -m pytest --timeout 3600 tests/runtime/test_refcount_oracle.py tests/runtime/test_fuzz.py \
		tests/runtime/core/test_plan.py tests/runtime/core/test_plan_sending.py \
		tests/runtime/fairness/test_cost_of_messages.py tests/runtime/fairness/test_hostile_plans.py $(PYTEST_ARGS)

attack: $(DEV) ## measure what hostile clients do to a server and its other clients: make attack ATTACKS='map doubled'
	@$(PY) -m tests.attack $(ATTACKS)

load: $(DEV) ## have users of Locust call the examples for two minutes and write docs/load.md: make load LOAD='market'
	@LOCUST_SKIP_MONKEY_PATCH=1 $(PY) -m tests.load $(LOAD)

chaos: $(DEV) ## kill, stop and slow down workers and engines for ten minutes: make chaos SEED=17 MINUTES=2 ENGINES=redis
	@$(PY) -m tests.scale.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(ENGINES),--engines $(ENGINES))

bench-quick: $(DEV) $(INTEROP) ## compare speed with the npm package (under 2 minutes)
	@$(MEASURING); set -x; "$$python" -m tests.bench.run --quick

bench-mounts: MEASURED := .venv-bench/mounts
bench-mounts: MEASURABLE := speed,test
bench-mounts: $(DEV) ## compare every transport and mount with plain serve and write docs/performance.md (under 3 minutes)
	@$(MEASURING); set -x; "$$python" -m tests.bench.mounts

bench-plans: $(DEV) ## measure what plans and batching save and write docs/performance.md (under a minute)
	@$(MEASURING); set -x; "$$python" -m tests.bench.plans

bench-scale: MEASURED := .venv-bench/mounts
bench-scale: MEASURABLE := speed,test
bench-scale: $(DEV) ## measure workers that share an engine and write docs/performance.md (under 10 minutes)
	@$(MEASURING); set -x; "$$python" -m tests.bench.scale

bench: $(DEV) $(INTEROP) ## measure everything and write docs/performance.md (under 20 minutes)
	@$(MEASURING); set -x; "$$python" -m tests.bench.run

docs: $(DEV) ## build the site of docs/ into build/site; a warning fails
	@$(PY) -m sphinx -c docs/site -b dirhtml -W --keep-going --fresh-env --quiet docs build/site
	@echo "the site is in build/site; to read it: make docs-serve"

docs-serve: docs ## serve the site on this machine until Ctrl-C: make docs-serve PORT=8000
	@$(PY) -m http.server --bind 127.0.0.1 --directory build/site $(or $(PORT),8000)

docs-links: $(DEV) ## ask every host that the site links to, whether the page is still there
	@$(PY) -m sphinx -c docs/site -b linkcheck --quiet docs build/links

check: $(DEV) ## format, lint, types, layering, and whether generated/ is up to date
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pyright
	$(VENV)/bin/lint-imports
	$(PY) -m capnweb_gen.cli check
	$(PY) -m examples.form.schemas --check
	$(PY) -m examples.form.pages --check

format: $(DEV) ## format the code and mend what the linter can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

schemas: $(BASE) ## compile schemas/ into generated/, and those of the examples
	$(PY) -m capnweb_gen.cli schemas --out generated --reflection
	$(PY) -m examples.form.schemas

clean: ## remove environments, installed packages and caches
	rm -rf $(VENV) $(NEWEST) $(LATEST) $(LOCKING) .venv-bench tests/interop/node_modules tests/ide/node_modules \
		tests/typescript/node_modules build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "capnweb-gen needs Python 3.11 or newer with its venv module; none of python3.11 ... python3 is one." >&2; \
		echo "Install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "creating $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV)

# What the demo needs. The development environment includes it.
$(BASE): pyproject.toml $(CONSTRAINTS) | $(PY)
	@if [ ! -e $(DEV) ] || [ pyproject.toml -nt $(DEV) ] || [ $(CONSTRAINTS) -nt $(DEV) ]; then \
		echo "installing capnweb-gen into $(VENV)"; \
		$(PY) $(PINNED) $(BUILDERS) && $(PY) $(PINNED) --no-build-isolation -e .; \
	fi
	@touch $@

$(DEV): pyproject.toml $(CONSTRAINTS) | $(PY)
	@echo "installing capnweb-gen and its development tools into $(VENV)"
	@$(PY) $(PINNED) $(BUILDERS)
	@$(PY) $(PINNED) --no-build-isolation -e '.[dev]'
	@touch $@

# The npm package at the other end of tests/interop, the language server of tests/ide, and what checks and runs the
# TypeScript of tests/typescript. Without Node those tests skip by name, except in CI.
$(INTEROP) $(IDE) $(TYPESCRIPT): tests/%/node_modules/.installed: tests/%/package.json tests/%/package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
		echo "installing the npm packages of tests/$*"; \
		cd tests/$* && npm ci --silent && touch node_modules/.installed; \
	else \
		echo "npm not found: tests that need the npm packages of tests/$* will be skipped"; \
	fi
