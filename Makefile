# Two commands for a newcomer: `make demo` and `make test`. All others are for anyone who works on the project.

PYTHON ?= python3
PIP_FLAGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SNAKEMAKE := $(BIN)/snakemake

export PATH := $(if $(filter /%,$(VENV)),,$(CURDIR)/)$(BIN):$(PATH)
export HF_HUB_DISABLE_TELEMETRY := 1

# Lines on the terminal about a folder of results, until the shell that started it, `$$$$`, has ended.
WATCH_EVERY := 60
WATCH = PYTHONPATH=workflow/lib $(BIN)/python -m rlvr.core.watch --every $(WATCH_EVERY) --beside $$$$

POCKET := $(if $(REAL_DATA_DIR),pocket-real,pocket)
POCKET_CONFIG := scale=$(POCKET) 'sources={origin: scale, mirror_dir: "$(abspath $(REAL_DATA_DIR))"}'
POCKET_SMOKE := smollm2-135m-instruct_sums_lora-r8_bs32_s42_pocket

.PHONY: demo study pocket pocket-smoke test test-long nightly test-gpu cluster-env bench realdata fuzz site check lint clean

demo: $(READY)  ## Set up, run the default workflow to the PDF, say where the results lie.
	@$(WATCH) results/tiny & $(SNAKEMAKE)
	@echo
	@echo "PDF          results/tiny/paper/structure-over-scale/paper.pdf"
	@echo "tables       results/tiny/paper/structure-over-scale/tables/   (.tex .csv .md)"
	@echo "figures      results/tiny/paper/structure-over-scale/figures/  (.pdf .png)"
	@echo "HTML report  results/tiny/paper/report.html"

pocket: WATCH_EVERY := 30
pocket: $(READY)  ## A real language model, trained on two cores: an hour, 8 GB. With REAL_DATA_DIR it also answers released problems.
	@$(WATCH) results/$(POCKET) & \
	  $(SNAKEMAKE) all samples --cores 2 --resources mem_mb=7800 --config $(POCKET_CONFIG)
	@echo
	@echo "PDF          results/$(POCKET)/paper/pocket/paper.pdf"
	@echo "samples      results/$(POCKET)/paper/pocket/samples/   (.html .md)"
	@echo "HTML report  results/$(POCKET)/paper/report.html"

pocket-smoke: $(READY)  ## Two steps of one of its runs, sampled, scored and measured: a few minutes.
	@$(SNAKEMAKE) --config scale=pocket-smoke --resources mem_mb=7800 -- \
	  results/pocket-smoke/evaluate/$(POCKET_SMOKE)/main-pocket/scores.parquet results/pocket-smoke/spectra/$(POCKET_SMOKE).parquet

study: $(READY)  ## One study at scale tiny, to its PDF: make study STUDY=<name of a folder in workflow/studies/>
	@test -d "workflow/studies/$(STUDY)" -a -n "$(STUDY)" || { echo "Set STUDY to one of: $(notdir $(wildcard workflow/studies/*))"; exit 1; }
	@$(WATCH) results/tiny & $(SNAKEMAKE) --config 'studies=[$(STUDY)]'
	@echo
	@echo "PDF          results/tiny/paper/$(STUDY)/paper.pdf"

test: $(READY)  ## The tests that need no GPU and no hub, less than ten minutes.
	@$(BIN)/python -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder

test-long: $(READY)  ## What takes half a minute each and is left out of `make test`.
	@$(BIN)/python -m pytest tests -m long -n 2 --dist loadfile --no-loadscope-reorder

nightly: $(READY)  ## Hours, and what test-long has: random kills of eight methods, whole workflows repeated and compared, Slurm's restarts, every mutated key.
	@status=0; $(BIN)/python -m pytest tests -m "nightly or long" -v || status=1; \
	MUTATIONS=100000 $(BIN)/python -m pytest tests/workflow/test_mutated_configurations.py -v || status=1; exit $$status

