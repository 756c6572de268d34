# Stage 3b: the same where nothing was learned, or no word was asked: null models, null groups.


rule derive_null:
    """A model's weights changed by a rule: one draw of a null model."""
    input:
        script_with_modules("derive_null"),
        weights=rules.freeze_model.output[0],
    output:
        "results/_models/{name}-{checksum}/nulls/{null}-{seed}-{draw}.safetensors",
    log:
        "results/_models/{name}-{checksum}/logs/derive_null-{null}-{seed}-{draw}.log",
    benchmark:
        "results/_models/{name}-{checksum}/benchmarks/derive_null-{null}-{seed}-{draw}.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=holding_model(2000, copies=3),
        runtime=growing(30),
    script:
        "../scripts/derive_null.py"


rule draw_reference:
    """The words over which a null model's neurons are summed up."""
    input:
        script_with_modules("draw_reference"),
        candidates=MODEL / "candidates.parquet",
    output:
        MODEL / "nulls/reference.parquet",
    log:
        MODEL / "logs/draw_reference.log",
    benchmark:
        MODEL / "benchmarks/draw_reference.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        words=NULLS["words"],
        seed=config["seed"],
    script:
        "../scripts/draw_reference.py"


rule draw_null_inputs:
    """What stands in an optimum's place: random words, random directions."""
    input:
        script_with_modules("draw_null_inputs"),
        singles=MODEL / "singles.parquet",
        activations=expand(
            MODEL / "activations/{site}.npy", site=SINGLES["sites"], allow_missing=True
        ),
        candidates=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        MODEL / "nulls/inputs.parquet",
    log:
        MODEL / "logs/draw_null_inputs.log",
    benchmark:
        MODEL / "benchmarks/draw_null_inputs.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(15),
    params:
        sites=SINGLES["sites"],
        inputs=[name for name in NULLS["inputs"] if name != "start"],
        draws=NULLS["draws"],
        seed=config["seed"],
    script:
        "../scripts/draw_null_inputs.py"


rule ascend_null_singles:
    """Single neurons of a null model: some draws, a few neurons of every layer each."""
    input:
        script_with_modules("ascend_null_singles"),
        weights=null_weights,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
    output:
        MODEL / "nulls/singles-{null}-{batch}.parquet",
    log:
        MODEL / "logs/ascend_null_singles-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_null_singles-{null}-{batch}.tsv"
    # Longest, so they start first.
    priority: 20
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
        draws=draws_of_batch,
        widths=lambda wildcards: {s: width(wildcards.model, s) for s in SINGLES["sites"]},
        layers=lambda wildcards: list(single_layers(wildcards.model)),
        drawn=SINGLES["neurons"],
        neurons=NULLS["singles"]["neurons"],
        protocol=protocol("singles"),
    script:
        "../scripts/ascend_null_singles.py"


rule ascend_null_groups:
    """Groups of a null model's neurons, chosen as the model's are: some draws, some words each."""
    input:
        script_with_modules("ascend_null_groups"),
        weights=null_weights,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
    output:
        MODEL / "nulls/groups-{null}-{batch}.parquet",
    log:
        MODEL / "logs/ascend_null_groups-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_null_groups-{null}-{batch}.tsv"
    wildcard_constraints:
        null="|".join(NULL_MODELS),
    # Longest, so they start first.
    priority: 20
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=3),
        runtime=growing(240),
        gpu=gpus(),
        # How, not what: none of these changes a result beyond rounding, so none re-runs anything.
        device=ASCENT["device"],
        snapshot_seconds=ASCENT["snapshot_seconds"],
    params:
        draws=draws_of_batch,
        sites=GROUPS["sites"],
        selections=GROUPS["selections"],
        sizes=lambda wildcards: sizes_of(wildcards.model, "model"),
        per_draw=NULLS["groups"]["words"],
        protocol=protocol("groups"),
    script:
        "../scripts/ascend_null_groups.py"


rule ascend_random_groups:
    """Random groups of the model itself, matched to its words' groups: some draws, some words each."""
    input:
        script_with_modules("ascend_random_groups"),
        weights=frozen,
        candidates=MODEL / "candidates.parquet",
        targets=MODEL / "targets.parquet",
        summaries=expand(MODEL / "neurons-{site}.parquet", site=GROUPS["sites"], allow_missing=True),
        rankings=expand(
            MODEL / "groups/{selection}-model.parquet",
            selection=GROUPS["selections"],
            allow_missing=True,
        ),
    output:
        MODEL / "nulls/groups-{null}-{batch}.parquet",
    log:
        MODEL / "logs/ascend_random_groups-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_random_groups-{null}-{batch}.tsv"
    wildcard_constraints:
        null="|".join(NULL_GROUPS),
    # Longest, so they start first.
    priority: 20
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
        draws=draws_of_batch,
        selections=GROUPS["selections"],
        sizes=lambda wildcards: sizes_of(wildcards.model, "model"),
        per_draw=NULLS["groups"]["words"],
        protocol=protocol("groups"),
    script:
        "../scripts/ascend_random_groups.py"
