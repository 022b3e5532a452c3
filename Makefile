# make demo    environment, install, one real training, where its pictures are
# make test    the same environment; all tests, lint, types
# make lint    lint, format and types alone
# make faults  kills, torn writes, full disks and signals at each file call of a run of each kind,
#              and 3,000 configs with one mistake each: three quarters of an hour
# make bench   nncli beside plain scripts, growth, large data, the report: about an hour
# make soak    many short runs into one folder: does anything collide, leak or stay behind
# make gallery every figure of every odd case of the tests, to look at: outputs/gallery/
# make clean   remove the environment and caches; outputs stay

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint format faults bench soak gallery clean

# reinstalled only when what is installed has changed; the code itself is installed editable
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nncli needs Python 3.11 or newer; try make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/nncli train cnn

test: lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

faults: $(STAMP)
	NNCLI_MUTANTS=3000 $(BIN)/python -m pytest tests/config/test_mutants.py --quiet
	$(BIN)/python -m tests.faults

bench: $(STAMP)
	@echo "about an hour on two cores that do nothing else; one part: python benchmarks/compare.py --help"
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/streaming.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/safety.py

soak: $(STAMP)
	@echo "about half an hour on two cores; less of it: python benchmarks/soak.py --help"
	$(BIN)/python benchmarks/soak.py

gallery: $(STAMP)
	$(BIN)/python -m tests.plots.gallery

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
