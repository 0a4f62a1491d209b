# Everything from nothing but python3 (3.11 or newer), make and a package index. `make` alone lists the targets.

# The distribution's Python comes first: it is built with profile-guided optimisation, which one built by hand seldom is, and
# serves mail with a fifth less CPU (docs/bench.md). `make PYTHON=...` takes any other.
FIT := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell /usr/bin/python3 -c '$(FIT)' 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
# More than cores: most tests wait for real programs.
TESTERS := $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))
DIR ?= var/screenshots
SOURCES := popadmin mailstore deploy tests bench manage.py
COMPILE := $(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --no-annotate \
	--python-version 3.11 pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help run demo test check bench pictures screenshots wheel deb requirements translations clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/run.stamp ## install and run everything: web, POP3, LMTP, a private Postgres
	@exec $(PY) manage.py up

demo: $(VENV)/run.stamp ## the same, with a sample domain, mailboxes, devices and mail
	@exec $(PY) manage.py up --demo

test: $(VENV)/dev.stamp ## the whole test suite, as CI runs it
	$(PY) -m pytest -n $(TESTERS)

check: $(VENV)/dev.stamp ## format, lint, types, import contracts, migrations, templates, translations
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m mypy popadmin mailstore deploy manage.py
	$(VENV)/bin/lint-imports
	@# Without a database: models and migrations are compared as they are written.
	$(PY) -W 'ignore:Got an error checking a consistent migration history:RuntimeWarning' \
		manage.py makemigrations --check --dry-run
	$(PY) -m djlint --lint --quiet templates
	$(PY) -m pytest -q tests/test_translations.py

bench: $(VENV)/dev.stamp ## the project's own benchmarks; a table with ratios
	$(PY) -m bench
	$(PY) -m bench.devices
	$(PY) -m bench.panel

pictures: $(VENV)/dev.stamp ## take the pictures of docs/owners anew, of the demo in a browser
	$(PY) -m tests.browser.screenshots

screenshots: $(VENV)/dev.stamp ## take a screenshot of every page into DIR: three widths, both themes, both languages
	SCREENSHOTS=$(abspath $(DIR)) $(PY) -m pytest -q -n $(TESTERS) tests/browser/page_pictures.py

wheel: $(VENV)/dev.stamp ## make the Python package, in dist/
	$(PY) -m uv build --quiet --wheel --no-build-isolation --out-dir dist

deb: wheel ## make the Debian package for this machine's Python, in dist/
	$(PY) -m deploy.debian.build dist

requirements: $(VENV)/dev.stamp ## resolve pyproject.toml anew into the hashed files
	$(COMPILE) -o requirements/run.txt
	$(COMPILE) --group test --group check --group package -c requirements/run.txt -o requirements/dev.txt

translations: $(VENV)/dev.stamp ## collect new texts into locale/, and compile what is translated
	$(PY) manage.py makemessages --locale fr --no-location --no-wrap --ignore '.venv/*' --ignore 'tests/*' --ignore 'bench/*'
	$(PY) manage.py compilemessages --ignore '.venv/*'

clean: ## remove the virtual environment; data under var/ stays
	rm -rf $(VENV)

# A stamp is written last: an installation that was cut short is begun again.
$(VENV)/run.stamp: requirements/run.txt | $(VENV)/made.stamp
	@echo "Installing what popadmin needs (only this first time) ..."
	@$(PIP) -r requirements/run.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(VENV)/made.stamp
	@echo "Installing what popadmin's tests need (only this first time) ..."
	@$(PIP) -r requirements/dev.txt
	@touch $@ $(VENV)/run.stamp

$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "popadmin needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) -V 2>&1`. Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@
