# Two commands on a fresh machine: `make demo` and `make test`. Both make the virtual environment themselves.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Processes that share the tests, a file each at a time.
TEST_JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow test-external test-unheld mutants false-alarms bench costs speed check format filters wheel clean

help:  ## Say what the targets are.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Everything in one pip command with the constraints: torch then stays the pinned build for the processor.
$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on the PATH; try: make PYTHON=python3 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(INSTALLED)  ## Make the virtual environment in .venv.

demo: $(INSTALLED)  ## Two frames in, a trained agent out: about five minutes, no API key.
	$(BIN)/car demo

test: $(INSTALLED)  ## Run the tests.
	$(BIN)/python -m pytest -q -n $(TEST_JOBS) --dist loadfile

test-slow: $(INSTALLED)  ## Run the tests that take minutes.
	$(BIN)/python -m pytest -q -m slow

test-unheld: $(INSTALLED)  ## Show that hostile programs do harm where nothing holds them; best on a machine to throw away.
	$(BIN)/python -m pytest -q -m unheld

test-external: $(INSTALLED)  ## Run the tests that need a network or an API key.
	$(BIN)/python -m pytest -q -m external

mutants: $(INSTALLED)  ## Change every shipped checker in one place, and count what the verifier lets through.
	$(BIN)/python -m tools.mutants --jobs 2 --write-docs

false-alarms: $(INSTALLED)  ## Judge right checkers for every built-in task on 20 sets of trajectories each; resumes.
	$(BIN)/python -m tools.false_alarms --seeds 20 --jobs 2

bench: $(INSTALLED)  ## Train with different rewards on seven tasks, five seeds each, and compare; hours; resumes.
	$(BIN)/car bench --jobs 2 --out runs/bench

costs: $(INSTALLED)  ## Measure what the sandbox costs; on a quiet machine.
	$(BIN)/python -m pytest -q -m bench tests/benchmarks

speed: $(INSTALLED)  ## Measure what a dense reward costs in training; on a quiet machine.
	$(BIN)/python -m tests.benchmarks.training_speed

check: $(INSTALLED)  ## Lint, format check, types and import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

filters: $(INSTALLED)  ## Export the system-call filters again (needs libseccomp).
	$(BIN)/python -m tools.seccomp_filter

wheel: $(INSTALLED)  ## Build the wheel into dist/.
	$(BIN)/python -m build --wheel

clean:  ## Remove what the targets made, the virtual environment included.
	rm -rf $(VENV) dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
