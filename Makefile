# The two commands of the README. Both are idempotent: what is set up stays set up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TORCH  := torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser check docs clean

help:
	@echo "make demo    set up and open the demo on http://127.0.0.1:7860"
	@echo "make test    set up and run the tests"
	@echo "make test-browser  the tests of the demo in Debian's Chromium (apt-get install chromium)"
	@echo "make check   lint and type-check"
	@echo "make docs    build the documentation into site/"

# torch first, by its exact version: a plain request for it may pull gigabytes of CUDA.
$(VENV)/.base: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "python venv support is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TORCH)
	@touch $@

$(VENV)/.demo: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[demo,face,speech]"
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/empathic demo --open

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-browser: $(VENV)/.dev
	$(BIN)/python -m pytest tests/demo -m browser $(LAST)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site build dist
