# make app: set up and start the app.  make test: set up and run everything that is checked.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: app test lint bench clean

app: $(VENV)/.app
	$(BIN)/python app.py $(ARGS)

test: lint $(VENV)/.browser
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/.dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(PIP) -r requirements-dev.txt
	touch $@ $(VENV)/.app

$(VENV)/.browser: $(VENV)/.dev tests/browser_setup.py
	$(BIN)/python tests/browser_setup.py
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
