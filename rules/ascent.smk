# Stage 3: gradient ascent, the paper's protocol, in batches.


rule ascend_singles:
    """Find the input that excites each single neuron most: one batch of neurons of one layer."""
    input:
        script_with_modules("ascend_singles"),
        weights=frozen,
        vocabulary=MODEL / "vocabulary.parquet",
    output:
        MODEL / "ascent/singles/{site}-{layer}-{batch}.safetensors",
    log:
        MODEL / "logs/ascend_singles-{site}-{layer}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_singles-{site}-{layer}-{batch}.tsv"
    # Deep layers take longest, so they start first.
    priority: 10
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        settings=protocol("singles"),
        init=ASCENT["init"],
        seed=config["seed"],
        read=config["read"],
        neurons=SINGLES["neurons"],
        restarts=ASCENT["singles"]["restarts"],
        batch=ASCENT["singles"]["batch"],
        dtype=ASCENT["dtype"],
    script:
        "../scripts/ascend_singles.py"


rule ascend_groups:
    """Find the input that excites each word's group most: one selection, some sizes."""
    input:
        script_with_modules("ascend_groups"),
        weights=frozen,
        vocabulary=MODEL / "vocabulary.parquet",
        ranking=MODEL / "groups/{selection}-{scope}.parquet",
    output:
        MODEL / "ascent/groups/{selection}-{scope}-{sizes}-{batch}.safetensors",
    log:
        MODEL / "logs/ascend_groups-{selection}-{scope}-{sizes}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_groups-{selection}-{scope}-{sizes}-{batch}.tsv"
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        settings=protocol("groups"),
        init=ASCENT["init"],
        seed=config["seed"],
        read=config["read"],
        restarts=ASCENT["groups"]["restarts"],
        batch=ASCENT["groups"]["batch"],
        dtype=ASCENT["dtype"],
    script:
        "../scripts/ascend_groups.py"
