# make demo   test the shipped checkpoint, segment a video by a sentence
# make test   the whole test suite, in WORKERS processes
# make lint   ruff
# make wheel  build the wheel and run it outside the checkout
# make docs   the documentation site, in build/docs/html; warnings are errors
# Each but the last sets up .venv first (about ten minutes the first time, most of it mmcv's
# compiled ops; pip caches the result). PYTHON names the interpreter, 3.11 to
# 3.13, and TORCH the version of torch; docs/get_started.md lists what is
# tested. After a change of either: make clean.
# FORCE_CUDA=1 and TORCH_CUDA_ARCH_LIST reach mmcv's build as they are.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || \
	command -v python3.13 || command -v python3)
TORCH ?= 2.13.0
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install -q --disable-pip-version-check -c requirements/constraints.txt
MMCV := $(shell grep -E '^onedl-mmcv' requirements/mminstall.txt)
STAMP := $(VENV)/.installed
DOCS_VENV := build/docs/venv
WORKERS ?= 2
export MAX_JOBS ?= $(shell nproc)

.PHONY: demo test lint docs wheel install clean
.DELETE_ON_ERROR:

demo: $(STAMP)
	$(BIN)/python tools/test.py configs/referformer/tiny_shapes_motion.py \
		demo/referformer_tiny_shapes_motion.pth --work-dir demo/output/test
	$(BIN)/python demo/moving_shapes_demo.py --index 31 --out-dir demo/output

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .

docs: $(DOCS_VENV)/.installed
	$(DOCS_VENV)/bin/sphinx-build -q -W -j auto -d build/docs/doctrees \
		-c docs . build/docs/html

wheel: $(STAMP)
	$(BIN)/python .ci/check_wheel.py build/wheel

# Without torch: the API reference is read, not imported.
$(DOCS_VENV)/.installed: requirements/docs.txt
	$(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/pip install -r $< >build/docs/pip.log 2>&1 || \
		{ echo 'make docs: $< cannot be installed, see build/docs/pip.log'; \
		exit 1; }
	touch $@

install: $(STAMP)

# pip's cache knows neither MMCV_WITH_OPS nor FORCE_CUDA: what it holds may be
# a build without (CUDA) ops, so the check decides, and a miss builds afresh.
$(STAMP): setup.py pyproject.toml $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
		sys.exit(not (3, 11) <= v <= (3, 13) and "Python %d.%d: expected " \
		"3.11 to 3.13, make PYTHON=/path/to/python3.11" % v)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch==$(TORCH) -r requirements/build.txt
	@echo "mmcv and its ops: about seven minutes where pip has no wheel of it"
	MMCV_WITH_OPS=1 $(PIP) --no-build-isolation $(MMCV)
	$(PIP) -r requirements/mminstall.txt -r requirements/runtime.txt \
		-r requirements/tests.txt
	$(BIN)/python .ci/check_ops.py || MMCV_WITH_OPS=1 $(PIP) \
		--no-build-isolation --no-deps --no-cache-dir --force-reinstall $(MMCV)
	$(BIN)/python .ci/check_ops.py
	$(PIP) --no-build-isolation --no-deps -e .
	touch $@

clean:
	rm -rf $(VENV) build dist mmrvos.egg-info mmrvos/.mim
