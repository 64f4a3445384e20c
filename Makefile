# make demo   set up, then the whole flow on the FLChain cohort
# make test   set up, then lint, types and the default tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: help setup dev lint types demo test test-all bench-tables bench-scale bench-evaluate bench-judged bench-private \
  bench-selection bench-signals bench-wide bench-clipping bench-images bench-images-gpu bench-translations bench-vitals peers private-peers signal-peers image-peers judges oracles clean
.DEFAULT_GOAL := help

help:
	@echo "make setup | demo | test | test-all | bench-tables | bench-scale | bench-evaluate | bench-judged"
	@echo "     bench-private | bench-selection | bench-signals | bench-images | bench-images-gpu | bench-translations | bench-vitals | peers | private-peers | signal-peers | image-peers | judges | oracles | clean"
	@echo "(see README.md, CONTRIBUTING.md and bench/README.md)"

# A stamp holds off the second set-up until a requirement changes.
$(VENV)/.setup: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[deep,demo]"
	@touch $@

$(VENV)/.dev: $(VENV)/.setup
	$(PIP) -e ".[deep,demo,dev]"
	@touch $@

setup: $(VENV)/.setup

dev: $(VENV)/.dev

demo: setup
	$(BIN)/semblance demo

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy

test: lint types
	$(PYTEST)

test-all: lint types
	$(PYTEST) -m "slow or not slow"

BOARDS ?= flchain adult diabetes130
TABLES ?= $(BOARDS) small
SEEDS ?= 3
CONTENDERS ?= real ours peers

# Table generators beside their peers. A contender's row replaces its older one in the result file; all others stay.
bench-tables: setup peers
	for board in $(TABLES); do $(BIN)/python -m bench.tables --board $$board --seeds $(SEEDS) --contenders $(CONTENDERS) || exit; done

# What a fit and a sample cost as the records grow to a million.
bench-scale: setup
	$(BIN)/python -m bench.scale

JUDGED ?= flchain adult diabetes130 simulated-100k
TIER ?= standard

# The judge beside its peers on the same files, and what it says of other tools' records.
bench-evaluate: setup judges
	for board in $(JUDGED); do $(BIN)/python -m bench.evaluate --board $$board --tier $(TIER) || exit; done

bench-judged: setup peers
	$(BIN)/python -m bench.judged --boards $(BOARDS) --tier $(TIER)

PRIVATE ?= adult-10k adult diabetes130

# Private generators beside their peers, at five epsilons.
bench-private: dev private-peers
	for board in $(PRIVATE); do $(BIN)/python -m bench.private --board $$board --seeds $(SEEDS) --contenders $(CONTENDERS) || exit; done

# Private pairs that are chosen beside all of them, and two kinds of noise.
bench-selection: dev
	$(BIN)/python -m bench.selection
	$(BIN)/python -m bench.selection --noise

# What a private table of a hundred columns and a million patients costs.
bench-wide: setup
	$(BIN)/python -m bench.wide

# The sum of clipped gradients beside Opacus and torch.func.
bench-clipping: setup .bench/tabular_argn/.setup
	$(BIN)/python -m bench.clipping

# Generators of signals beside their peers.
bench-signals: setup signal-peers
	$(BIN)/python -m bench.signals --board mitbih --seeds $(SEEDS) --contenders $(CONTENDERS)

IMAGES ?= pneumoniamnist mednist

# Generators of images beside their peers.
bench-images: setup image-peers
	for board in $(IMAGES); do $(BIN)/python -m bench.images --board $$board --seeds $(SEEDS) --contenders $(CONTENDERS) || exit; done

# The same with CUDA, by the clock; it needs a PyTorch that is built for it, here and in the peers' environment.
bench-images-gpu: setup image-peers
	$(BIN)/python -m bench.images --board gpu --seeds $(SEEDS) --contenders real diffusion peers

TRANSLATIONS ?= flair nuclei

# Images from other contrasts, paired and not, and from masks.
bench-translations: setup
	$(BIN)/python -m bench.translations --board phantoms --contenders cyclegan cut
	for board in $(TRANSLATIONS); do $(BIN)/python -m bench.translations --board $$board --contenders real floor diffusion med_ddpm pix2pix paired_flow || exit; done

# Generators of vitals.
bench-vitals: setup
	$(BIN)/python -m bench.vitals --board physionet2012 --seeds $(SEEDS)

# Answers of the peers for the tests: tests/oracles.
oracles: setup judges .bench/tabular_argn/.setup
	$(BIN)/python -m bench.oracles

# Peers pin other versions, so each has its own environment. They are not needed for anything but the bench.
peers: .bench/tabular_argn/.setup .bench/sdv/.setup .bench/synthcity/.setup .bench/imblearn/.setup
private-peers: .bench/opendp_mbi/.setup .bench/dpmm/.setup .bench/smartnoise/.setup .bench/tabular_argn/.setup
signal-peers: .bench/synthcity/.setup
image-peers: .bench/images/.setup
judges: .bench/sdmetrics_report/.setup .bench/mostlyai_qa/.setup .bench/synthcity_metrics/.setup .bench/anonymeter_attacks/.setup

.bench/%/.setup: bench/peers/%.txt
	$(PYTHON) -m venv .bench/$*
	.bench/$*/bin/python -m pip install -qq --disable-pip-version-check -r $<
	if [ -f bench/peers/$*.bare.txt ]; then .bench/$*/bin/python -m pip install -qq --disable-pip-version-check --no-deps -r bench/peers/$*.bare.txt; fi
	.bench/$*/bin/python -m pip uninstall -qq -y torchvision  # built for CUDA, it breaks the import of mostlyai-engine
	@touch $@

clean:
	rm -rf $(VENV) .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis
