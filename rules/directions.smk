# Directions: sets of them are made, ascended on, described, and compared with those of null models.


rule find_direction_words:
    """Look up the words that the sets of directions name, before anything takes long."""
    input:
        script_with_modules("directions/find_direction_words"),
        candidates=MODEL / "candidates.parquet",
        tokenizer=tokenizer,
    output:
        words=MODEL / "directions/words.parquet",
    log:
        MODEL / "logs/find_direction_words.log",
    benchmark:
        MODEL / "benchmarks/find_direction_words.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        # A function: Snakemake would take braces in a word for a wildcard.
        named=lambda wildcards: {
            name: direction_sets.words_of(of)
            for name, of in direction_sets_of(wildcards.model).items()
        },
        missing=config["missing"]["words"],
    script:
        "../scripts/directions/find_direction_words.py"


rule make_directions:
    """Make the directions of one set, at all its layers, of unit length."""
    input:
        unpack(made_of),
        script_with_modules("directions/make_directions"),
        candidates=MODEL / "candidates.parquet",
    output:
        vectors=MODEL / "directions/sets/{direction_set}.parquet",
    log:
        MODEL / "logs/make_directions-{direction_set}.log",
    benchmark:
        MODEL / "benchmarks/make_directions-{direction_set}.tsv"
    priority: 100
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        of=direction_set,
        layers=lambda wildcards: layers_of_set(wildcards.model, direction_set(wildcards)),
        width=lambda wildcards: width(wildcards.model, direction_set(wildcards)["site"]),
        seek=config["seek"],
        seed=config["seed"],
    script:
        "../scripts/directions/make_directions.py"


rule ascend_directions:
    """Ascend on directions: one batch of a set."""
    input:
        script_with_modules("directions/ascend_directions"),
        **IN_CONTEXT,
        **STARTED,
        weights=frozen,
        vectors=MODEL / "directions/sets/{direction_set}.parquet",
    output:
        optima=MODEL / "ascent/directions/{direction_set}-{batch}.safetensors",
    log:
        MODEL / "logs/ascend_directions-{direction_set}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_directions-{direction_set}-{batch}.tsv"
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
        restarts=ASCENT["singles"]["restarts"],
        repeated=ASCENT["singles"]["repeated"],
        per_job=ASCENT["singles"]["per_job"],
    script:
        "../scripts/directions/ascend_directions.py"


rule describe_directions:
    """Describe each direction's optimum: nearest word, cosine, utilisation, ceiling, convergence."""
    input:
        script_with_modules("directions/describe_directions"),
        optima=direction_batches,
        vectors=of_direction_sets("directions/sets/{direction_set}.parquet"),
        activations=lambda wildcards: expand(
            MODEL / "activations/{site}.npy",
            model=wildcards.model,
            site=sites_of_directions(wildcards),
        ),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "directions.parquet",
        embeddings=MODEL / "directions_embeddings.npy",
        curves=MODEL / "directions_curves.parquet",
    log:
        MODEL / "logs/describe_directions.log",
    benchmark:
        MODEL / "benchmarks/describe_directions.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(6000),
        runtime=growing(30),
    params:
        sites=sites_of_directions,
        convergence=STATISTICS["convergence"],
        collapse=STATISTICS["collapse"],
    script:
        "../scripts/directions/describe_directions.py"


rule null_model_directions:
    """Ascend on directions of a null model: some replicates, some directions of every set and layer."""
    input:
        unpack(made_for_nulls),
        script_with_modules("directions/null_model_directions"),
        **IN_CONTEXT,
        **STARTED,
        weights=null_weights,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
    output:
        table=MODEL / "nulls/directions-{null}-{batch}.parquet",
    log:
        MODEL / "logs/null_model_directions-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/null_model_directions-{null}-{batch}.tsv"
    wildcard_constraints:
        null="|".join(NULL_MODELS),
    # These jobs take longest, so they start first.
    priority: 20
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        **HOW,
        mem_mb=holding_model(3000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
    params:
        replicates=replicates_of_batch,
        # A function: Snakemake would take braces in a word for a wildcard.
        sets=lambda wildcards: {
            name: (of, layers_of_set(wildcards.model, of))
            for name, of in direction_sets_of(wildcards.model).items()
        },
        widths=lambda wildcards: {
            site: width(wildcards.model, site) for site in sites_of_directions(wildcards)
        },
        per_replicate=NULLS["singles"]["neurons"],
        protocol=protocol("singles"),
        seed=config["seed"],
    script:
        "../scripts/directions/null_model_directions.py"
