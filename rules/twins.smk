# Twins: some objectives ascend once more, from their first start moved by one rounding.
from math import inf


use rule ascend_singles as twin_singles with:
    output:
        optima=MODEL / "twins/singles/{site}.safetensors",
    log:
        MODEL / "logs/twin_singles-{site}.log",
    benchmark:
        MODEL / "benchmarks/twin_singles-{site}.tsv"
    params:
        protocol=protocol("singles") | {"twin": True},
        # At most the study's: the first of those that it has drawn.
        neurons=min(
            ASCENT["twins"]["singles"],
            inf if SINGLES["neurons"] == "all" else SINGLES["neurons"],
        ),
        restarts=1,
        # A site's twins are few, so one job takes those of all layers.
        layers=lambda wildcards: single_layers(wildcards.model),
        batch=0,
        per_job=lambda wildcards: ASCENT["twins"]["singles"] * len(single_layers(wildcards.model)),


use rule ascend_groups as twin_groups with:
    input:
        script_with_modules("ascent/ascend_groups"),
        **IN_CONTEXT,
        **STARTED,
        weights=frozen,
        targets=MODEL / "targets.parquet",
        ranking=MODEL / "groups/{selection}-model.parquet",
    output:
        optima=MODEL / "twins/groups/{selection}.safetensors",
    log:
        MODEL / "logs/twin_groups-{selection}.log",
    benchmark:
        MODEL / "benchmarks/twin_groups-{selection}.tsv"
    params:
        protocol=protocol("groups") | {"twin": True},
        words=ASCENT["twins"]["groups"],
        scope="model",
        sizes=lambda wildcards: "_".join(map(str, sizes_of(wildcards.model, "model"))),
        restarts=1,
        batch=0,
        per_job=ASCENT["twins"]["groups"] * len(GROUPS["sizes"]["model"]),


use rule describe_singles as describe_twin_singles with:
    input:
        script_with_modules("ascent/describe_singles"),
        optima=twins_of_singles,
        activations=of_sites("activations/{site}.npy", SINGLES),
        summaries=of_sites("neurons-{site}.parquet", SINGLES),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "twins/singles.parquet",
        embeddings=MODEL / "twins/singles_embeddings.npy",
        curves=MODEL / "twins/singles_curves.parquet",
    log:
        MODEL / "logs/describe_twin_singles.log",
    benchmark:
        MODEL / "benchmarks/describe_twin_singles.tsv"


use rule describe_groups as describe_twin_groups with:
    input:
        script_with_modules("ascent/describe_groups"),
        optima=expand(
            MODEL / "twins/groups/{selection}.safetensors",
            selection=GROUPS["selections"],
            allow_missing=True,
        ),
        rankings=expand(
            MODEL / "groups/{selection}-model.parquet",
            selection=GROUPS["selections"],
            allow_missing=True,
        ),
        activations=of_sites("activations/{site}.npy", GROUPS),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        table=MODEL / "twins/groups.parquet",
        embeddings=MODEL / "twins/groups_embeddings.npy",
        curves=MODEL / "twins/groups_curves.parquet",
    log:
        MODEL / "logs/describe_twin_groups.log",
    benchmark:
        MODEL / "benchmarks/describe_twin_groups.tsv"
