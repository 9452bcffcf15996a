# Every target is idempotent: what is set up stays set up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TORCH  := torch==2.13.0
# Where PyTorch publishes its CPU builds; a mirror of it does, too (empty: PyPI alone).
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser coverage check docs clean

help:
	@echo "make demo    set up and open the demo on http://127.0.0.1:7860"
	@echo "make test    set up and run the tests"
	@echo "make test-browser  the tests of the demo in Debian's Chromium (apt-get install chromium)"
	@echo "make coverage  the tests, with branch coverage: the total, and htmlcov/index.html"
	@echo "make check   lint, type-check, and check that regular expressions take linear time"
	@echo "make docs    build the documentation into site/"

define ANSWERS
import sys, urllib.request
urllib.request.urlopen(sys.argv[1].rstrip("/") + "/torch/", timeout=5).close()
endef
export ANSWERS

$(VENV)/.base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than 3.11: name a newer one, as in  make test PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "python venv support is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

# What the tests need besides, by its exact version. On Linux PyPI's own wheels bring gigabytes of CUDA, so the index
# of CPU builds is asked before it: there the version is 2.13.0+cpu, which pip prefers to 2.13.0.
# Where that index does not answer within five seconds, pip goes on with whatever it is set up for.
$(VENV)/.torch: $(VENV)/.base
	@index="$(TORCH_INDEX)"; \
	if [ "$$(uname -s)" != Linux ]; then index=; fi; \
	if [ -n "$$index" ] && ! $(BIN)/python -c "$$ANSWERS" "$$index" 2>/dev/null; then \
	  echo "$$index does not answer: $(TORCH) comes from pip's usual index"; \
	  echo "(on Linux PyPI's build brings gigabytes of CUDA; TORCH_INDEX=ADDRESS names a mirror)"; \
	  index=; \
	fi; \
	set -x; $(BIN)/python -m pip install --quiet $${index:+--extra-index-url "$$index"} $(TORCH)
	@touch $@

$(VENV)/.demo: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[demo,face,speech]"
	@touch $@

$(VENV)/.dev: $(VENV)/.torch
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/empathic demo --open

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-browser: $(VENV)/.dev
	$(BIN)/python -m pytest tests/demo -m browser $(LAST)

# Reads of the code what runs in the tests' own processes, not in those that they start.
coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=html --cov-report=xml
	@echo "covered: $$($(BIN)/coverage report --format=total) % (htmlcov/index.html)"

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_regex.py

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site build dist htmlcov .coverage .coverage.* coverage.xml
