# mailops.m365: `make demo` shows what it does, `make test` tests it. Each target sets up what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
REQUIREMENTS := requirements.txt emulator/requirements.txt tests/requirements.txt
# ANSIBLE_CORE=2.20 sets .venv up with that version instead of the newest that Python supports.
SETUP := $(REQUIREMENTS) $(if $(ANSIBLE_CORE),tests/requirements-core-$(ANSIBLE_CORE).txt)
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
FIND_PYTHON := scripts/find_python.sh
PYTHON_SOURCES := plugins emulator testbed tests scripts $(wildcard bench molecule roles)
# Tools of this virtual environment call each other by name (molecule calls ansible-playbook).
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup packages shellcheck clients importer demo check test test-all test-part test-unit test-emulator test-end-to-end test-static test-sanity \
        test-molecule test-hosts newest ansible-core-between lint format bench docs site-tools site build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv with everything that is needed (at once done where it is up to date)
	@python="$$($(FIND_PYTHON))" && scripts/venv.sh .venv "$$python" $(SETUP)

packages: # What the tests use beside Python: mail clients, shellcheck
	@scripts/system_packages.sh

shellcheck:
	@scripts/system_packages.sh shellcheck

clients: # Third-party clients for the emulator's tests: Microsoft's SDKs for Python, nodemailer
	@python="$$($(FIND_PYTHON))" && scripts/foreign_clients.sh "$$python"

importer: # Galaxy's importer, for the test of the artifact
	@python="$$($(FIND_PYTHON))" && scripts/venv.sh .venv-importer "$$python" tests/requirements-importer.txt

demo: setup ## Run the main job against the embedded Microsoft 365
	@$(BIN)/python scripts/demo.py

check: setup shellcheck ## Linters, rules of the repository and unit tests: 90 seconds
	@$(BIN)/python scripts/run_tests.py check

test: setup packages ## What a change has to pass: 20 minutes
	@$(BIN)/python scripts/run_tests.py test

test-all: setup packages clients importer site-tools ## Every test, on both Debians and every supported ansible-core: 70 minutes
	@$(BIN)/python scripts/run_tests.py all

test-part: setup packages ## One part of make test: PART=static, unit, emulator, e2e, molecule or hosts
	@$(BIN)/python scripts/run_tests.py test $(PART)

test-unit: setup ## The collection's unit tests
	@$(PYTEST) tests/unit

test-emulator: setup packages clients ## The emulator's own tests
	@$(PYTEST) tests/emulator

test-end-to-end: setup packages ## Playbooks and modules against the emulator
	@$(PYTEST) tests/e2e

test-static: setup packages ## Structure, documentation, the artifact, and the linters
	@$(PYTEST) tests/static

test-sanity: setup ## ansible-test sanity
	@$(BIN)/python scripts/sanity.py

test-molecule: setup packages ## The roles and playbooks, against the emulator and against test hosts
	@$(PYTEST) tests/molecule

test-hosts: setup packages ## The tests on booted Debian systems (as root)
	@$(BIN)/python scripts/run_tests.py all hosts

newest: # A second environment, on the newest Python and ansible-core, where that is not .venv's
	@python="$$($(FIND_PYTHON) newest)"; test -z "$$python" || scripts/venv.sh .venv-newest "$$python" $(REQUIREMENTS)

ansible-core-between: # A third one, on the ansible-core between .venv's and the newest one's
	@python="$$($(FIND_PYTHON) newest)"; test -z "$$python" || \
		scripts/venv.sh .venv-between "$$python" $(REQUIREMENTS) tests/requirements-core-2.20.txt

lint: setup packages ## Only the linters: ruff, mypy, yamllint, ansible-lint
	@$(PYTEST) tests/static/test_linters.py

format: setup ## Let ruff format and repair what it can
	@$(BIN)/ruff check --quiet --fix $(PYTHON_SOURCES)
	@$(BIN)/ruff format $(PYTHON_SOURCES)

bench: setup ## Measure tenants per second
	@$(BIN)/python bench/run.py

docs: setup ## Write the generated pages in docs/
	@$(BIN)/python scripts/generate_docs.py

site-tools: # Sphinx and antsibull-docs, for the site
	@python="$$($(FIND_PYTHON))" && scripts/venv.sh .venv-docs "$$python" tests/requirements-docs.txt requirements.txt

site: setup site-tools ## Build the documentation as a site in build/site/
	@.venv-docs/bin/python scripts/build_site.py

build: setup ## Build the collection's artifact into dist/
	@$(BIN)/ansible-galaxy collection build --force --output-path dist

clean: ## Remove what make made
	rm -rf .venv .venv-newest .venv-between .venv-clients .venv-importer .venv-docs .cache .demo build dist .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
