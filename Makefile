# All that is done with degloss, one target each; `make help` lists them.
# Needs make and Python 3.11 or newer with venv; everything else is installed into .venv by pip.

PYTHON ?= python3
PUBLIC ?=
EVAL ?=
SECONDS ?= 20

VENV := .venv
BIN := $(VENV)/bin
# Stamps: .venv holds what is needed to use degloss, or also what is needed to develop it.
USE := $(VENV)/.installed-use
DEVELOP := $(VENV)/.installed-develop

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow fuzz train eval bench clean

help:
	@echo "make demo       set up .venv, label and clean examples/repost.txt"
	@echo "make test       lint, types, tests, corpus check and quality gate"
	@echo "make test-slow  the tests that take minutes"
	@echo "make fuzz       atheris on the fuzz target for SECONDS=20; has packages for Linux and some Pythons only"
	@echo "make train      train models/german from the corpus; with PUBLIC=dir also from public texts"
	@echo "make eval       cross-validation, scores and ablations into build/eval; PUBLIC=dir as in training,"
	@echo "                EVAL=dir for annotated real text"
	@echo "make bench      speed and memory into build/bench, some minutes; PUBLIC=dir for public texts"
	@echo "make clean      remove what was built and cached; .venv stays (rm -r .venv)"
	@echo
	@echo "Another Python: make demo PYTHON=python3.12"

demo: $(USE)
	@printf '\n--- examples/repost.txt, as it was scraped\n\n'
	@cat examples/repost.txt
	@printf '\n--- degloss label examples/repost.txt: who speaks, and how sure that is\n\n'
	@$(BIN)/degloss label --format text examples/repost.txt
	@printf '\n--- degloss clean examples/repost.txt: the article alone\n\n'
	@$(BIN)/degloss clean examples/repost.txt
	@printf '\n--- Your own files: %s/degloss clean FILE\n' '$(BIN)'

test: $(DEVELOP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q
	$(BIN)/degloss corpus check
	$(BIN)/degloss evaluate --gate

test-slow: $(DEVELOP)
	$(BIN)/pytest -q -m slow

fuzz: $(DEVELOP)
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	mkdir -p build/fuzz
	$(BIN)/python tests/fuzz/target.py --atheris -max_total_time=$(SECONDS) -rss_limit_mb=4096 -verbosity=0 \
	  -print_final_stats=1 -artifact_prefix=build/fuzz/

train: $(DEVELOP)
	$(BIN)/degloss train --out models/german $(if $(PUBLIC),--public "$(PUBLIC)")

eval: $(DEVELOP)
	$(BIN)/degloss evaluate --out build/eval $(if $(EVAL),--real "$(EVAL)") $(if $(PUBLIC),--public "$(PUBLIC)")

bench: $(DEVELOP)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench --out build/bench $(if $(PUBLIC),--public "$(PUBLIC)")

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src training tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up: done again when pyproject.toml changes, and only then.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "degloss needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "this Python has no venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(USE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(DEVELOP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[train,test]'
	@touch $(USE) $@
