# Everything a user or a developer does with this repository. `make help` lists it.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PY := .venv/bin/python
SEED ?= 0
ROUNDS ?= 50
TARGET ?= gpu
# What narrows a run of the tests: make test PYTEST="tests/labels -k polygons"
PYTEST ?=

INSTALLED := .venv/.installed
JS_INSTALLED := js/node_modules/.installed
# The tests bring their own CVAT, and never send anything to the user's.
WITHOUT_CVAT := env -u FIFTYONE_CVAT_URL -u FIFTYONE_CVAT_USERNAME -u FIFTYONE_CVAT_PASSWORD \
	-u FIFTYONE_CVAT_TOKEN -u FIFTYONE_CVAT_ORGANIZATION

.PHONY: help setup demo test test-cvat test-faults lint js js-check browser executor benchmarks clean distclean

help: ## List these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sort | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(INSTALLED) ## Install what is needed into .venv; nothing else

$(INSTALLED): pyproject.toml requirements.txt scripts/install.py scripts/system.py
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed (or: make PYTHON=...)"; exit 1; }
	@$(PYTHON) scripts/install.py

demo: setup ## Show the whole loop in the App; HEADLESS=1 SEED=n prints its result as JSON
	@$(if $(filter 1 true yes,$(HEADLESS)),$(PY) -m demo.headless --seed $(SEED),$(PY) -m demo.app)

test: lint js-check browser ## Set up, check and test everything, in a real browser too
	@$(WITHOUT_CVAT) $(PY) -m pytest $(PYTEST)

test-cvat: setup ## Run the tests of the exchange against the CVAT at FIFTYONE_CVAT_URL
	@test -n "$(FIFTYONE_CVAT_URL)" || { echo "Set FIFTYONE_CVAT_URL, FIFTYONE_CVAT_USERNAME and" \
		"FIFTYONE_CVAT_PASSWORD: these tests need a CVAT, and an administrator of it."; exit 2; }
	@$(PY) -m pytest -m cvat $(PYTEST)

test-faults: setup ## Kill, cut and cancel operations in ROUNDS=50 random rounds
	@RELABEL_FAULT_ROUNDS=$(ROUNDS) $(WITHOUT_CVAT) $(PY) -m pytest tests/compute/test_faults.py $(PYTEST)

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

js: $(JS_INSTALLED) ## Check, test and build the React half (js/dist is committed)
	@$(PY) scripts/npm.py run check
	@$(PY) scripts/npm.py run build

js-check: $(JS_INSTALLED)
	@$(PY) scripts/npm.py run check

$(JS_INSTALLED): $(INSTALLED) js/package.json js/package-lock.json
	@$(PY) scripts/npm.py ci
	@touch $@

browser: setup
	@$(PY) -m scripts.browser

executor: setup ## Run delegated operations on this machine; TARGET=gpu
	@FIFTYONE_PLUGINS_DIR="$$($(PY) -m scripts.plugins_dir)" \
		$(PY) -m relabel.compute.executor --target $(TARGET) --also-untargeted

benchmarks: setup ## Print our figures beside the peers', measured in the same run
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(PY) "$$file" || exit 1; done

clean: ## Remove the demo's data, artefacts of tests and caches
	rm -rf .demo artifacts build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

distclean: clean ## Remove what setup installed as well
	rm -rf .venv js/node_modules
