# SoniqueBay. `make help` lists the targets.
PYTHON ?= python3
UV := .uv/bin/uv
UV_VERSION := 0.13.9
LOWEST := strawberry-graphql==0.338.0 graphql-core==3.3.0
VENV ?= .venv
# What running needs, and what developing needs in addition.
RUNNABLE := $(VENV)/.runnable
INSTALLED := $(VENV)/.installed
MUSIC ?=
ARGS ?=
# uv must use the Python that is there, never download one.
export UV_PYTHON_DOWNLOADS = never
export UV_PROJECT_ENVIRONMENT = $(VENV)

.PHONY: help install run clean test test-lowest chaos lint format music engines bench bench-cluster bench-scan bench-growth bench-queries bench-truth

# A line that begins with `##` starts a group of `make help`; ` ## ` behind a target is its help.
help: ## list the targets (this text)
	@echo "Usage: make TARGET [VARIABLE=value ...]     for example: make run MUSIC=~/Music"
	@awk -F ':[^#]*## ' '/^## /{printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## /{printf "  %-15s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "PYTHON=python3.12 and VENV=.venv-3.12 choose another Python and another environment for any target."

## Use it
run: $(if $(wildcard $(INSTALLED)),$(INSTALLED),$(RUNNABLE)) ## scan and serve a folder: MUSIC=~/Music (without it, the demo library); ARGS go to `soniquebay up`
	@exec $(VENV)/bin/soniquebay up $(if $(MUSIC),--music "$(MUSIC)",--demo) $(ARGS)

install: $(INSTALLED) ## install everything into .venv: also what a cluster and developers need

clean: ## remove what was installed and fetched (not your library: that is in SONIQUEBAY_DATA_DIR)
	rm -rf .venv* .uv .music .engines .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

## Test it
# Two processes, since much of the suite waits for servers. All tests of a file run in one of them.
test: engines ## the whole suite; ARGS go to pytest, e.g. ARGS=tests/unit
	@$(VENV)/bin/pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

# What the gateway rests on most, in the oldest releases that services/api/pyproject.toml allows.
test-lowest: ## the gateway's tests with the oldest strawberry and graphql-core that are allowed
	@$(MAKE) --no-print-directory install VENV=.venv-lowest
	@$(UV) pip install --quiet --python .venv-lowest/bin/python $(LOWEST)
	@.venv-lowest/bin/pytest -n 2 --dist loadfile --no-cov tests/unit/services/api tests/house/test_documents.py \
	  tests/house/test_gateway_types.py tests/integration/test_gateway_transports.py tests/integration/test_api_*.py tests/integration/test_graphql_*.py $(ARGS)

chaos: engines ## the long form of tests/chaos: services fail while 2,000 files are analysed; ARGS go to pytest
	@$(VENV)/bin/pytest tests/chaos --thorough -s $(ARGS)

lint: install ## ruff, mypy --strict, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: install ## fix what ruff can fix, and format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

music: install ## fetch the real music that the tests use (Debian's wesnoth-1.16-music)
	@$(VENV)/bin/python -m tests.fetch_wesnoth

# An engine that cannot be had here is no error: its tests are skipped, and the last lines say so.
engines: install ## fetch or build what tests run: Kafka, OpenSearch, Ollama, Prometheus, Compose, taggers, an audit
	@$(VENV)/bin/python -m tests.engines.kafka || true
	@$(VENV)/bin/python -m tests.engines.opensearch || true
	@$(VENV)/bin/python -m tests.engines.ollama || true
	@$(VENV)/bin/python -m tests.engines.prometheus || true
	@$(VENV)/bin/python -m tests.engines.compose || true
	@$(VENV)/bin/python -m tests.engines.graphql_audit || true
	@$(VENV)/bin/python -m tests.engines.taggers || true

## Measure it (ARGS=--help lists a bench's options)
# One thread, as the worker processes compute with: BLAS threads that wait for each other use CPU time.
bench: export OMP_NUM_THREADS = 1
bench: export OPENBLAS_NUM_THREADS = 1
bench: install ## each part against its floor and against peers, as ratios; ARGS=--quick
	@$(VENV)/bin/python -m bench $(ARGS)

bench-cluster: engines ## what Kafka costs, and what a second analyzer gains
	@$(VENV)/bin/python -m bench.cluster $(ARGS)

bench-scan: install ## a first scan and a rescan against MPD, beets and the floor, on one core
	@$(VENV)/bin/python -m bench.scan $(ARGS)

bench-growth: install ## time, CPU and memory as a library grows; ARGS="--up-to 300000" for more files
	@$(VENV)/bin/python -m bench.growth $(ARGS)

bench-queries: install ## how long the hot queries take with 10,000 and with 300,000 tracks
	@$(VENV)/bin/python -m bench.queries $(ARGS)

bench-truth: install ## how right an analysis is; ARGS=--write puts the tables into docs/analysis.md
	@$(VENV)/bin/python -m bench.truth $(ARGS)

# The files behind `install`.
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "SoniqueBay needs Python 3.11 or newer; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@rm -rf .uv .uv.part
	@$(PYTHON) -m venv .uv.part \
	  || { echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; rm -rf .uv.part; exit 1; }
	@.uv.part/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@mv .uv.part .uv

# An install that was cut off may have left half of a package behind, which uv takes for a whole one.
# So the folder is marked while it is filled, and one that is still marked is made anew.
define sync
	@if [ -e $(VENV)/.installing ]; then rm -rf $(VENV); fi
	@echo "Installing into $(VENV) ..."
	@[ -x $(VENV)/bin/python ] || $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@touch $(VENV)/.installing
	@$(UV) sync --locked --quiet --python $(PYTHON) $(1) \
	  || { status=$$?; [ $$status -ge 128 ] || rm -f $(VENV)/.installing; exit $$status; }  # from 128: a signal
	@rm -f $(VENV)/.installing
	@touch $@
endef
LOCKED := uv.lock pyproject.toml shared/pyproject.toml $(wildcard services/*/pyproject.toml)
$(RUNNABLE): $(UV) $(LOCKED)
	$(call sync,--no-dev)
$(INSTALLED): $(UV) $(LOCKED)
	$(call sync,--extra cluster)
	@touch $(RUNNABLE)
