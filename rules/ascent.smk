# Gradient ascent on neurons and groups, in jobs of many objectives; comparison of optima with words.


rule ascend_singles:
    """Ascend on single neurons: one batch of neurons of one layer."""
    input:
        script_with_modules("ascent/ascend_singles"),
        **IN_CONTEXT,
        **STARTED,
        weights=frozen,
    output:
        optima=MODEL / "ascent/singles/{site}-{layer}-{batch}.safetensors",
    log:
        MODEL / "logs/ascend_singles-{site}-{layer}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_singles-{site}-{layer}-{batch}.tsv"
    # These jobs take long, so they start before shorter ones.
    priority: 10
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        **HOW,
        mem_mb=holding_model(3000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
    params:
        protocol=protocol("singles"),
        width=lambda wildcards: width(wildcards.model, wildcards.site),
        layers=lambda wildcards: [int(wildcards.layer)],
        neurons=SINGLES["neurons"],
        restarts=ASCENT["singles"]["restarts"],
        repeated=ASCENT["singles"]["repeated"],
        per_job=ASCENT["singles"]["per_job"],
    script:
        "../scripts/ascent/ascend_singles.py"


rule ascend_groups:
    """Ascend on the groups of words: one selection and scope, some sizes."""
    input:
        script_with_modules("ascent/ascend_groups"),
        **IN_CONTEXT,
        **STARTED,
        weights=frozen,
        targets=MODEL / "targets.parquet",
        ranking=MODEL / "groups/{selection}-{scope}.parquet",
    output:
        optima=MODEL / "ascent/groups/{selection}-{scope}-{sizes}-{batch}.safetensors",
    log:
        MODEL / "logs/ascend_groups-{selection}-{scope}-{sizes}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_groups-{selection}-{scope}-{sizes}-{batch}.tsv"
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        **HOW,
        mem_mb=holding_model(3000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
    params:
        protocol=protocol("groups"),
        words="all",
        restarts=ASCENT["groups"]["restarts"],
        repeated=ASCENT["groups"]["repeated"],
        per_job=ASCENT["groups"]["per_job"],
    script:
        "../scripts/ascent/ascend_groups.py"


rule describe_singles:
    """Describe each neuron's optimum: nearest word, cosine, utilisation, ceiling, convergence."""
    input:
        script_with_modules("ascent/describe_singles"),
        optima=single_batches,
        activations=of_sites("activations/{site}.npy", SINGLES),
        summaries=of_sites("neurons-{site}.parquet", SINGLES),
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
        "../scripts/ascent/describe_singles.py"


rule describe_groups:
    """Describe each group's optimum: nearest word, the target's rank, cosine and margin."""
    input:
        script_with_modules("ascent/describe_groups"),
        optima=group_batches,
        rankings=rankings,
        activations=of_sites("activations/{site}.npy", GROUPS),
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
        "../scripts/ascent/describe_groups.py"
