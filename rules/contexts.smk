# Experiment `contexts`: phrases, words in sentences, syntactic patterns.


rule list_contexts:
    """What the optima of contexts are nearest to, and how far two senses of a word, or two forms, differ."""
    input:
        script_with_modules("list_contexts"),
        optima=optima_of("contexts"),
    output:
        **part("contexts", "nearest"),
        **prefixed("senses", part("contexts", "senses")),
    log:
        experiment("contexts") / "logs/list_contexts.log",
    benchmark:
        experiment("contexts") / "benchmarks/list_contexts.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/list_contexts.py"
