# `make demo` and `make test` need Python 3.10 or newer and nothing else; everything they make lies in build/.

PYTHON ?= python3
VENV := build/venv
ENGINES := build/venv-engines
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check --quiet
CLEANFEED_DATA ?= ../shared/data
export CLEANFEED_DATA

.PHONY: demo test test-engines model bench bench-speed bench-engines floors raise-floors unicode clean

demo: build/.installed ## clean the documents of examples/ and show what went and what stayed
	$(RUN)/cleanfeed clean examples -o build/demo --force
	@for file in examples/003-ar-zellij.txt examples/005-en-football.html; do echo; $(RUN)/cleanfeed explain $$file; done
	@echo; echo "The cleaned documents are in build/demo/."

test: build/.tested ## style, types and tests
	$(RUN)/ruff check src tests benchmarks
	$(RUN)/mypy
	$(RUN)/python -m pytest -q --ignore tests/engines

test-engines: build/.engines ## Spark, Ray, datatrove and datasets, really run; Spark needs Java 17
	$(ENGINES)/bin/python -m pytest -q tests/engines

model: build/.trained ## train the default model from raw data (needs CLEANFEED_DATA)
	$(RUN)/cleanfeed train --data $(CLEANFEED_DATA) --own benchmarks/labelled/train.jsonl -o models

bench: build/.peers ## measure everything, write benchmarks/results.md and its figures
	$(RUN)/python benchmarks/run.py

bench-speed: build/.peers ## time by script, size and shape, and against the peers; about two minutes
	$(RUN)/python -m pytest benchmarks/test_speed.py

bench-engines: build/.engines ## what the engines cost beside bare clean_many
	$(ENGINES)/bin/python benchmarks/engines.py --size 72

floors: build/.tested ## hold the pinned figures; CI runs this
	$(RUN)/python benchmarks/run.py --check

raise-floors: build/.tested ## pin the figures of now; refuses to lower one
	$(RUN)/python benchmarks/run.py --update

unicode: build/.tested ## write the character tables from their patterns
	$(RUN)/python -c "from cleanfeed.unicode import store; store()"

clean: ## remove everything that was made here
	rm -rf build dist

build/.venv:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade pip
	@touch $@

build/.installed: build/.venv pyproject.toml
	$(PIP) install --editable .
	@touch $@

build/.tested: build/.installed
	$(PIP) install --group test --editable ".[fast,parquet,train,warc,zstd]"
	@touch $@

build/.trained: build/.installed
	$(PIP) install --editable ".[train]"
	@touch $@

build/.peers: build/.tested
	$(PIP) install --editable ".[bench,peers,train]"
	@touch $@

build/.engines: pyproject.toml
	$(PYTHON) -m venv $(ENGINES)
	$(ENGINES)/bin/python -m pip --disable-pip-version-check --quiet install --upgrade pip
	$(ENGINES)/bin/python -m pip --disable-pip-version-check --quiet install --no-cache-dir --group engines \
	    --editable ".[spark,ray,datatrove,datasets]"
	@touch $@
