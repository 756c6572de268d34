# The atlas: one page to look up every neuron and word of the study.


rule atlas_part:
    """Pack one model's part of the atlas: its neurons, optima, groups and nulls."""
    input:
        script_with_modules("atlas/atlas_part"),
        **if_studied(
            "singles",
            singles=MODEL / "singles.parquet",
            curves=MODEL / "singles_curves.parquet",
            embeddings=MODEL / "singles_embeddings.npy",
            activations=of_sites("activations/{site}.npy", SINGLES),
            nulls=null_batches("singles", NULLS["models"]),
        ),
        **if_studied(
            "groups",
            targets=MODEL / "targets.parquet",
            groups=MODEL / "groups.parquet",
            rankings=lambda wildcards: [p for p in rankings(wildcards) if "-model" in p.name],
            thresholds=table_of("thresholds_by_word"),
            group_nulls=table_of("nulls_groups"),
        ),
        **if_studied(
            "directions",
            directions=MODEL / "directions.parquet",
            direction_curves=MODEL / "directions_curves.parquet",
            direction_embeddings=MODEL / "directions_embeddings.npy",
            direction_nulls=null_batches("directions", NULLS["models"]),
        ),
        **FOUND_TEXTS,
        **OF_CORPUS,
        words=MODEL / "candidates.parquet",
        weights=frozen,
        summaries=of_sites("neurons-{site}.parquet", None),
    output:
        part=MODEL / "atlas.json.gz",
    log:
        MODEL / "logs/atlas_part.log",
    benchmark:
        MODEL / "benchmarks/atlas_part.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(6000),
        runtime=growing(15),
    params:
        rows=lambda wildcards: TARGETS,
        shown=STATISTICS["nearest_words"],
        sites=SINGLES["sites"],
        seed=config["seed"],
        seek=config["seek"],
    script:
        "../scripts/atlas/atlas_part.py"


rule write_atlas:
    """Write the atlas: one page for all models, which opens from disk and needs no network."""
    input:
        script_with_modules("atlas/write_atlas"),
        template=ROOT / "resources/atlas/index.html",
        files=sorted((ROOT / "resources/atlas").rglob("*.[cj]s*")),
        parts=for_each_model(MODEL / "atlas.json.gz"),
        claims=STUDY / "claims.csv",
        twins=for_each_model(table_of("twins"), "twins"),
        found=FOUND,
    output:
        html=STUDY / "atlas/index.html",
    log:
        STUDY / "logs/write_atlas.log",
    benchmark:
        STUDY / "benchmarks/write_atlas.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        about=lambda wildcards: {
            "study": config["study"],
            "read": reading.in_short(config),
            "note": reading.note(config),
            "candidates": config["words"]["candidates"],
            "steps": {subject: ASCENT[subject]["steps"] for subject in ("singles", "groups")},
            "solver": ASCENT["solver"],
        },
        models=lambda wildcards: studied(),
        null_models=NULLS["models"],
    script:
        "../scripts/atlas/write_atlas.py"
