# The environment is .venv in this folder, made by plain venv and pip. Every target makes
# what it needs; on Windows or in Colab the README has the same commands for python -m.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: compare test lint docs notebooks report clean

compare: $(READY)  ## Search the Breast Cancer lab with Hyperband and Bayesian optimisation, compare
	$(BIN)/python -m kerashpo.compare $(ARGS)

test: $(READY)  ## All tests
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY)  ## Style, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## Run the examples of README, docs and docstrings
	$(BIN)/python .ci/examples.py

notebooks: $(READY)  ## Execute the notebooks from top to bottom, in place
	$(BIN)/python notebooks/execute.py $(ARGS)

report: $(READY)  ## The lab measured over five seeds, into report/lab
	$(BIN)/python -m kerashpo.compare --seeds 0 1 2 3 4 --tuners hyperband bayesian random --out report/lab $(ARGS)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(READY)

clean:
	rm -rf .venv report/compare .mypy_cache .ruff_cache .hypothesis
