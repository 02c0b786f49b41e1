# The habits of this house. `make` alone lists them; each installs what it needs the first time.

VENV := .venv/bin
# A stamp, newer than everything that would make the installation necessary again.
PACKAGES := .venv/.complete

DATA ?= ./var
UP := $(VENV)/vitrina up --data $(DATA) $(if $(PORT),--port $(PORT)) $(if $(WORKERS),--workers $(WORKERS))

.DEFAULT_GOAL := help
.PHONY: help demo run test check format build studio bench synth check-infra clean frontend browser
.SILENT:

help: ## List these habits
	echo "make ..."
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	echo "Options: DATA=folder PORT=number WORKERS=number for demo and run, T=tests/cart for test,"
	echo "         P=profile DOMAIN=shop.example for synth."

demo: $(PACKAGES) frontend ## Open a shop full of products on this machine
	exec $(UP) --demo

run: $(PACKAGES) frontend ## Open the shop with what is in it, and nothing else
	exec $(UP)

test: $(PACKAGES) browser frontend ## Run every test, or those of one corner: T=tests/cart
	$(VENV)/pytest --numprocesses auto --dist loadfile $(T)

check: $(PACKAGES) browser frontend ## What a change must pass: format, lint, types, layers, tests
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python frontend/build.py --check
	$(VENV)/pytest --numprocesses auto --dist loadfile --ignore tests/test_house.py

format: $(PACKAGES) ## Put the code into the house's form
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

build: $(PACKAGES) frontend ## Pack the wheel, with the built front end, into dist/
	$$(scripts/bootstrap uv) build --quiet --wheel
	ls dist/*.whl

studio: $(PACKAGES) browser frontend ## Model the demo products again, and photograph them
	$(VENV)/vitrina studio build

bench: $(PACKAGES) browser frontend ## Measure, next to peers and limits; one of them: B=search
	set -e; for script in bench/$(or $(B),*).py; do echo "== $$script"; $(VENV)/python $$script; done

synth: $(PACKAGES) frontend ## Write the AWS templates into .build/cdk.out; needs no account
	$(VENV)/python -O infra/app.py --out .build/cdk.out $(if $(P),--profile $(P)) \
		$(if $(DOMAIN),--domain $(DOMAIN))
	ls .build/cdk.out/*.template.json

check-infra: $(PACKAGES) frontend ## Check the templates: properties, rule packs, cfn-lint
	$(VENV)/pytest tests/infra

clean: ## Remove what was built; not the data in ./var
	rm -rf .build .venv dist frontend/node_modules src/vitrina/platform/static \
		src/vitrina/models3d/gltfpack.wasm .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis test-results

frontend: $(PACKAGES)
	$(VENV)/python frontend/build.py

$(PACKAGES): pyproject.toml uv.lock scripts/bootstrap
	scripts/bootstrap packages
	touch $@

browser: $(PACKAGES)
	scripts/bootstrap browser