test-gpu:  ## On a machine with a GPU, in its own environment: make test-gpu PYTHON=<its python>
	@$(PYTHON) -m pytest tests/gpu -v -rs

realdata: $(READY)  ## The same rules on real rows: REAL_DATA_DIR=<folder> make realdata
	@test -n "$(REAL_DATA_DIR)" || { echo "Set REAL_DATA_DIR to the folder of real rows."; exit 1; }
	@$(SNAKEMAKE) real_rows --config scale=realdata 'studies=[]' 'sources={origin: mirror, mirror_dir: "$(abspath $(REAL_DATA_DIR))"}'
	@PYTHONPATH=workflow/lib $(BIN)/python -m rlvr.grading.enigmata.parity "$(REAL_DATA_DIR)/enigmata/verdicts.jsonl"
	@$(BIN)/python -m pytest tests/realdata -q

cluster-env: .venv/.cluster .venv-gpu/.cluster  ## On a cluster, once: both environments from their locks, hashes checked.
	@echo "Environments: .venv (submits, analyses), .venv-gpu (vLLM). Next: snakemake --profile slurm preflight"

.venv/.cluster: envs/train.lock
.venv-gpu/.cluster: envs/train-gpu.lock
.venv/.cluster .venv-gpu/.cluster:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.x")'
	@echo "Installing $< into $(@D) ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --require-hashes --no-deps $(PIP_FLAGS) -r $<
	@$(@D)/bin/pip check
	@touch $@

bench: $(READY)  ## One measurement against its peer: make bench BENCH=<name of a file in benchmarks/>
	@test -f "benchmarks/$(BENCH).py" || { echo "Set BENCH to one of: $(filter-out harness stand_ins answers programs plain_trl,$(basename $(notdir $(wildcard benchmarks/*.py))))"; exit 1; }
	@PYTHONPATH=workflow/lib:tests:tests/slurm OMP_NUM_THREADS=1 $(BIN)/python benchmarks/$(BENCH).py

fuzz: $(READY)  ## 100,000 mutated completions, and wrong answers made from every gold: REAL_DATA_DIR=<folder> make fuzz
	@test -n "$(REAL_DATA_DIR)" || { echo "Set REAL_DATA_DIR to the folder of real rows."; exit 1; }
	@FUZZ_CASES=100000 $(BIN)/python -m pytest tests/realdata/test_grading_fuzz.py -q -s

site: .venv-site/.ready  ## docs/ as a site with reference and inventory, links checked: results/site/index.html
	@NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true .venv-site/bin/mkdocs build --quiet -f docs/site/mkdocs.yml
	@echo "Site: results/site/index.html"

.venv-site/.ready: envs/docs.lock
	@echo "Installing $< into .venv-site ..."
	@$(PYTHON) -m venv .venv-site
	@.venv-site/bin/pip install --quiet --require-hashes --no-deps $(PIP_FLAGS) -r $<
	@touch $@

check: lint  ## Linters, types, workflow lint, unit and workflow tests.
	@$(BIN)/python -m pytest tests/unit tests/workflow -n 2 --dist loadfile

lint: $(READY)  ## ruff, snakefmt, mypy and snakemake --lint.
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/mypy
	@$(SNAKEMAKE) --lint

clean:  ## Delete everything generated, the environment excepted.
	rm -rf results .snakemake .cache

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.x")'
	@case "$(if $(filter /%,$(VENV)),$(VENV),$(CURDIR))" in *[[:space:]]*) \
	  echo "$(CURDIR): a blank in the way to the environment's Python, which Snakemake starts scripts with."; \
	  echo "Move the project, or keep the environment elsewhere: make $(MAKECMDGOALS) VENV=/a/folder/without/blanks"; exit 1;; esac
	@echo "Installing the locked packages into $(VENV) (a few minutes), PyTorch first ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check $(PIP_FLAGS) "$$(grep '^torch==' requirements.lock)"
	@$(BIN)/python -m pip install --disable-pip-version-check $(PIP_FLAGS) -r requirements.lock
	@touch $@
