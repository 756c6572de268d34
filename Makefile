# The two commands: `make demo` runs the study on a real BERT, `make test` checks everything.
# And a third: `make bench` measures the ascent.
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
STUDY := results/default
WEIGHTS = results/_models/minilm-l6-*/frozen.safetensors

.PHONY: demo ask verify questions test test-long bench scale memory rounding gpu lint lock clean

demo: .venv/runs  ## install, run the default study, build the report, show the claims
	$(BIN)/snakemake --cores $(CORES) --quiet rules host reason
	@test $(STUDY)/report.html -nt $(STUDY)/provenance.json || $(BIN)/snakemake --quiet --report $(STUDY)/report.html
	@$(BIN)/python scripts/show_claims.py $(STUDY)

questions: .venv/runs  ## the experiments on the questions that the paper left open, about an hour
	$(BIN)/snakemake --cores $(CORES) --quiet rules host reason --configfile config/questions.yaml

# What is asked is data: the shell sees it as a variable only.
export NEURON WORD
ask: .venv/runs  ## make ask WORD=music, make ask NEURON=output/3/120; of another study: STUDY=results/paper MODEL=...
	@$(BIN)/python scripts/ask.py --study '$(STUDY)' $(if $(MODEL),--model '$(MODEL)') \
	  $(if $(NEURON),--neuron "$$NEURON") $(if $(WORD),--word "$$WORD")

verify: .venv/runs  ## whether a study is as its manifest lists it: STUDY=results/paper OPTIONS='--configfile config/paper.yaml'
	@$(BIN)/python scripts/verify.py '$(STUDY)' $(OPTIONS)

test: .venv/tests lint  ## install, lint, unit tests, the workflow on tiny models
	$(BIN)/python -m pytest

test-long: .venv/tests  ## six families, all experiments, kills, faults, a real SLURM, conda, an image, a cache: about three quarters of an hour
	$(BIN)/python -m pytest -m campaign -n 3 --no-loadscope-reorder

bench: .venv/runs  ## the ascent against its peers, about a quarter of an hour; tables and figure in results/benchmarks
	$(BIN)/snakemake --cores $(CORES) --quiet all --until freeze_model
	PYTHONPATH=scripts $(BIN)/python benchmarks/speed.py $(WEIGHTS) $(if $(wildcard .lucent/bin/python),--lucent .lucent/bin/python)
	PYTHONPATH=scripts $(BIN)/python benchmarks/quality.py $(WEIGHTS)
	PYTHONPATH=scripts $(BIN)/python benchmarks/show.py

scale: .venv/runs  ## what studies of any size take, from a step's time on this machine: docs/scale.md
	PYTHONPATH=scripts $(BIN)/python benchmarks/scale.py

memory: .venv/runs  ## what every stage of the paper's study takes of memory, on random weights: docs/memory.md
	$(BIN)/snakemake --cores $(CORES) --quiet all --until fetch_model
	PYTHONPATH=scripts $(BIN)/python benchmarks/memory.py results/_models/minilm-l6-*/tokenizer.json

rounding: .venv/runs  ## how far other processors and batches move the default study's numbers: docs/rounding.md
	PYTHONPATH=scripts $(BIN)/python benchmarks/rounding.py

gpu: .venv/runs  ## the ascent on this machine's GPU: docs/gpu.md
	PYTHONPATH=scripts $(BIN)/python benchmarks/gpu.py

.lucent: .venv/runs  ## torch-lucent in an environment of its own, so that `make bench` measures it too
	$(PYTHON) -m venv .lucent
	.lucent/bin/python -m pip install --quiet torch-lucent==0.1.8 $(shell grep -E '^(torch|transformers|safetensors|numpy)==' requirements.txt)

lint: .venv/tests
	$(BIN)/ruff check scripts benchmarks tests notebooks
	$(BIN)/ruff format --check scripts benchmarks tests notebooks
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

# Not compiled ahead: most of it is never imported, and that halves the time. What is imported is kept
# compiled: without that every job compiles a thousand modules anew.
unexport PYTHONDONTWRITEBYTECODE
.venv/runs: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/tests: .venv/runs requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lock:  ## renew the pins (then carry them into envs/)
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/python -m pip install --quiet -r requirements.in
	.lock/bin/python -m pip freeze | $(PINS) > requirements.txt
	.lock/bin/python -m pip install --quiet -r requirements-dev.in
	.lock/bin/python -m pip freeze | $(PINS) | grep -vxFf requirements.txt > requirements-dev.txt
	rm -rf .lock

# No build's own label, no parts of CUDA (pip brings those that a machine's torch wants).
PINS = sed 's/+cpu//' | grep -vE '^(nvidia|cuda|triton)'

clean:  ## forget the environment, keep the results
	rm -rf .venv
