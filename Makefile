# Needs only Python >= 3.11, git and make. Each target sets up what it lacks.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

.PHONY: help install run test test-thunderbird test-redmine test-office test-ortools bench lint format messages screenshots lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: .venv/.installed ## Make .venv with the pinned dependencies and the gemba command

.venv/.installed: requirements.lock pyproject.toml scripts/make-venv
	@PYTHON=$(PYTHON) scripts/make-venv .venv requirements.lock
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: install ## Migrate, load the demo company on an empty database, start web and worker
	@PORT=$(PORT) $(BIN)/gemba run

test: .venv/.installed-dev ## Set up what the tests need and run them all
	@scripts/make-test-machine
	@$(BIN)/python -m compileall -q gemba migrations tests wsgi.py # hundreds of processes start, also where none may keep its bytecode
	@$(BIN)/python -m pytest $(ARGS)

test-thunderbird: .venv/.installed-dev ## Gemba's mails in a real Thunderbird (apt installs it on Debian)
	@scripts/make-test-machine thunderbird
	@GEMBA_TEST_THUNDERBIRD=1 $(BIN)/python -m pytest tests/thunderbird -n 0 $(ARGS)

test-redmine: .venv/.installed-dev ## Exports into a real Redmine (apt installs it on Debian)
	@scripts/test-redmine $(ARGS)

test-office: .venv/.installed-dev ## Files of the backlog in a real LibreOffice Calc (apt installs it on Debian)
	@scripts/make-test-machine office
	@GEMBA_TEST_OFFICE=1 $(BIN)/python -m pytest tests/office -n 0 $(ARGS)

test-ortools: .venv/.installed-dev ## The pairing engine against OR-Tools (60 MB to fetch, into .venv)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "ortools==9.15.*"
	@$(BIN)/python -m pytest tests/rounds/pairing/test_ortools.py $(ARGS)

bench: .venv/.installed-dev ## Run the benchmarks, each as a ratio to a floor of the same run
	@$(BIN)/python -m tests.bench $(ARGS)

lint: .venv/.installed-dev ## Formatter, linter, strict types, import rules, template lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/djlint templates --lint --quiet

format: .venv/.installed-dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

messages: .venv/.installed-dev ## Collect the words to translate and compile the translations
	@scripts/messages

screenshots: .venv/.installed-dev ## Draw the pictures of the README anew
	@$(BIN)/python -m scripts.screenshots

lock: ## Renew the lock files (needs uv)
	@scripts/lock

clean: ## Remove what the targets made, but not the data in instance/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
