# One verb a line. Every target works on a fresh clone: it makes .venv and installs what it needs, once.
PYTHON ?= python3
BIN    := .venv/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
NEEDS   = pyproject.toml constraints.txt
BENCH  ?= coverage

.PHONY: help demo demo-loop test check bench claims docs pages new clean

help:  ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 11

demo: .venv/.installed-core  ## evaluate the bundled arena data; writes out/demo
	$(BIN)/adjudge evaluate arena --judge judge_score --gold oracle_label --out out/demo

demo-loop: .venv/.installed-torch  ## improve a small language model on a judge, and watch it; writes out/demo-loop
	$(BIN)/adjudge demo-loop --out out/demo-loop

test: .venv/.installed-test  ## every test and every example in a docstring
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --doctest-modules src tests

check: .venv/.installed-test .venv/.installed-check  ## format, lint, types, floors, budgets, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/test_house.py
	$(BIN)/python tools/pages.py --check

bench: .venv-peers/.installed  ## BENCH=coverage, speed, rank, leagues, sequential, judging, ope, ope_speed, reward or train
	OMP_NUM_THREADS=1 .venv-peers/bin/python -W ignore -m benchmarks.$(BENCH)

claims: .venv/.installed-test  ## re-run each paper's claim; writes docs/claims.md
	$(BIN)/python tools/claims.py

docs: .venv/.installed-test .venv/.installed-docs pages  ## the site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

pages: .venv/.installed-core  ## rewrite the generated pages of docs/
	$(BIN)/python tools/pages.py

new: .venv/.installed-core  ## NAME=value.switch: the stubs of one more method
	$(BIN)/python tools/new.py $(NAME)

clean:  ## remove what the targets above made
	rm -rf .venv .venv-peers site out build

# -- installation, each part once ------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "adjudge needs Python 3.11 or newer; \
	this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/.installed-core: $(NEEDS) | $(BIN)/python
	$(PIP) --editable .
	@touch $@

.venv/.installed-%: $(NEEDS) | .venv/.installed-core
	$(PIP) --editable '.[$*]'
	@touch $@

# The peers live in an environment of their own, because their pins are not ours; adjudge is in it too, so that both run
# in one process. A peer that does not install is left out of the table. A line may carry options of pip: obp declares an
# older Python than it runs on.
.venv-peers/.installed: benchmarks/peers.txt $(NEEDS)
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	while read -r peer; do .venv-peers/bin/python -m pip install --quiet $$peer || echo "left out: $$peer"; \
	done < benchmarks/peers.txt
	@touch $@

.SECONDARY:
