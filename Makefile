# Every target sets itself up in .venv and is quick when nothing changed.
#   make demo [INPUT=file.wav]   export, validate and render real audio into build/demo
#   make test | lint | docs | bench
#   make format | tidy           everything laid out as lint wants it; clang-tidy on the C++ parts that hosts see
#   make exported                artifacts of the examples, into exported/
#   make native                  the C++ engine again; every other target does so by itself when its sources changed
#   make sanitize [CALLBACKS=n]  the engine's C++ tests under ThreadSanitizer and AddressSanitizer
#   make targets                 models as libraries for every platform, run where this machine can; 411 MB of compiler
#   make ardour                  plugins in Ardour 7, where Debian's ardour is; it may hang or crash by itself, and is asked again
#   make formats                 LiteRT, ExecuTorch and OpenVINO files written and played, in build/formats; 2.7 GB of converters
#   make live [SECONDS=300]      a model on JACK's dummy driver beside a busy Python thread, and a callback that does nothing
#   make web-player              the WebAssembly of web pages, which is in the repository, from changed sources; the same compiler
#   make packages                published networks through capture and export, in build/packages
#   make PYTHON=python3.12 TORCH=2.9.1 test    another interpreter, another torch
#   make PYTHON=python3.10 lowest              every dependency at its lower bound, in build/lowest
PYTHON ?= python3
TORCH ?= 2.13.0
VENV ?= .venv
JOBS ?= auto
OUT ?= build/demo
INPUT ?=
PYTEST_FLAGS ?=
CALLBACKS ?= 100000
SECONDS ?= 300

RUN := $(VENV)/bin/python
CONSTRAINTS := $(VENV)/constraints.txt
BUILDERS := $(VENV)/builders
PACKAGES := $(VENV)/packages-torch-$(TORCH)
INSTALLED := $(VENV)/installed-torch-$(TORCH)
NATIVE_SOURCES := $(shell find native -type f)
NATIVE_CODE := $(filter %.c %.cpp %.h %.hpp,$(NATIVE_SOURCES))
SANITIZERS := thread address,undefined

# With a compiler, sources that don't compile are an error; without one the engine is left out, as pip leaves it out.
ifneq ($(shell command -v $${CXX:-c++}),)
export NEUTONE_LIKE_REQUIRE_NATIVE := 1
endif

.DELETE_ON_ERROR:
.PHONY: demo test lint format tidy docs bench exported native targets ardour live web-player formats packages sanitize lowest setup builders clean

setup: $(INSTALLED)
builders: $(BUILDERS)

# All that C++ without Python is built with, and so all that `make sanitize` waits for.
$(BUILDERS): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install "cmake>=3.20" ninja
	touch $@

# torch goes in first and is pinned for the rest: a dependency that is free to choose may bring another, larger build.
# The native parts are built here and not in an isolated environment, because the libtorch backend needs this torch.
$(PACKAGES): pyproject.toml | $(BUILDERS)
	rm -f $(VENV)/packages-torch-* $(VENV)/installed-torch-*
	echo "torch==$(TORCH)" > $(CONSTRAINTS)
	$(RUN) -m pip install --constraint $(CONSTRAINTS) torch
	$(RUN) -m pip install --constraint $(CONSTRAINTS) "scikit-build-core>=1.1" "nanobind>=2.4"
	$(RUN) -m pip install --constraint $(CONSTRAINTS) --no-build-isolation --editable ".[all,docs,dev]"
	touch $@ $(INSTALLED)

# Installing the packages has just built it all, so that only newer sources are a reason to do so again.
$(INSTALLED): $(PACKAGES) $(NATIVE_SOURCES)
	{ [ -e $@ ] && [ -z "$$(find native -type f -newer $@)" ]; } || \
		$(RUN) -m pip install --no-build-isolation --no-deps --editable .
	touch $@

native: $(PACKAGES)
	rm -f $(INSTALLED)
	$(MAKE) $(INSTALLED)

demo: $(INSTALLED)
	$(RUN) examples/demo.py $(if $(INPUT),--input "$(INPUT)") --out "$(OUT)"

test: $(INSTALLED)
	$(RUN) -m pytest -m "" -n $(JOBS) --dist worksteal $(PYTEST_FLAGS)

lint: $(INSTALLED)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(VENV)/bin/clang-format --dry-run --Werror $(NATIVE_CODE)
	$(RUN) -m pyright --pythonpath $(RUN)

format: $(INSTALLED)
	$(RUN) -m ruff format .
	$(VENV)/bin/clang-format -i $(NATIVE_CODE)

tidy: $(INSTALLED)
	$(RUN) -m pip install --constraint $(CONSTRAINTS) "clang-tidy>=23.1,<24"
	$(VENV)/bin/cmake -S native -B build/tidy -G Ninja -DCMAKE_MAKE_PROGRAM="$(abspath $(VENV))/bin/ninja" \
		-DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DNEUTONE_LIKE_PYTHON=OFF -DPython_EXECUTABLE="$(abspath $(RUN))"
	$(VENV)/bin/clang-tidy --quiet -p build/tidy $(wildcard native/src/signal/*.cpp native/src/model/*.cpp \
		native/src/compiled/*.cpp native/src/host/*.cpp)

# Without the theme's advertisement of its successor.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(INSTALLED)
	$(RUN) -m mkdocs build --strict

bench: $(INSTALLED)
	$(RUN) -m neutone_like.bench

# The examples' artifacts that the tests hold tomorrow's loader to.
exported: $(INSTALLED)
	$(RUN) examples/rebuild_exported.py

# What runs them is the system's: Debian's nodejs, qemu-user, libc6-arm64-cross and wine64. What is missing is said.
targets: $(INSTALLED)
	$(RUN) -m pip install --constraint $(CONSTRAINTS) "ziglang>=0.17,<0.18"
	$(RUN) -m pytest -m "" -s $(PYTEST_FLAGS) tests/targets tests/plugin/test_plugin_targets.py

ardour: export NEUTONE_LIKE_ARDOUR := 1
ardour: export NEUTONE_LIKE_REQUIRE_PROGRAMS := 1
ardour: $(INSTALLED)
	$(RUN) -m pytest -m "" $(PYTEST_FLAGS) tests/plugin/test_ardour.py

# Each converter wants its own versions of what the others need too. What is installed here is seen there. What converters and
# packages bring are plugins of pytest, too, which may be older than this pytest: none is loaded.
packages formats: export PYTEST_DISABLE_PLUGIN_AUTOLOAD = 1
formats: $(INSTALLED)
	set -e; for extra in litert-torch executorch openvino; do \
		$(RUN) -m venv --clear "build/formats/$$extra"; \
		$(RUN) -c "import site; print('import site; site.addsitedir(' + repr(site.getsitepackages()[0]) + ')')" \
			> "$$(build/formats/$$extra/bin/python -c 'import site; print(site.getsitepackages()[0])')/here.pth"; \
		"build/formats/$$extra/bin/python" -m pip install --constraint $(CONSTRAINTS) "$$extra"; \
		"build/formats/$$extra/bin/python" -m pytest -m "" $(PYTEST_FLAGS) tests/formats/test_formats.py -k other_engines; \
	done

# Debian's jackd2 and libportaudio2. Ends with an error where the model loses sound that nothing doesn't.
live: $(INSTALLED)
	PYTHONPATH=tests $(RUN) tests/support/live_soak.py --seconds $(SECONDS)

web-player: $(INSTALLED)
	$(RUN) -m pip install --constraint $(CONSTRAINTS) "ziglang>=0.17,<0.18"
	$(RUN) -c "from pathlib import Path; from neutone_like.targets.web_player import build_web_players; build_web_players(Path('neutone_like/plugin/web'))"

# What is installed here is seen there; published packages with their older dependencies stay out of it.
packages: $(INSTALLED)
	$(RUN) -m venv --clear build/packages
	$(RUN) -c "import site; print('import site; site.addsitedir(' + repr(site.getsitepackages()[0]) + ')')" > build/packages/here.pth
	mv build/packages/here.pth "$$(build/packages/bin/python -c 'import site; print(site.getsitepackages()[0])')"
	build/packages/bin/python -m pip install --constraint $(CONSTRAINTS) -r tests/packages/requirements.txt
	build/packages/bin/python -m pytest -m "" $(PYTEST_FLAGS) tests/packages

# In C++ alone: Python and libtorch are not built for sanitizers. Each has a build folder of its own.
sanitize: $(BUILDERS)
	set -e; for sanitizer in $(SANITIZERS); do \
		build="build/sanitize-$${sanitizer%%,*}"; \
		$(VENV)/bin/cmake -S native -B "$$build" -G Ninja -DCMAKE_MAKE_PROGRAM="$(abspath $(VENV))/bin/ninja" \
			-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=-O1 -DNEUTONE_LIKE_SANITIZE="$$sanitizer" -DNEUTONE_LIKE_TESTS=ON \
			-DNEUTONE_LIKE_PYTHON=OFF -DNEUTONE_LIKE_REALTIME_SAFETY=OFF -DPython_EXECUTABLE="$(abspath $(RUN))"; \
		$(VENV)/bin/cmake --build "$$build"; \
		"$$build/tests/soak" $(CALLBACKS); \
		echo "Now a stream that slips, which must be found:"; \
		code=0; "$$build/tests/soak" 20000 16 2 1 slip || code=$$?; test $$code = 1; \
		"$$build/tests/stress"; \
		if [ "$${sanitizer%%,*}" = address ]; then \
			UBSAN_OPTIONS=halt_on_error=1 "$$build/tests/corruptions" 20000 1; \
			UBSAN_OPTIONS=halt_on_error=1 "$$build/tests/corruptions" 2000 2 $(wildcard exported/*/model.nlc); \
			echo "Now plans that nobody has proved, which must be found:"; \
			"$$build/tests/corruptions" 1000 1 unproved 2>&1 | grep "ERROR: AddressSanitizer"; \
		fi; \
		$(VENV)/bin/ctest --test-dir "$$build" --output-on-failure --parallel 2; \
	done

# As README says: torch first, then the package, whose backend is compiled on first use.
lowest:
	$(PYTHON) -m venv --clear build/lowest
	$(PYTHON) tests/lowest/bounds.py > build/lowest/constraints.txt
	build/lowest/bin/python -m pip install --constraint build/lowest/constraints.txt torch
	build/lowest/bin/python -m pip install --constraint build/lowest/constraints.txt ".[all]"
	build/lowest/bin/python -m pip check
	cd build/lowest && bin/python -W error -W ignore::DeprecationWarning ../../tests/lowest/smoke.py

clean:
	rm -rf $(VENV) build site .pytest_cache .ruff_cache *.egg-info
	rm -rf neutone_like/runtime/native neutone_like/runtime/_native*.so
	find neutone_like tests examples docs -name __pycache__ -type d -prune -exec rm -rf {} +
