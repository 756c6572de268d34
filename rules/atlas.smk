# Stage 7: the atlas, one page to look up every neuron and word of the study.


rule atlas_model:
    """A model's part of the atlas: its neurons, optima, groups and null models, in one packed file."""
    input:
        script_with_modules("atlas_model"),
        **if_asked(
            "singles",
            singles=MODEL / "singles.parquet",
            curves=MODEL / "singles_curves.parquet",
            embeddings=MODEL / "singles_embeddings.npy",
            nulls=null_batches("singles", NULLS["models"]),
        ),
        **if_asked(
            "groups",
            targets=MODEL / "targets.parquet",
            groups=MODEL / "groups.parquet",
            rankings=lambda wildcards: [p for p in rankings(wildcards) if "-model" in p.name],
            thresholds=MODEL / "tables/thresholds_by_word.csv",
            group_nulls=MODEL / "tables/nulls_groups.csv",
        ),
        words=MODEL / "candidates.parquet",
        weights=frozen,
        summaries=expand(
            MODEL / "neurons-{site}.parquet",
            site=dict.fromkeys(SINGLES["sites"] + GROUPS["sites"]),
            allow_missing=True,
        ),
    output:
        MODEL / "atlas.json.gz",
    log:
        MODEL / "logs/atlas_model.log",
    benchmark:
        MODEL / "benchmarks/atlas_model.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(6000),
        runtime=growing(15),
    params:
        rows=lambda wildcards: TARGETS,
        shown=STATISTICS["nearest_words"],
    script:
        "../scripts/atlas_model.py"


rule atlas:
    """The atlas: one page for all models of the study, that opens from disk and asks no network."""
    input:
        script_with_modules("atlas"),
        template="resources/atlas/index.html",
        files=sorted(Path("resources/atlas").rglob("*.[cj]s*")),
        parts=for_each_model(MODEL / "atlas.json.gz"),
        found=FOUND,
    output:
        STUDY / "atlas/index.html",
    log:
        STUDY / "logs/atlas.log",
    benchmark:
        STUDY / "benchmarks/atlas.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        about={
            "study": config["study"],
            "read": config["read"],
            "candidates": config["words"]["candidates"],
            "steps": {kind: ASCENT[kind]["steps"] for kind in ("singles", "groups")},
            "solver": ASCENT["solver"],
        },
        models=lambda wildcards: studied(),
    script:
        "../scripts/atlas.py"
