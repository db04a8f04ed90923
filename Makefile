# Two commands on a fresh machine: `make demo` and `make test`. Both need Python 3.11+, a package index and, for the
# servers, either mysqld, Docker or apt-get (see docs/commands/lab.md).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test unit coverage check site man pictures cause strategy finding scenario command soak follow lie bench pin dist audit help clean

demo: $(READY)  ## real servers, broken replication, the terminal UI; without a terminal the resolution and its proof
	$(BIN)/replfix lab demo

test: check  ## everything that CI runs
	$(BIN)/pytest -n 3 --dist loadgroup

UNIT := tests/unit tests/architecture tests/property -m "not servers" -n 2 --hypothesis-profile=quick
unit: $(READY)  ## the tests that need no server, with fewer examples of each property: under a minute
	$(BIN)/pytest $(UNIT)

coverage: $(READY)  ## which lines the unit tests run; fails below the floor in pyproject.toml
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(UNIT)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(READY) site  ## style, types, architecture, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

site: $(READY)  ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file .mkdocs.yml

pictures: $(READY)  ## the pictures of the documentation, taken anew from the terminal UI on real servers
	REPLFIX_UPDATE_PICTURE=1 $(BIN)/pytest -q tests/terminal/test_picture.py

man: $(READY)  ## man pages of the commands and the documentation, in build/man
	$(BIN)/replfix help --man build/man

cause strategy finding scenario command: $(READY)  ## a new one with its page and test: make cause NAME=my-cause
	$(BIN)/python .ci/new.py $@ '$(NAME)'

MINUTES ?= 10
SERVERS ?= mysql,mariadb-10.11,mariadb-11.8

WORLDS ?= varied,wild,circles,ring,chain,fan-in,richer
soak: $(READY)  ## the convergence proof, seed after seed: make soak MINUTES=30 SERVERS=mysql WORLDS=ring
	$(BIN)/python -m tests.convergence --minutes $(MINUTES) --servers $(SERVERS) --worlds $(WORLDS)

follow: $(READY)  ## does what every remedy says, on real servers, and judges it: make follow SERVERS=mysql
	$(BIN)/python -m tests.following --servers $(SERVERS)

lie: $(READY)  ## what real servers said, bent at one place after the other: make lie MINUTES=30 SERVERS=mysql
	$(BIN)/python -m tests.lying --minutes $(MINUTES) --servers $(SERVERS)

bench: $(READY)  ## benchmarks beside their peers, an hour; BENCH_WRITE=1 writes docs/performance.md: make bench PARTS=scan
	$(BIN)/python -m benchmarks $(PARTS)

pin: $(READY)  ## pin by hash what a published replfix runs with, behind a change of constraints.txt
	.ci/pin

dist: man  ## what is published: a wheel with its bill of materials, built with pinned tools
	PYTHON=$(PYTHON) .ci/dist

audit:  ## known faults of what a published replfix runs with; needs the network
	PYTHON=$(PYTHON) .ci/audit

help:  ## this list
	@grep -hE '^[a-z ]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z ]+):.*  ## /\1\t/' | expand -t 46

clean:  ## remove what make made; labs are ended with `replfix lab down`
	rm -rf $(VENV) build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "replfix needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Python's venv module is needed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)
