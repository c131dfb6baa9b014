# Shortcuts; nothing needs make (the README has the plain commands).
PYTHON ?= python3.11

.PHONY: demo test lint

demo:
	$(PYTHON) -m venv .venv && .venv/bin/python -m pip install -c constraints.txt . && .venv/bin/motionfield demo

test:
	$(PYTHON) -m venv .venv && .venv/bin/python -m pip install -c constraints.txt -e ".[test]" && .venv/bin/python -m pytest

lint:
	.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy
