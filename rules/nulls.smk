# Null models (weights that learned nothing), null groups (neurons that no word chose), null inputs.


rule derive_null:
    """Derive one replicate of a null model: change the model's weights by a rule."""
    input:
        script_with_modules("nulls/derive_null"),
        weights=rules.convert_model.output.frozen,
    output:
        derived=f"{SHARED}/nulls/{{null}}-{{seed}}-{{replicate}}.safetensors",
    log:
        f"{SHARED}/logs/derive_null-{{null}}-{{seed}}-{{replicate}}.log",
    benchmark:
        f"{SHARED}/benchmarks/derive_null-{{null}}-{{seed}}-{{replicate}}.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=holding_model(2000, copies=3),
        runtime=growing(30),
    script:
        "../scripts/nulls/derive_null.py"


rule draw_reference:
    """Draw the words over which a null model's neurons are summarised."""
    input:
        script_with_modules("nulls/draw_reference"),
        candidates=MODEL / "candidates.parquet",
    output:
        reference=MODEL / "nulls/reference.parquet",
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
        "../scripts/nulls/draw_reference.py"


rule draw_null_inputs:
    """Draw random inputs as nulls of optima: words and directions."""
    input:
        script_with_modules("nulls/draw_null_inputs"),
        singles=MODEL / "singles.parquet",
        activations=of_sites("activations/{site}.npy", SINGLES),
        candidates=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "nulls/inputs.parquet",
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
        replicates=NULLS["replicates"],
        seed=config["seed"],
    script:
        "../scripts/nulls/draw_null_inputs.py"


rule null_model_singles:
    """Ascend on single neurons of a null model: some replicates, some neurons of every layer."""
    input:
        script_with_modules("nulls/null_model_singles"),
        **IN_CONTEXT,
        **STARTED,
        weights=null_weights,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
    output:
        table=MODEL / "nulls/singles-{null}-{batch}.parquet",
    log:
        MODEL / "logs/null_model_singles-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/null_model_singles-{null}-{batch}.tsv"
    # Only groups take longer.
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
        widths=lambda wildcards: {s: width(wildcards.model, s) for s in SINGLES["sites"]},
        layers=lambda wildcards: single_layers(wildcards.model),
        neurons=SINGLES["neurons"],
        per_replicate=NULLS["singles"]["neurons"],
        protocol=protocol("singles"),
    script:
        "../scripts/nulls/null_model_singles.py"


rule null_model_groups:
    """Ascend on groups of a null model, chosen like the model's: some replicates, some words."""
    input:
        script_with_modules("nulls/null_model_groups"),
        **IN_CONTEXT,
        **STARTED,
        weights=null_weights,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
    output:
        table=MODEL / "nulls/groups-{null}-{batch}.parquet",
    log:
        MODEL / "logs/null_model_groups-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/null_model_groups-{null}-{batch}.tsv"
    wildcard_constraints:
        null="|".join(NULL_MODELS),
    # These jobs take longest, so they start first.
    priority: 25
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        **HOW,
        mem_mb=holding_reference(4000, copies=3),
        runtime=growing(240),
        gpu=gpus(),
    params:
        replicates=replicates_of_batch,
        sites=GROUPS["sites"],
        selections=GROUPS["selections"],
        sizes=lambda wildcards: sizes_of(wildcards.model, "model"),
        per_replicate=NULLS["groups"]["words"],
        protocol=protocol("groups"),
    script:
        "../scripts/nulls/null_model_groups.py"


rule random_groups:
    """Ascend on random groups of the model, matched to words' groups: some replicates and words."""
    input:
        script_with_modules("nulls/random_groups"),
        **IN_CONTEXT,
        **STARTED,
        weights=frozen,
        candidates=MODEL / "candidates.parquet",
        reference=MODEL / "nulls/reference.parquet",
        targets=MODEL / "targets.parquet",
        summaries=of_sites("neurons-{site}.parquet", GROUPS),
        rankings=expand(
            MODEL / "groups/{selection}-model.parquet",
            selection=GROUPS["selections"],
            allow_missing=True,
        ),
    output:
        table=MODEL / "nulls/groups-{null}-{batch}.parquet",
    log:
        MODEL / "logs/random_groups-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/random_groups-{null}-{batch}.tsv"
    wildcard_constraints:
        null="|".join(NULL_GROUPS),
    # These jobs take longest, so they start first.
    priority: 25
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
        selections=GROUPS["selections"],
        sizes=lambda wildcards: sizes_of(wildcards.model, "model"),
        per_replicate=NULLS["groups"]["words"],
        protocol=protocol("groups"),
    script:
        "../scripts/nulls/random_groups.py"
