# make run    set up all that is needed and serve http://127.0.0.1:8000 with demo data (PORT=… to change)
# make test   set up all that is needed and run every test
# make lock   write requirements.lock anew after a change of requirements.in
# make docs   write the pages that are generated from the code

SHELL := /bin/bash
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))

.PHONY: run test setup lock docs

run:
	@cd "$(ROOT)" && portal/setup/setup.sh run && exec portal/setup/run.sh

test:
	@cd "$(ROOT)" && portal/setup/setup.sh test && exec portal/setup/test.sh

setup:
	@cd "$(ROOT)" && portal/setup/setup.sh test

lock:
	@cd "$(ROOT)" && portal/setup/lock.sh

docs:
	@cd "$(ROOT)" && mkdir -p docs && .venv/bin/python -m portal.settings > docs/settings.md
