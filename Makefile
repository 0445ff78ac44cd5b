# Everything that a person or CI does here, each thing once. `make help` lists it.

SHELL := bash
.DEFAULT_GOAL := help

uv_version := 0.13.9
pip_audit_version := 2.10.1
bin := .venv/bin
# what `make build` made last: when the lock file or the packaging changes, it is made anew
built := .venv/.built
uv_made := .venv-uv/.made-$(uv_version)
uv := .venv-uv/bin/uv
superset_made := .venv-superset/.made
spark_made := .venv-spark/.made
# the lock file names what the dependencies of the dependencies are
pip := .venv-uv/bin/python -m pip --python $(bin)/python install \
    --quiet --disable-pip-version-check --no-deps

demo_raw := demo/raw
demo_warehouse := demo/warehouse

# the first of these that is Python 3.11 makes the environment; `make build PYTHON=/path/to/python` names another
PYTHON ?= python3.11 python3 python

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: $(built) ## set up .venv from the lock file; does nothing when it is up to date

$(uv_made):
	@python=; \
	for candidate in $(PYTHON); do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null; then \
	        python="$$candidate"; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'make: Python 3.11 is needed and none of "$(PYTHON)" is one.' >&2; \
	    echo 'make: Install it, or name it: make build PYTHON=/path/to/python3.11' >&2; \
	    exit 1; \
	fi; \
	rm -rf .venv-uv && "$$python" -m venv .venv-uv
	@echo 'installing uv $(uv_version) into .venv-uv'
	@.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==$(uv_version)'
	@touch $@

# uv takes seconds; where it can't reach the registry and pip can, as behind a mirror that only pip
# is set up for, pip installs the same locked files by their hashes
$(built): uv.lock pyproject.toml $(uv_made)
	@echo 'installing the locked packages into .venv'
	@[ -x $(bin)/python ] || .venv-uv/bin/python -m venv .venv
	@UV_PYTHON_DOWNLOADS=never $(uv) sync --frozen --quiet --compile-bytecode || { \
	    echo 'uv failed; installing with pip instead, which takes some minutes'; \
	    $(uv) export --frozen --quiet --no-emit-project --output-file .venv/requirements.txt \
	        > /dev/null && \
	    $(pip) --require-hashes --requirement .venv/requirements.txt && $(pip) --editable .; \
	}
	@touch $@

.PHONY: demo
demo: build ## simulate a service of 20,000 subscribers and 36 months, and build its marts
	@rm -rf $(demo_raw)
	$(bin)/tenure simulate --subscribers 20000 --months 36 --seed 7 --out $(demo_raw)
	$(bin)/tenure run --raw $(demo_raw) --warehouse $(demo_warehouse)

.PHONY: test
test: build ## run all checks, then all tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check
	$(bin)/python -m pytest --numprocesses 2 --dist loadfile

axe_version := 4.14.1
axe_sum := e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
axe := .venv/axe-$(axe_version)/package/axe.min.js

# axe-core (MPL-2.0) judges the page and is in none: it comes from the npm registry, and is left out
# where that can't be reached
$(axe):
	@mkdir -p .venv/axe-$(axe_version)
	@cd .venv/axe-$(axe_version) && npm pack --silent axe-core@$(axe_version) > /dev/null && \
	    echo '$(axe_sum)  axe-core-$(axe_version).tgz' | sha256sum --check --quiet && \
	    tar xzmf axe-core-$(axe_version).tgz package/axe.min.js

.PHONY: test-browser
test-browser: build ## try the dashboard in a headless Chromium, which has to be installed
	@$(uv) sync --frozen --quiet --inexact --group browser
	@$(MAKE) --no-print-directory $(axe) || echo 'axe-core is not to be had: its tests are left out'
	AXE_CORE="$$([ -f $(axe) ] && echo "$$PWD/$(axe)")" \
	    $(bin)/python -m pytest tests/dashboard/test_browser.py

.PHONY: test-postgres
test-postgres: build ## try `tenure publish` on a PostgreSQL of its own, whose server has to be installed
	$(bin)/python -m pytest tests/orchestration/test_postgres.py

# cheapest first: what fails fast is told fast
.PHONY: check
check: lint types lock audited bouncer portable ## run all checks: style, types, lock, vulnerabilities, dbt project, portability

.PHONY: lint
lint: build ## check the style of Python and SQL
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/sqlfluff lint models tests/dbt

.PHONY: format
format: build ## put Python and the layout of SQL in the house style
	$(bin)/ruff check --fix
	$(bin)/ruff format
	$(bin)/sqlfluff fix models tests/dbt

.PHONY: types
types: build
	$(bin)/mypy

.PHONY: lock
lock: build ## check that uv.lock and requirements.txt say what pyproject.toml does
	@$(uv) lock --check --quiet --offline || { \
	    echo 'uv.lock is not what pyproject.toml asks for: run `.venv-uv/bin/uv lock`' >&2; exit 1; }
	@diff requirements.txt <($(uv) export $(export_options)) > /dev/null || { \
	    echo 'requirements.txt is not what uv.lock says: run `make requirements.txt`' >&2; exit 1; }
	@$(bin)/python -m tests.locked

export_options := --frozen --quiet --no-dev --no-emit-project --no-header --no-annotate

requirements.txt: uv.lock $(uv_made)
	$(uv) export $(export_options) > $@

