# Experiment `selection`: which neurons are a word's, and whose else.


rule compare_selections:
    """How far the ways to choose a word's neurons choose the same ones, and share them with related words."""
    input:
        script_with_modules("compare_selections"),
        contexts=config["words"]["contexts"],
        weights=lambda wildcards: all_weights(wildcards, "selection"),
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
        tokenizer=lambda wildcards: weights_folder(wildcards.model) / "tokenizer.json",
    output:
        **part("selection", "overlap"),
        **prefixed("sharing", part("selection", "sharing")),
    log:
        experiment("selection") / "logs/compare_selections.log",
    benchmark:
        experiment("selection") / "benchmarks/compare_selections.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        conditions=lambda wildcards: all_conditions("selection"),
        asked=lambda wildcards: sweep_asked("selection"),
        known=lambda wildcards: {target["word"]: target for target in TARGETS},
        sources=lambda wildcards: all_sources("selection"),
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/compare_selections.py"
