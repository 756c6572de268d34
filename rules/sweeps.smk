# Stage 8: experiments that climb the same neurons and groups under conditions that differ in a few settings.


rule climb_sweep:
    """One block of an experiment, on the model or on all draws of a null model."""
    input:
        script_with_modules("climb_sweep"),
        weights=sweep_weights,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
        tokenizer=lambda wildcards: weights_folder(wildcards.model) / "tokenizer.json",
        contexts=sweep_contexts,
    output:
        EXPERIMENT / "optima/{block}-{null}.parquet",
    log:
        EXPERIMENT / "logs/climb_sweep-{block}-{null}.log",
    benchmark:
        EXPERIMENT / "benchmarks/climb_sweep-{block}-{null}.tsv"
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        # How, not what: none of these changes a result beyond rounding, so none re-runs anything.
        device=ASCENT["device"],
        snapshot_seconds=ASCENT["snapshot_seconds"],
    params:
        conditions=sweep_conditions,
        asked=lambda wildcards: sweep_asked(wildcards.experiment),
        seed=config["seed"],
        draws=sweep_draws,
    script:
        "../scripts/climb_sweep.py"


rule sum_up_sweep:
    """Every condition: cosines, recovery, activation; beside the first block, and beside null models."""
    input:
        script_with_modules("sum_up_sweep"),
        optima=sweep_optima,
    output:
        **as_table(
            EXPERIMENT / "numbers",
            caption="../report/experiment-numbers.rst",
            category=OF_EXPERIMENTS,
            subcategory="{experiment}",
            labels={"result": "numbers", "as": "table", "model": "{model}"},
        ),
        answer=EXPERIMENT / "answer.md",
        answer_html=report(
            EXPERIMENT / "answer.html",
            caption="../report/experiment-answer.rst",
            category=OF_EXPERIMENTS,
            subcategory="{experiment}",
            labels={"result": "answer", "as": "text", "model": "{model}"},
        ),
    log:
        EXPERIMENT / "logs/sum_up_sweep.log",
    benchmark:
        EXPERIMENT / "benchmarks/sum_up_sweep.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        experiment=lambda wildcards: wildcards.experiment,
        levels=STATISTICS["thresholds"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        permutations=STATISTICS["permutations"],
        seed=config["seed"],
    script:
        "../scripts/sum_up_sweep.py"


rule figure_sweep:
    """An experiment's figure, by the script that is named like it."""
    input:
        lambda wildcards: script_with_modules(f"figure_{wildcards.experiment}"),
        numbers=EXPERIMENT / "numbers.csv",
        optima=sweep_optima,
        parts=sweep_parts,
    output:
        **as_figure(
            EXPERIMENT / "figure",
            caption="../report/experiment-figure.rst",
            category=OF_EXPERIMENTS,
            subcategory="{experiment}",
            labels={"result": "figure", "model": "{model}"},
        ),
    log:
        EXPERIMENT / "logs/figure_sweep.log",
    benchmark:
        EXPERIMENT / "benchmarks/figure_sweep.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        blocks=lambda wildcards: list(blocks(SWEEPS[wildcards.experiment])),
        paper=PAPER,
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/figure_{wildcards.experiment}.py"


# What single experiments have beside that.
include: "parametrisation.smk"
include: "input_length.smk"
include: "robustness.smk"
include: "selection.smk"
include: "contexts.smk"
include: "decomposition.smk"
