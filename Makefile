# The environment is .venv in this folder, made by plain venv and pip. Every target makes
# what it needs; on Windows or in Colab the README has the same commands for python -m.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Neighbours stay in one process, so that what a module sets up is made once.
PYTEST = $(BIN)/python -m pytest -n auto --dist worksteal
export TF_CPP_MIN_LOG_LEVEL ?= 3
# Compiled files are kept: else each of a run's processes compiles the package and its tests.
unexport PYTHONDONTWRITEBYTECODE

ON_JAX := tests/backends tests/tuners/test_final_round.py \
	$(addprefix tests/training/,loops/test_padding.py loops/test_sharing.py test_ensemble.py test_exactness.py test_forks.py test_live_values.py)

.PHONY: compare test test-slow test-all test-jax test-jax-all test-extras test-cluster lint docs browser package site notebooks report clean

compare: $(READY)  ## Search the Breast Cancer lab with Hyperband and Bayesian optimisation, compare
	$(BIN)/python -m kerashpo.compare $(ARGS)

test: $(READY)  ## Every behaviour once, on all cores
	$(PYTEST) -m "not slow and not cluster" $(ARGS)

test-slow: $(READY)  ## The further variants that `make test` leaves out
	$(PYTEST) -m "slow and not cluster" $(ARGS)

test-all: test test-slow  ## Every test

test-jax: .venv/.jax  ## What holds on every backend, on JAX
	KERAS_BACKEND=jax $(PYTEST) -m "not long_on_jax" $(ON_JAX) $(ARGS)

test-jax-all: .venv/.jax  ## The same, with the long cases of the exactness table
	KERAS_BACKEND=jax $(PYTEST) $(ON_JAX) $(ARGS)

test-extras: .venv/.extras  ## What needs wandb, codecarbon, hyperopt, ConfigSpace or polars
	$(BIN)/python -m pytest -m extras tests/callbacks tests/space tests/training/test_energy.py tests/training/test_polars.py $(ARGS)

test-cluster: .venv/.ray  ## What holds on a Ray cluster of several nodes on this machine
	$(BIN)/python -m pytest -m cluster tests/cluster $(ARGS)

lint: $(READY)  ## Style, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## Run the examples of README, docs and docstrings
	$(BIN)/python .ci/examples.py

browser: $(READY)  ## Open reports in a headless Chromium: no console message, no request
	$(BIN)/python .ci/browser.py $(ARGS)

package: .venv/.release  ## The sdist and the wheel, checked, installed and used without the repository
	.ci/wheel

site: .venv/.docs  ## The documentation site into build/site, warnings as errors
	$(BIN)/python docs/site/build.py $(ARGS)

notebooks: $(READY)  ## Execute the notebooks from top to bottom, in place
	$(BIN)/python notebooks/execute.py $(ARGS)

report: $(READY)  ## The lab over eight seeds into report/lab; the report in English and Spanish
	$(BIN)/python -m kerashpo.compare --plan experiments/lab.toml --report report/report $(ARGS)
	$(BIN)/python -m kerashpo.compare --plan experiments/lab.toml --report report/informe --lang es --quiet

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(READY)

.venv/.jax: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,jax]"
	touch .venv/.jax

.venv/.extras: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,wandb,energy,hyperopt,configspace]" polars
	touch .venv/.extras

.venv/.docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,docs]"
	touch .venv/.docs

.venv/.release: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,release]"
	touch .venv/.release

.venv/.ray: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,ray]"
	touch .venv/.ray

clean:
	rm -rf .venv report/compare .mypy_cache .ruff_cache .hypothesis
