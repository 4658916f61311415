# SoniqueBay. `make help` lists the targets.
PYTHON ?= python3
UV := .uv/bin/uv
UV_VERSION := 0.13.9
VENV ?= .venv
INSTALLED := $(VENV)/.installed
MUSIC ?=
ARGS ?=
export UV_PYTHON_DOWNLOADS = never
export UV_PROJECT_ENVIRONMENT = $(VENV)

.PHONY: help install run test chaos lint format bench bench-cluster bench-scan bench-growth bench-queries bench-truth music engines clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

install: $(INSTALLED) ## install everything into .venv, from the lock; VENV=... PYTHON=... for another Python

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "SoniqueBay needs Python 3.11 or newer; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .uv \
	  || { echo "Python's venv module is missing: apt-get install python3-venv"; rm -rf .uv; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(INSTALLED): $(UV) uv.lock pyproject.toml shared/pyproject.toml $(wildcard services/*/pyproject.toml)
	@echo "Installing into $(VENV) ..."
	@$(UV) sync --locked --quiet --python $(PYTHON)
	@touch $@

run: install ## MUSIC=<folder>: scan it and serve it; without, the demo library. ARGS go to `up`
	@exec $(VENV)/bin/soniquebay up $(if $(MUSIC),--music "$(MUSIC)",--demo) $(ARGS)

music: install ## fetch the real music that the tests use (Debian's wesnoth-1.16-music)
	@$(VENV)/bin/python -m tests.fetch_wesnoth

engines: install ## fetch the servers and tools that the tests run, where they can be had
	@$(VENV)/bin/python -m tests.engines.kafka || true
	@$(VENV)/bin/python -m tests.engines.opensearch || true
	@$(VENV)/bin/python -m tests.engines.ollama || true
	@$(VENV)/bin/python -m tests.engines.prometheus || true
	@$(VENV)/bin/python -m tests.engines.compose || true

# Two processes: much of the suite waits for servers. A file's tests stay together.
test: engines ## the whole suite; ARGS go to pytest
	@$(VENV)/bin/pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

chaos: engines ## the long form of tests/chaos: all goes wrong while 2,000 files are analysed
	@$(VENV)/bin/pytest tests/chaos --thorough -s $(ARGS)

lint: install ## ruff, mypy --strict, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: install ## mend what ruff can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# One thread, as workers compute with: two that wait for each other are CPU time, too.
bench: export OMP_NUM_THREADS = 1
bench: export OPENBLAS_NUM_THREADS = 1
bench: install ## ratios against peers and floors; ARGS go to the bench
	@$(VENV)/bin/python -m bench $(ARGS)

bench-cluster: engines ## what the bus costs, and what one more analyzer gives
	@$(VENV)/bin/python -m bench.cluster $(ARGS)

bench-scan: install ## a first scan and a rescan beside MPD, beets and the floor, on one core
	@$(VENV)/bin/python -m bench.scan $(ARGS)

bench-growth: install ## what a track costs and what memory it takes, up to ARGS="--up-to 300000" files
	@$(VENV)/bin/python -m bench.growth $(ARGS)

bench-queries: install ## what the hot queries take in a library of 10,000 and of 300,000 tracks
	@$(VENV)/bin/python -m bench.queries $(ARGS)

bench-truth: install ## how right an analysis is; ARGS=--write puts it into docs/analysis.md
	@$(VENV)/bin/python -m bench.truth $(ARGS)

clean: ## remove what was installed and fetched
	rm -rf .venv* .uv .music .engines .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