# not in part: dbt forgets what YAML says of a singular test when a macro that it uses changes
whole_parse := $(bin)/dbt --quiet parse --no-partial-parse --target lint --target-path target/lint

.PHONY: bouncer
bouncer: build
	$(whole_parse)
	COLUMNS=200 $(bin)/dbt-bouncer run --show-all-failures

# these pages are in the repository; a test says when one is stale
docs/metrics.md: build
	$(whole_parse)
	$(bin)/python -m orchestration.metrics.page target/lint/manifest.json $@

docs/runbook.md: build
	$(whole_parse)
	$(bin)/python -m orchestration.pages.runbook target/lint/manifest.json $@

# Superset's connection, datasets, charts and dashboard, likewise
dashboard/superset/assets: build
	$(whole_parse)
	$(bin)/python -m dashboard.superset target/lint/manifest.json $@

.PHONY: portable
portable: build
	$(bin)/python -m tests.portability.spark

# about 900 MB, and kept from what Tenure itself is locked to
$(superset_made): dashboard/superset/requirements.txt $(uv_made)
	@echo 'installing Apache Superset into .venv-superset'
	@rm -rf .venv-superset && .venv-uv/bin/python -m venv .venv-superset
	@$(uv) pip sync --quiet --require-hashes --compile-bytecode \
	    --python .venv-superset/bin/python dashboard/superset/requirements.txt
	@touch $@

.PHONY: superset
superset: $(superset_made) ## set up Apache Superset in .venv-superset

.PHONY: test-superset
test-superset: build superset ## import the dashboard into Apache Superset and hold its figures against the marts
	$(bin)/python -m pytest tests/superset/served.py

# the same locked packages with the extra `spark` besides, about 480 MB
$(spark_made): uv.lock pyproject.toml $(uv_made)
	@java -version 2> /dev/null || { echo 'make: Spark needs Java 17 or 21, and there is none' >&2; exit 1; }
	@echo 'installing Tenure with Apache Spark into .venv-spark'
	@[ -x .venv-spark/bin/python ] || .venv-uv/bin/python -m venv .venv-spark
	@UV_PROJECT_ENVIRONMENT=.venv-spark UV_PYTHON_DOWNLOADS=never \
	    $(uv) sync --frozen --quiet --compile-bytecode --extra spark
	@touch $@

.PHONY: spark
spark: $(spark_made) ## set up Tenure with Apache Spark in .venv-spark; Java has to be installed

.PHONY: test-spark
test-spark: spark ## hold what a local Apache Spark builds against what DuckDB does
	.venv-spark/bin/python -m pytest tests/spark/on_spark.py

.PHONY: test-cluster
test-cluster: spark ## kill one of two executors of a run, and a whole run between two steps
	.venv-spark/bin/python -m pytest tests/spark/on_cluster.py
	.venv-spark/bin/python -m pytest tests/spark/on_kill.py

.PHONY: test-thrift
test-thrift: spark ## build a small service on a Thrift server of its own and hold it against what DuckDB builds
	.venv-spark/bin/python -m pytest tests/spark/on_thrift.py

.PHONY: hostile
hostile: build ## put some hundred hostile raw folders before the landing gate
	$(bin)/python -m tests.hostile

.PHONY: audit
audit: ## ask the package index whether a locked version has a known vulnerability
	@$(MAKE) --no-print-directory audited unaudited='exit 1'

# `make check` goes on where the index can't be asked, `make audit` fails: nothing is known then
unaudited := true

# with --strict, since without it what could not be looked up counts as harmless
.PHONY: audited
audited: build
	@$(uv) export $(export_options) --output-file .venv/audited.txt > /dev/null
	@$(uv) tool run --quiet pip-audit==$(pip_audit_version) --strict --progress-spinner off \
	    --disable-pip --require-hashes --requirement .venv/audited.txt 2> .venv/audit.log || { \
	    if grep -qE 'could not be audited|Connection|Failed to fetch' .venv/audit.log; then \
	        echo 'make: dependencies were NOT audited: the package index here tells no vulnerabilities.' >&2; \
	        echo 'make: Run `make audit` where https://pypi.org is reached; a mirror often lacks them.' >&2; \
	        $(unaudited); \
	    else \
	        cat .venv/audit.log >&2; exit 1; \
	    fi; \
	}

.PHONY: ui
ui: build ## open Dagster on http://127.0.0.1:3000
	umask 077 && $(bin)/dagster dev --host 127.0.0.1 --port $(port)

port := 3000

.PHONY: listening
listening: build ## open Dagster for a moment and look at every socket on which it listens
	$(bin)/python -m tests.listening

.PHONY: example
example: build ## bring another service's tables to the contract and build their marts
	examples/fight_churn/run

.PHONY: faults
faults: build ## put faults into simulated feeds and say which check minds each; count false alarms
	@$(bin)/python -m tests.expectations.faults

.PHONY: mutants
mutants: build ## change each model's SQL in one place at a time, and tell which changes no unit test notices
	$(bin)/python -m tests.mutants

.PHONY: benchmark
benchmark: build ## measure time, memory and disk of builds, a new day and a correction; takes an hour
	$(bin)/python -m benchmarks

.PHONY: torture
torture: build ## kill, starve and cut runs a hundred times and more, and see that nothing is lost; takes an hour or two
	$(bin)/python -m tests.torture

.PHONY: clean
clean: ## remove what was built, the environment and the demo included
	rm -rf .venv .venv-uv .venv-spark .venv-superset demo target logs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
