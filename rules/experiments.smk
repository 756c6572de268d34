# Experiments: ascents on the same neurons and groups under conditions that differ in a few settings.


rule split_corpus:
    """Split the corpus: a half that searches read, and a half on which what was found is judged."""
    input:
        script_with_modules("experiments/split_corpus"),
        corpus=CORPUS or [],
    output:
        searched=SEARCHED,
        held_out=HELD_OUT,
    log:
        STUDY / "logs/split_corpus.log",
    benchmark:
        STUDY / "benchmarks/split_corpus.tsv"
    # It may find a corpus too small; so it starts before long jobs.
    priority: 100
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        "../scripts/experiments/split_corpus.py"


rule ascend_conditions:
    """Ascend under every condition of a block, on the model or on all replicates of a null."""
    input:
        script_with_modules("experiments/ascend_conditions"),
        **IN_CONTEXT,
        **STARTED,
        weights=lambda wildcards: [
            weights_of(wildcards, wildcards.null, replicate)
            for replicate in replicates_of(wildcards.experiment, wildcards.null)
        ],
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
        tokenizer=tokenizer,
        contexts=lambda wildcards: [
            config["words"]["contexts"]
            for name in [wildcards.experiment]
            if needs_contexts(EXPERIMENTS[name])
        ],
        rows=lambda wildcards: basis_files(conditions_of(wildcards.experiment, wildcards.block)),
        corpus=lambda wildcards: [
            SEARCHED
            for found in [conditions_of(wildcards.experiment, wildcards.block)]
            if reads_corpus(found)
        ],
    output:
        table=EXPERIMENT / "optima/{block}-{null}.parquet",
    log:
        EXPERIMENT / "logs/ascend_conditions-{block}-{null}.log",
    benchmark:
        EXPERIMENT / "benchmarks/ascend_conditions-{block}-{null}.tsv"
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        **HOW,
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
    params:
        conditions=lambda wildcards: conditions_of(wildcards.experiment, wildcards.block),
        requested=lambda wildcards: requested(EXPERIMENTS[wildcards.experiment]),
        seed=config["seed"],
        replicates=lambda wildcards: replicates_of(wildcards.experiment, wildcards.null),
    script:
        "../scripts/experiments/ascend_conditions.py"


rule explain_sentences:
    """Judge all that an experiment found on held-out sentences: the model, or all replicates of a null."""
    input:
        script_with_modules("experiments/explain_sentences"),
        optima=lambda wildcards: [
            path
            for path in expand(optima_of(wildcards.experiment), model=wildcards.model)
            if path.endswith(f"-{wildcards.null}.parquet")
        ],
        held_out=HELD_OUT,
        weights=lambda wildcards: [
            weights_of(wildcards, wildcards.null, replicate)
            for replicate in replicates_of(wildcards.experiment, wildcards.null)
        ],
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
        tokenizer=tokenizer,
        contexts=lambda wildcards: [
            config["words"]["contexts"]
            for name in [wildcards.experiment]
            if needs_contexts(EXPERIMENTS[name])
        ],
        rows=lambda wildcards: basis_files(conditions_of(wildcards.experiment)),
    output:
        table=EXPERIMENT / "sentences-{null}.parquet",
    log:
        EXPERIMENT / "logs/explain_sentences-{null}.log",
    benchmark:
        EXPERIMENT / "benchmarks/explain_sentences-{null}.tsv"
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        conditions=lambda wildcards: conditions_of(wildcards.experiment),
        requested=lambda wildcards: requested(EXPERIMENTS[wildcards.experiment]),
        drawn=STATISTICS["held_out_sentences"],
        seed=config["seed"],
        replicates=lambda wildcards: replicates_of(wildcards.experiment, wildcards.null),
    script:
        "../scripts/experiments/explain_sentences.py"


rule summarise_experiment:
    """Compare every condition with the first one and with null models."""
    input:
        script_with_modules("experiments/summarise_experiment"),
        optima=lambda wildcards: expand(optima_of(wildcards.experiment), model=wildcards.model),
        explained=lambda wildcards: expand(
            explained_of(wildcards.experiment), model=wildcards.model
        ),
    output:
        **as_table(EXPERIMENT / "numbers", "Experiments", model="{model}"),
        answer=EXPERIMENT / "answer.md",
        answer_html=in_report(
            EXPERIMENT / "answer.html",
            "Experiments",
            result="answer",
            **{"as": "text"},
            model="{model}",
        ),
    log:
        EXPERIMENT / "logs/summarise_experiment.log",
    benchmark:
        EXPERIMENT / "benchmarks/summarise_experiment.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        caption=caption("experiments/summarise_experiment"),
        further=lambda wildcards: EXPERIMENTS[wildcards.experiment].get("statistics", []),
        levels=STATISTICS["thresholds"],
        permutations=STATISTICS["permutations"],
        intervals=INTERVALS,
    script:
        "../scripts/experiments/summarise_experiment.py"
