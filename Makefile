# make app: set up and start the app.  make test: set up and run everything that is checked.
PYTHON ?= python3
# Processes that share the tests' files; each can hold 3 GB.
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: app test test-backends lint bench clean

app: $(VENV)/.app
	$(BIN)/python app.py $(ARGS)

test: lint $(VENV)/.browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-backends: $(VENV)/.dev $(VENV)-jax/.app $(VENV)-torch/.app
	$(BIN)/python -m pytest tests/training/test_backends.py $(ARGS)

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

# The command line and the worker without TensorFlow, for the other two frameworks that Keras runs on.
$(VENV)-%/.app: requirements.txt
	$(PYTHON) -m venv $(VENV)-$*
	$(VENV)-$*/bin/python -m pip --disable-pip-version-check install --quiet $* \
	    $$(grep -E '^(keras|numpy|pillow|opencv|huggingface|scikit|pydantic|typer|psutil|filelock)' requirements.txt)
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-* .pytest_cache .ruff_cache
