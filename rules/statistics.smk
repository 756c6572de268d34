# Stage 4: how optima lie among the words, and how much of their activation words reach.


rule describe_singles:
    """Per single neuron: its optimum's nearest word and cosine, utilisation, ceiling, convergence."""
    input:
        script_with_modules("describe_singles"),
        optima=single_batches,
        activations=expand(
            MODEL / "activations/{site}.npy", site=SINGLES["sites"], allow_missing=True
        ),
        summaries=expand(
            MODEL / "neurons-{site}.parquet", site=SINGLES["sites"], allow_missing=True
        ),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "singles.parquet",
        embeddings=MODEL / "singles_embeddings.npy",
        curves=MODEL / "singles_curves.parquet",
    log:
        MODEL / "logs/describe_singles.log",
    benchmark:
        MODEL / "benchmarks/describe_singles.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(6000),
        runtime=growing(30),
    params:
        sites=SINGLES["sites"],
        convergence=STATISTICS["convergence"],
        collapse=STATISTICS["collapse"],
    script:
        "../scripts/describe_singles.py"


rule describe_groups:
    """Per group: the optimum's nearest word, its target's rank, cosine and margin, its activation."""
    input:
        script_with_modules("describe_groups"),
        optima=group_batches,
        rankings=rankings,
        activations=expand(
            MODEL / "activations/{site}.npy", site=GROUPS["sites"], allow_missing=True
        ),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "groups.parquet",
        embeddings=MODEL / "groups_embeddings.npy",
        curves=MODEL / "groups_curves.parquet",
    log:
        MODEL / "logs/describe_groups.log",
    benchmark:
        MODEL / "benchmarks/describe_groups.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        sites=GROUPS["sites"],
        convergence=STATISTICS["convergence"],
        collapse=STATISTICS["collapse"],
        shown=STATISTICS["nearest_words"],
    script:
        "../scripts/describe_groups.py"
