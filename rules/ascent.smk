# Stage 3: gradient ascent, in jobs of some hundred objectives.


rule ascend_singles:
    """Find the input that excites each single neuron most: one batch of neurons of one layer."""
    input:
        script_with_modules("ascend_singles"),
        weights=frozen,
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
        mem_mb=holding_model(3000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        # How, not what: none of these changes a result beyond rounding, so none re-runs anything.
        device=ASCENT["device"],
        snapshot_seconds=ASCENT["snapshot_seconds"],
    params:
        protocol=protocol("singles"),
        width=lambda wildcards: width(wildcards.model, wildcards.site),
        neurons=SINGLES["neurons"],
        restarts=ASCENT["singles"]["restarts"],
        repeated=ASCENT["singles"]["repeated"],
        batch=ASCENT["singles"]["batch"],
    script:
        "../scripts/ascend_singles.py"


rule ascend_groups:
    """Find the input that excites each word's group most: one selection, some sizes."""
    input:
        script_with_modules("ascend_groups"),
        weights=frozen,
        targets=MODEL / "targets.parquet",
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
        mem_mb=holding_model(3000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        # How, not what: none of these changes a result beyond rounding, so none re-runs anything.
        device=ASCENT["device"],
        snapshot_seconds=ASCENT["snapshot_seconds"],
    params:
        protocol=protocol("groups"),
        restarts=ASCENT["groups"]["restarts"],
        repeated=ASCENT["groups"]["repeated"],
        batch=ASCENT["groups"]["batch"],
    script:
        "../scripts/ascend_groups.py"
