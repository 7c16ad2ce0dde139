# Every target sets itself up in .venv and is quick when nothing changed.
#   make demo [INPUT=file.wav]   export, validate and render real audio into build/demo
#   make test | lint | docs | bench
#   make exported                artifacts of the examples, into exported/
#   make PYTHON=python3.12 TORCH=2.9.1 test    another interpreter, another torch
PYTHON ?= python3
TORCH ?= 2.13.0
VENV ?= .venv
JOBS ?= auto
OUT ?= build/demo
INPUT ?=
PYTEST_FLAGS ?=

RUN := $(VENV)/bin/python
CONSTRAINTS := $(VENV)/constraints.txt
INSTALLED := $(VENV)/installed-torch-$(TORCH)

.DELETE_ON_ERROR:
.PHONY: demo test lint docs bench exported setup clean

setup: $(INSTALLED)

# torch goes in first and is pinned for the rest: a dependency that is free to choose may bring another, larger build.
$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	rm -f $(VENV)/installed-torch-*
	echo "torch==$(TORCH)" > $(CONSTRAINTS)
	$(RUN) -m pip install --constraint $(CONSTRAINTS) torch
	$(RUN) -m pip install --constraint $(CONSTRAINTS) --editable ".[all,docs,dev]"
	touch $@

demo: $(INSTALLED)
	$(RUN) examples/demo.py $(if $(INPUT),--input "$(INPUT)") --out "$(OUT)"

test: $(INSTALLED)
	$(RUN) -m pytest -m "" -n $(JOBS) $(PYTEST_FLAGS)

lint: $(INSTALLED)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m pyright --pythonpath $(RUN)

# Without the theme's advertisement of its successor.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(INSTALLED)
	$(RUN) -m mkdocs build --strict

bench: $(INSTALLED)
	$(RUN) -m neutone_like.bench

# The examples' artifacts that the tests hold tomorrow's loader to.
exported: $(INSTALLED)
	$(RUN) examples/rebuild_exported.py

clean:
	rm -rf $(VENV) build site .pytest_cache .ruff_cache *.egg-info
	find neutone_like tests examples docs -name __pycache__ -type d -prune -exec rm -rf {} +
