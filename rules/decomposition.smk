# Experiment `decomposition`: of which words an optimum is made, and how it runs through the layers.


rule decompose_optima:
    """Every optimum as a sparse non-negative mixture of words, and its path through the layers."""
    input:
        script_with_modules("decompose_optima"),
        optima=optima_of("decomposition"),
        weights=lambda wildcards: all_weights(wildcards, "decomposition"),
        candidates=MODEL / "candidates.parquet",
    output:
        **part("decomposition", "explained"),
        **prefixed("paths", part("decomposition", "paths")),
        mixtures=experiment("decomposition") / "mixtures.parquet",
    log:
        experiment("decomposition") / "logs/decompose_optima.log",
    benchmark:
        experiment("decomposition") / "benchmarks/decompose_optima.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        sources=lambda wildcards: all_sources("decomposition"),
        read=config["read"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/decompose_optima.py"
