# Stage 2: which neurons are a word's.


rule rank_neurons:
    """For every target word, the neurons in order of what they say of it: a group is the first k."""
    input:
        script_with_modules("rank_neurons"),
        activations=expand(
            MODEL / "activations/{site}.npy", site=GROUPS["sites"], allow_missing=True
        ),
        summaries=lambda wildcards: (
            []  # absolute selection looks at no other word
            if wildcards.selection == "absolute"
            else expand(
                MODEL / "neurons-{site}.parquet", site=GROUPS["sites"], model=wildcards.model
            )
        ),
        targets=MODEL / "targets.parquet",
    output:
        MODEL / "groups/{selection}-{scope}.parquet",
    log:
        MODEL / "logs/rank_neurons-{selection}-{scope}.log",
    benchmark:
        MODEL / "benchmarks/rank_neurons-{selection}-{scope}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(15),
    params:
        sites=GROUPS["sites"],
    script:
        "../scripts/rank_neurons.py"
