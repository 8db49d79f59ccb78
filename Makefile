# The commands of the README. Each makes .venv from the lock file first, when it is missing or the lock has changed.
PYTHON ?= python3
BIN = .venv/bin

demo: .venv/ready
	$(BIN)/livereview demo

test: .venv/ready
	$(BIN)/pytest -n 2 --dist worksteal

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

docs: .venv/ready # into build/docs; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.PHONY: demo docs test
