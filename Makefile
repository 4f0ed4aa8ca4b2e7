# Needs Python 3.11 or newer and make; nothing else is taken from the machine. `make help` lists the targets.
# Another interpreter has an environment of its own: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
EMULATORS_VENV ?= .venv-emulators
LISTEN ?= 127.0.0.1:50051
# Handed on to the command of a target: make bench ARGS="--json queue", make test ARGS="-k queue"
ARGS ?=

BIN := $(VENV)/bin
PY := $(BIN)/python
PIP_INSTALL := -m pip --disable-pip-version-check install -qq
PROJECT := $(VENV)/project.stamp
EMULATORS := $(EMULATORS_VENV)/requirements.stamp
export EMULATORS_VENV

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo stories test check check-breaking generate verify-generated conformance differential bench mutation coverage serve lock build clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(PROJECT) $(EMULATORS) ## create the environments from the hash-locked requirements

demo: $(PROJECT) ## ingest real files in-process, over gRPC and from Node, and compare
	$(PY) examples/ingest/run.py $(ARGS)

stories: $(PROJECT) ## play the stories of examples/stories, each a small application from beginning to end
	$(PY) -m examples.stories $(ARGS)

test: setup ## run the tests and the contract suite; emulators start and stop by themselves
	$(BIN)/pytest -n logical --maxprocesses 4 $(ARGS)
	$(PY) -m tests.conformance --everyday

check: $(PROJECT) ## lint, format, types (mypy and pyright), import layers, IDL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(PY)
	$(BIN)/lint-imports
	$(BIN)/buf lint

check-breaking: $(PROJECT) ## compare the IDL with the last released one
	$(BIN)/buf breaking --against idl/released.binpb

generate: $(PROJECT) ## write everything under generated/ anew from idl/
	$(PY) -m lcplatform_codegen

verify-generated: $(PROJECT) ## fail if anything under generated/ is missing, stale or changed
	$(PY) -m lcplatform_codegen --check

conformance: setup ## run the contract suite on every provider, surface and colour, and print the table
	$(PY) -m tests.conformance $(ARGS)

differential: setup ## compare the mock with what others have made, on thousands of cases, and print the table
	$(PY) -m tests.differential $(ARGS)

bench: setup ## compare with peers and print the table
	$(PY) -m benchmarks $(ARGS)

mutation: setup ## plant faults and require that the contract suite finds each
	$(PY) -m tests.mutation $(ARGS)

# The tests and the contract suite keep apart what they ran, for what is generated is the contract suite's to exercise: but
# for what protoc writes, and for the stubs, which are for applications' tests.
coverage: setup ## run all tests under coverage and report on what is written by hand and what is generated
	rm -f .coverage*
	COVERAGE_FILE=.coverage-tests $(BIN)/coverage run -m pytest -n logical --maxprocesses 4 $(ARGS)
	COVERAGE_FILE=.coverage-contract $(BIN)/coverage run -m tests.conformance --everyday
	COVERAGE_FILE=.coverage-tests $(BIN)/coverage combine --quiet
	COVERAGE_FILE=.coverage-contract $(BIN)/coverage combine --quiet
	$(BIN)/coverage combine --quiet --keep .coverage-tests .coverage-contract
	$(BIN)/coverage report --omit 'generated/*'
	COVERAGE_FILE=.coverage-contract $(BIN)/coverage report --include 'generated/*' --omit '*_pb2.py,*/stub.py,*/mocks.py,*/unimplemented.py' --fail-under 95

serve: $(PROJECT) ## serve the mock provider over gRPC
	$(BIN)/lcplatform serve --provider mock --listen $(LISTEN) $(ARGS)

lock: $(PROJECT) ## resolve the requirements anew (UPGRADE=--upgrade moves what is not pinned)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras $(UPGRADE) --extra all --group dev pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras $(UPGRADE) requirements/emulators.in --output-file requirements/emulators.txt

build: $(PROJECT) ## build wheel and source distribution into dist/
	$(BIN)/hatchling build

clean: ## remove environments, caches and build output
	rm -rf $(VENV) $(EMULATORS_VENV) dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an installation that was interrupted is taken up again.
$(VENV)/requirements.stamp: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PY) $(PIP_INSTALL) --require-hashes -r $<
	@touch $@

# The build backend comes from the lock as well: no build environment, nothing unlocked.
$(PROJECT): pyproject.toml $(VENV)/requirements.stamp
	$(PY) $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(EMULATORS): requirements/emulators.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(EMULATORS_VENV)
	$(EMULATORS_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r $<
	@touch $@
