# Every target says what it does in `make help`.

WORLD ?= emoji
# Each world has a folder of its own: files are named after experiments.
RESULTS ?= $(if $(filter emoji,$(WORLD)),results,results/$(WORLD))
DATA ?= data
# One configuration for everything: tests run the very code that makes the tables.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
RUNNER := .build/release/runner

.DEFAULT_GOAL := help
.PHONY: help setup build reproduce-table plan compare report check-results test lint format torture selfcheck bench bench-sweep contact-sheet plot clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing
	@scripts/bootstrap.sh

build: setup ## build the runner
	@swift build $(SWIFT_FLAGS) --product runner

reproduce-table: build ## from nothing to every table (WORLD=emoji, RESULTS=results, DATA=data)
	@$(RUNNER) --spec experiments/$(WORLD) --results $(RESULTS) --data $(DATA)

plan: build ## show which steps of the tables would run, and why
	@$(RUNNER) plan --spec experiments/$(WORLD) --results $(RESULTS) --data $(DATA)

compare: build ## compare with another commit's results (BASE=COMMIT), which are made where they are not kept
	@scripts/compare_commits.sh "$(BASE)" $(WORLD) $(RESULTS) $(DATA)

report: build ## write one page with all tables, figures and pictures to results/report.html
	@$(RUNNER) report --results $(RESULTS)

check-results: reproduce-table ## compare every printed table with docs/results.md
	@$(RUNNER) tables --results $(RESULTS) --check docs/results.md

test: setup ## build and run all tests
	@swift build $(SWIFT_FLAGS) --build-tests
	@swift test $(SWIFT_FLAGS) --skip-build

SWIFT_SOURCES := Sources Tests Package.swift

lint: ## check that the sources are formatted as .swift-format says
	@swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

format: ## format the sources
	@swift format format --in-place --recursive --parallel $(SWIFT_SOURCES)

# How long, in minutes; CLIP_LENS_SEED repeats the faults of another time.
MINUTES ?= 10

torture: setup ## kill the runner, fill its disk and flip its bytes for a while (MINUTES=10)
	@swift build $(SWIFT_FLAGS) --build-tests
	@CLIP_LENS_TORTURE=$(MINUTES) swift test $(SWIFT_FLAGS) --skip-build --filter RunnerTests.TortureTests

selfcheck: build ## compare the engine with the reference implementation's vectors
	@$(RUNNER) selfcheck

bench: setup ## measure speed against the machine's own peak and PyTorch (about ten minutes)
	@swift build $(SWIFT_FLAGS) --product bench
	@# The peak is that of the kernels which OpenBLAS itself chooses for this CPU.
	@env -u OPENBLAS_CORETYPE .build/release/bench

bench-sweep: setup ## project the mean-ablation of ViT-L/14 over 5000 + 5000 images (about fifteen minutes)
	@swift build $(SWIFT_FLAGS) --product bench
	@env -u OPENBLAS_CORETYPE .build/release/bench --sweep

contact-sheet: build ## write a picture of 40 scenes with captions to results/contact-sheet.png
	@$(RUNNER) scenes sheet --output $(RESULTS)/contact-sheet.png

plot: ## plot the figures from the rows in results to results/*-by-*.png
	@scripts/plot_figures.sh $(RESULTS)

clean: ## remove what was built; results stay
	@rm -rf .build
