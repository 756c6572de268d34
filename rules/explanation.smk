# Explanation: do words closer to an optimum activate its neuron more, and which direction says it best?


rule compare_directions:
    """Score optima and other directions on words that did not choose them."""
    input:
        script_with_modules("explanation/compare_directions"),
        unpack(objectives_of),
        **IN_CONTEXT,
        activations=lambda wildcards: expand(
            of_sites("activations/{site}.npy", config[wildcards.kind]), model=wildcards.model
        ),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "directions/{kind}.parquet",
    log:
        MODEL / "logs/compare_directions-{kind}.log",
    benchmark:
        MODEL / "benchmarks/compare_directions-{kind}.tsv"
    wildcard_constraints:
        kind="singles|groups",
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(60),
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        reading=READING,
        sites=lambda wildcards: config[wildcards.kind]["sites"],
        seed=config["seed"],
    script:
        "../scripts/explanation/compare_directions.py"
