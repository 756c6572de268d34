# The words: which entries count as words, and which of them are targets.


rule mark_candidates:
    """Which vocabulary entries may be an optimum's nearest word."""
    input:
        script_with_modules("mark_candidates"),
        vocabulary=MODEL / "vocabulary.parquet",
    output:
        MODEL / "candidates.parquet",
    log:
        MODEL / "logs/mark_candidates.log",
    benchmark:
        MODEL / "benchmarks/mark_candidates.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        candidates=config["words"]["candidates"],
    script:
        "../scripts/mark_candidates.py"


rule list_targets:
    """The target words with their ids, and those that are not one entry of the model's vocabulary."""
    input:
        script_with_modules("list_targets"),
        candidates=MODEL / "candidates.parquet",
        tokenizer=lambda wildcards: weights_folder(wildcards.model) / "tokenizer.json",
    output:
        targets=MODEL / "targets.parquet",
        asked=MODEL / "asked.parquet",
    log:
        MODEL / "logs/list_targets.log",
    benchmark:
        MODEL / "benchmarks/list_targets.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        # By a function: Snakemake would take braces in a word for a wildcard.
        words=lambda wildcards: [target["word"] for target in TARGETS],
        missing=config["missing"]["words"],
    script:
        "../scripts/list_targets.py"
