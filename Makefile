# Everything is done by the package `tools`; this file only names it.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

python = python=$$(sh tools/find-python.sh) && exec "$$python" -m tools
# Some shells export their machine's name as HOST, so only `make run HOST=...` counts.
host = $(if $(filter command line,$(origin HOST)),$(HOST))

.PHONY: help setup run test lint types unit browser peers faults soak bench format clean

help: ## List the targets
	@echo "Collab. Variables: PORT=, HOST= (run), PYTHON= (which Python to set up with), ARGS= (more words for pytest)."
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: ## Set up what is missing and start Collab on this machine
	@$(python) run $(if $(host),--host '$(host)') $(if $(PORT),--port '$(PORT)')

setup: ## Set up alone: .venv, packages, bundle, static files, database
	@$(python) setup

test: ## Set up and run every check and test; stops at the first that fails
	@$(python) test

lint: ## Formatting, ruff's rules, and which package may import which
	@$(python) lint

types: ## Types of Python (mypy --strict) and TypeScript
	@$(python) types

unit: ## Unit and integration tests of the server and the page's code
	@$(python) unit -- $(ARGS)

browser: ## Tests that use Collab in Chromium
	@$(python) browser -- $(ARGS)

peers: ## Tests with stock Yjs clients on Node
	@$(python) peers -- $(ARGS)

faults: ## Tests that kill, stop and starve the server
	@$(python) faults -- $(ARGS)

soak: ## The long versions of the fault tests, about half an hour
	@$(python) soak -- $(ARGS)

bench: ## Measure Collab beside other servers, about half an hour (docs/performance.md)
	@$(python) setup
	.venv/bin/python -m bench run all --json bench/results/report.json

format: ## Rewrite the Python code in the project's format
	@$(python) format

clean: ## Remove everything that set-up made; data/ stays
	@$(python) clean
