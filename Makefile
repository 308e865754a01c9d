# make demo    set everything up and watch the bundled model classify the bundled clip
# make test    set everything up, then lint, type checks and every test
# make lint    formatting, ruff, mypy, C warnings as errors, names of the exported symbols
# make format  rewrite the Python files in the project's format
# make bench   edgecore against tflite-runtime, LiteRT, onnxruntime and OpenVINO on this machine
# make wheel   the wheel for this machine and the source archive, in dist/
# make wheels  the wheels for aarch64, armv7l and x86_64, cross-compiled, with the source archive and SHA256SUMS, in dist/
# make clean   remove what the targets above made
#
# PYTHON=... chooses the interpreter, VENV=... where the virtual environment goes; for bench and wheels OPTIONS=... are its
# options, see .venv/bin/python -m edgecore.benchmarks.peers --help and -m edgecore.devices.wheels --help.

VENV ?= .venv
BIN := $(VENV)/bin
WITH_VENV := PATH="$(abspath $(BIN)):$$PATH"
PIP := $(WITH_VENV) $(BIN)/python -m pip --disable-pip-version-check
export PYTHON

# MLPerf Tiny's int8 models are not part of the project; they are measured where they are.
MLPERF_TINY ?= $(wildcard ../shared/data/models/mlperf_tiny)

# What the compiled part is made of: a change here rebuilds it, a change in a Python file is seen at once.
SOURCES := pyproject.toml CMakeLists.txt $(shell find kernels \
	-name '*.[ch]' -o -name '*.pyx' -o -name '*.pxd' -o -name CMakeLists.txt)
PACKAGES := edgecore kernels converters devices benchmarks
READY = $(if $(wildcard $(VENV)/.developer),$(VENV)/.developer,$(VENV)/.device)

.PHONY: help demo test lint symbols format bench wheel wheels clean build/typing
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

demo: $(READY)
	@$(BIN)/edgecore run

# TensorFlow and tflite-runtime cannot share a process, so the tests of the host side have one of their own.
# The loop's tests watch real programs against the clock; one that a busy machine spoils is run again, and named.
test: lint
	$(BIN)/python -m pytest tests/converters -m host --reruns 2
	$(BIN)/python -m pytest -m "not host" --reruns 2

lint: $(VENV)/.developer build/typing
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy tests docs
	@$(MAKE) --no-print-directory symbols

# LIBRARY=... checks another build than the installed one.
symbols: LIBRARY ?= $$($(BIN)/python -c 'import edgecore.kernels, pathlib; \
	print(*[path for folder in edgecore.kernels.__path__ for path in pathlib.Path(folder).glob("libedgecore.so")])')
symbols:
	@library="$(LIBRARY)"; test -f "$$library" || { echo "libedgecore.so is not installed; run make test"; exit 1; }; \
	strangers=$$(nm -D --defined-only "$$library" | awk '$$3 !~ /^(edgecore_|tflite_plugin_)/ {print $$3}'); \
	if [ -n "$$strangers" ]; then echo "exported without the edgecore_ prefix:" $$strangers; exit 1; fi

format: $(VENV)/.developer
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.developer
	$(BIN)/python -m edgecore.benchmarks.peers $(addprefix --mlperf-tiny ,$(MLPERF_TINY)) $(OPTIONS)

wheel: $(VENV)/.developer
	$(WITH_VENV) $(BIN)/python -m build --no-isolation
	@ls -l dist

wheels: $(VENV)/.wheels
	$(BIN)/python -m edgecore.devices.wheels --out dist $(OPTIONS)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@python=$$(sh devices/prerequisites.sh) && echo "making $(VENV) with $$python" && "$$python" -m venv $(VENV)
	@$(PIP) install -q $$($(BIN)/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])') cmake ninja
	@touch $@

$(VENV)/.device: $(VENV)/.python $(SOURCES)
	@echo "building and installing edgecore"
	@$(PIP) install -q --no-build-isolation -e .
	@touch $@

$(VENV)/.developer: $(VENV)/.python $(SOURCES)
	@echo "building and installing edgecore with the developer's and the host's tools"
	@$(PIP) install -q --no-build-isolation -C cmake.define.EDGECORE_WERROR=ON -e '.[dev,host]'
	@touch $(VENV)/.device $@

$(VENV)/.wheels: $(READY)
	@echo "installing what builds wheels"
	@$(PIP) install -q $$($(BIN)/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["wheels"])')
	@touch $@

# The folders as they lie when installed, which is how mypy has to see them.
build/typing:
	@rm -rf $@ && mkdir -p $@/edgecore
	@ln -s $(CURDIR)/edgecore/* $(foreach folder,$(filter-out edgecore,$(PACKAGES)),$(CURDIR)/$(folder)) $@/edgecore/
