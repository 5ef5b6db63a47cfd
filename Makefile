# The commands of this project. Each target sets up what it needs.

BIN     := .venv/bin
READY   := .venv/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup up demo down check static docs scan test mutations fuzz prove bench dist deploy smoke lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything, at the versions of requirements.lock

up: $(READY) ## Start the local cloud and deploy the stack into it
	$(BIN)/python -m local up --deploy

demo: $(READY) ## Walk the whole path on real data (APPROVE=me waits for your click)
	$(BIN)/python -m local demo

down: $(READY) ## Stop the local cloud with all its processes
	$(BIN)/python -m local down

static: $(READY) docs ## Format check, lint, types, import order, template lint, and the documentation site
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-cache >/dev/null || { $(BIN)/lint-imports --no-cache; exit 1; }
	AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint >/dev/null & template=$$!; \
	  $(BIN)/mypy --no-error-summary; types=$$?; wait $$template && exit $$types

docs: $(READY) ## Build the documentation site into build/docs/; a warning is an error
	@$(BIN)/sphinx-build -q -W --keep-going docs build/docs

check: static ## The quick gate: static checks and the fast tests
	$(BIN)/python -m pytest -q -m "not e2e and not browser and not property and not packaging"

# checkov has 200 MB of dependencies that nothing else needs, so uv keeps it in an environment of its own.
scan: $(READY) ## Scan the template for insecure settings; .checkov.yaml says why some checks are left out
	$(BIN)/uv tool run --quiet --from checkov==3.3.30 checkov --config-file .checkov.yaml

test: static scan ## Everything, the end-to-end tests on the local cloud included
	$(BIN)/python -m pytest -n 2

mutations: $(READY) ## Weaken template and code in one place after the other: tests must notice each; AREA=approval
	$(BIN)/python -m tests.mutations $(AREA)

fuzz: $(READY) ## Validate generated files, each from another seed; MINUTES=60
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),60)

PROOFS ?= hour
PROVEN := tests/proofs tests/e2e/test_bad_files.py tests/e2e/test_retraining.py tests/e2e/test_endpoints.py \
  tests/e2e/test_feature_service.py tests/contract/test_exactly_once.py tests/contract/test_registry_stores.py \
  tests/unit/registry/test_registry_state_machine.py tests/packaging tests/unit/experiment/test_mlflow_export.py \
  tests/unit/experiment/test_mlflow_mirror.py
prove: $(READY) ## The proofs: kills, faults, races, registry histories, library versions (an hour; PROOFS=full: many); log in proofs.log
	bash -o pipefail -c 'PROOFS=$(PROOFS) $(BIN)/python -m pytest $(PROVEN) -q --durations=5 2>&1 | tee proofs.log'

bench: $(READY) ## Run the benchmarks of cost in a short form beside their peers (a quarter of an hour)
	$(BIN)/python -m benchmarks short

dist: $(READY) ## Build the source distribution and the wheel of the library into dist/
	$(BIN)/python -m hatchling build --clean --directory dist

deploy: $(READY) ## Deploy to AWS: APPROVER=me@example.com (first time), CONFIG=dev|prod, REGION=.., PARAMETERS=.., TAGS=.., STOP_CHAMPIONS=yes, ADOPT=yes
	@$(BIN)/python -m deployment --config '$(CONFIG)' --region '$(REGION)' --approver '$(APPROVER)' --parameters '$(PARAMETERS)' --tags '$(TAGS)' --stop-champions '$(STOP_CHAMPIONS)' --adopt '$(ADOPT)'

smoke: $(READY) ## Test a new stack on AWS and remove it: STACK=mlops-smoke APPROVER=me@example.com, REGION=.., KEEP=yes
	@$(BIN)/python -m deployment.smoke --stack '$(STACK)' --region '$(REGION)' --approver '$(APPROVER)' --keep '$(KEEP)'

lock: $(READY) ## Resolve the dependencies of pyproject.toml again; UPGRADE=--upgrade takes the newest versions
	$(BIN)/uv pip compile --quiet $(UPGRADE) --universal --all-extras --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.12 pyproject.toml --output-file requirements.lock

# A Python 3.12 under any of its usual names makes the environment; if there is none, uv fetches one. uv, at the
# locked version, fills it, and the library is installed from src/ as an editable package.
$(READY): requirements.lock pyproject.toml
	@python=$$(for name in python3.12 python3 python $$HOME/.pyenv/versions/3.12*/bin/python3 /opt/*/bin/python3.12; do \
	    path=$$(command -v $$name) && $$path -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null \
	      && echo $$path && break; done); \
	  test -x $(BIN)/python || if test -n "$$python"; then $$python -m venv .venv; else $(FETCH_PYTHON); fi
	@$(BIN)/python -m pip install --quiet $(LOCKED_UV)
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

LOCKED_UV = $$(grep -oE '^uv==[0-9.]+' requirements.lock)

# Without a Python 3.12: a Python of any version installs uv into a folder of its own, and uv fetches a 3.12.
FETCH_PYTHON = any=$$(command -v python3 || command -v python); uv=$$(command -v uv); \
	  { test -n "$$uv" || { test -n "$$any" && $$any -m venv .venv/uv && \
	    .venv/uv/bin/pip install --quiet $(LOCKED_UV) && uv=.venv/uv/bin/uv; }; } && \
	  $$uv venv --quiet --seed --allow-existing --python 3.12 .venv || \
	  { echo "Python 3.12 was not found and could not be fetched: install it and run make again." >&2; exit 1; }
