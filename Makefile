# `make demo` runs the study on a real BERT, `make test` checks everything, `make help` lists all commands.
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
# A line for each stage; with VERBOSE=1 snakemake's own lines.
SNAKEMAKE = PYTHONPATH=src $(BIN)/snakemake $(if $(VERBOSE),--quiet rules host reason,--logger stages)
RUN = $(if $(VERBOSE),,@)$(SNAKEMAKE) --cores $(CORES)
# Commands use the library of this folder, whatever else is installed.
COMMAND = PYTHONPATH=src $(BIN)/python scripts/commands
BENCHMARK = PYTHONPATH=src:. $(BIN)/python benchmarks
STUDY := results/default
# Finished studies that the rule of recovery is compared with; the first chooses its one number.
RULE = results/default results/mpnet results/real-models
WEIGHTS = results/_models/minilm-l6-*/frozen.safetensors

.PHONY: demo ask model gguf verify questions architectures figures test test-long bench decoder equivalence rule layers scale memory stages rounding floor gpu lint lock clean help

demo: .venv/runs  ## install, run the default study, build the report, show the claims
	$(RUN)
	@test $(STUDY)/report.html -nt $(STUDY)/provenance.json || $(SNAKEMAKE) --report $(STUDY)/report.html
	@$(COMMAND)/show_claims.py $(STUDY)

questions: .venv/runs  ## run all experiments, an hour or more
	$(RUN) --configfile config/questions.yaml

architectures: gguf  ## compare three real models from PyPI, one of them a decoder: an hour; docs/architectures.md
	$(RUN) --configfile config/real-models.yaml

figures: .venv/runs  ## draw the published figures again from docs/data, without running a study: a few minutes
	@$(COMMAND)/redraw_figures.py

# Passed as variables, so that the shell does not interpret them; by value, so that make does not either.
override WORD := $(value WORD)
override DIRECTION := $(value DIRECTION)
export NEURON WORD DIRECTION
ask: .venv/runs  ## look up a word or neuron: make ask WORD=music, make ask NEURON=output/3/120, its minimum: -output/3/120, make ask DIRECTION=royal/3 (another study: STUDY=results/paper MODEL=...)
	@$(COMMAND)/ask.py --study '$(STUDY)' $(if $(MODEL),--model '$(MODEL)') \
	  $(if $(NEURON),--neuron="$$NEURON") $(if $(WORD),--word="$$WORD") \
	  $(if $(DIRECTION),--direction="$$DIRECTION")

override FOLDER := $(value FOLDER)
export FOLDER
model: .venv/runs  ## print the catalogue's entry of a model's folder or GGUF file: make model FOLDER=/data/my-bert
	@$(COMMAND)/model_entry.py "$$FOLDER"

gguf: .venv/runs requirements-gguf.txt  ## install the packages that read GGUF files
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-gguf.txt

verify: .venv/runs  ## compare a study's files with its manifest: STUDY=results/paper OPTIONS='--configfile config/paper.yaml'
	@$(COMMAND)/verify.py '$(STUDY)' $(OPTIONS)

test: .venv/tests lint  ## install, lint, run the unit tests and the workflow on tiny models
	$(BIN)/python -m pytest

test-long: .venv/tests  ## run the longer tests (families, experiments, kills, faults, SLURM, conda, image, cache), about twenty minutes
	$(BIN)/python -m pytest -m campaign -n 3 --no-loadscope-reorder

bench: .venv/runs  ## compare the ascent with its peers, about 15 minutes; tables and figure in results/benchmarks
	$(RUN) --until convert_model
	$(BENCHMARK)/speed.py $(WEIGHTS) $(if $(wildcard .lucent/bin/python),--lucent .lucent/bin/python)
	$(BENCHMARK)/answer.py $(WEIGHTS)
	$(BENCHMARK)/quality.py $(WEIGHTS)
	$(BENCHMARK)/show.py

equivalence: .venv/runs  ## compare the default solver with the paper's 5,000 steps, about an hour: docs/equivalence.md
	$(RUN) --configfile config/minilm-equivalent.yaml
	$(BENCHMARK)/equivalence.py --cores $(CORES)

rule: .venv/runs  ## predict recovery before any ascent, and compare with the finished studies: docs/recovery.md
	$(BENCHMARK)/recovery_rule.py $(wildcard $(RULE))

layers: .venv/runs  ## test the prediction of `make rule` in single layers and after other ascents, 20 minutes: docs/recovery-layers.md
	$(RUN) --until convert_model
	$(BENCHMARK)/recovery_layers.py results/_models/minilm-l6-*

decoder: gguf  ## ask why groups of a decoder's neurons do not lead to their word, half an hour: docs/architectures.md
	$(BENCHMARK)/decoder.py

scale: .venv/runs  ## estimate the time of studies of any size from a step's time on this machine: docs/scale.md
	$(BENCHMARK)/scale.py

memory: .venv/runs  ## measure the memory of every stage of the paper's study, on random weights: docs/memory.md
	$(RUN) --until fetch_model
	$(BENCHMARK)/memory.py results/_models/minilm-l6-*/tokenizer.json

stages: .venv/runs  ## list the time that each stage of a finished study took: make stages STUDY=results/mpnet PAGE=docs/mpnet/stages.md
	$(BENCHMARK)/stages.py '$(STUDY)' --out '$(or $(PAGE),$(STUDY)/stages.md)'

rounding: .venv/runs  ## measure how processors and batches change the default study's numbers: docs/rounding.md
	$(BENCHMARK)/rounding.py

floor: .venv/runs  ## compare the ascent's speed with its matrix products' (MODELS='folder folder'), ten minutes: docs/floor.md
	$(BENCHMARK)/floor.py $(MODELS)

gpu: .venv/runs  ## measure the ascent on this machine's GPU: docs/gpu.md
	$(BENCHMARK)/gpu.py

.lucent: .venv/runs  ## install torch-lucent in its own environment, so that `make bench` measures it too
	$(PYTHON) -m venv .lucent
	.lucent/bin/python -m pip install --quiet torch-lucent==0.1.8 $(shell grep -E '^(torch|transformers|safetensors|numpy)==' requirements.txt)

lint: .venv/tests  ## check the style of code and workflow
	$(BIN)/ruff check src scripts benchmarks tests notebooks
	$(BIN)/ruff format --check src scripts benchmarks tests notebooks
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

# Packages are not compiled at installation, which halves its time: most modules are never imported.
# Imported modules are cached compiled, or every job would compile a thousand of them.
unexport PYTHONDONTWRITEBYTECODE
.venv/runs: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/tests: .venv/runs requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lock:  ## renew the pins (then copy them into envs/)
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/python -m pip install --quiet -r requirements.in
	.lock/bin/python -m pip freeze --all | $(PINS) > requirements.txt
	.lock/bin/python -m pip install --quiet -r requirements-dev.in
	.lock/bin/python -m pip freeze --all | $(PINS) | grep -vxFf requirements.txt > requirements-dev.txt
	rm -rf .lock

# Without build labels, pip, and CUDA packages (pip installs those that a machine's torch needs).
PINS = sed 's/+cpu//' | grep -vE '^(pip==|nvidia|cuda|triton)'

clean:  ## delete the environment, keep the results
	rm -rf .venv

help:  ## list these commands
	@awk -F ':.*  ## ' '/^[.a-z-]+:.*  ## / {printf "%-14s %s\n", $$1, $$2}' Makefile
