# The paper's claims compared with the results, the findings, and the provenance of the study.

MODEL_TABLES = [
    MODEL / f"tables/{n}.md" for n, table in TABLES.items() if table["subject"] in SUBJECTS
]
MODEL_FIGURES = [
    MODEL / f"figures/{n}.pdf" for n, figure in FIGURES.items() if figure["subject"] in SUBJECTS
]
# Files of a study with several models.
COMPARISON_FILES = [
    COMPARISON / name
    for name in ("models.md", "words.md", "numbers.md", "models.pdf")
    if len(config["models"]) > 1 and "both" in SUBJECTS
]
# All files of the study are requested by name: Snakemake does not remake a missing intermediate file
# whose results are complete.
STUDY_FILES = every_kind([STUDY / "claims.md", STUDY / "findings.md", *COMPARISON_FILES])
STUDY_FILES += [STUDY / "provenance.json", STUDY / "config.yaml"]
STUDY_FILES += [STUDY / "atlas/index.html"] if SUBJECTS else []
MODEL_FILES = every_kind(MODEL_TABLES + MODEL_FIGURES + EXPERIMENT_FILES)
MODEL_FILES += [
    MODEL / f"{subject}{kind}"
    for subject in (*STUDIED, "directions")
    if subject in SUBJECTS
    for kind in (".parquet", "_embeddings.npy", "_curves.parquet")
]
MODEL_FILES += [*FOUND_TEXTS.values(), *([OF_CORPUS["summary"]] if READS else [])]
MODEL_FILES += [table_of("thresholds_by_word")] if "groups" in SUBJECTS else []
MODEL_FILES += [MODEL / f"directions/{kind}.parquet" for kind in STUDIED]
MODEL_FILES += [MODEL / f"twins/{kind}.parquet" for kind in TWINNED]
MODEL_FILES += [table_of("twins_claims")] if TWINNED else []


rule write_claims:
    """Compare the paper's claims with this study's values, intervals and nulls, by fixed rules."""
    input:
        script_with_modules("claims/write_claims"),
        singles=for_each_model(table_of("singles"), "singles"),
        utilisation=for_each_model(MODEL / "singles.parquet", "singles"),
        recovery=for_each_model(table_of("recovery"), "groups"),
        thresholds=for_each_model(table_of("thresholds"), "groups"),
        nulls_singles=for_each_model(table_of("nulls_singles"), "singles"),
        nulls_groups=for_each_model(table_of("nulls_groups"), "groups"),
        twins=for_each_model(table_of("twins_claims"), "twins"),
        numbers=for_each_model([in_experiment(name) / "numbers.csv" for name in EXPERIMENTS]),
        weights=lambda wildcards: [weights_folder(m) / "frozen.safetensors" for m in studied()],
        found=FOUND,
    output:
        **as_table(STUDY / "claims", "Claims"),
    log:
        STUDY / "logs/write_claims.log",
    benchmark:
        STUDY / "benchmarks/write_claims.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
        models=lambda wildcards: studied(),
        precisions=lambda wildcards: [entry(model).get("precision") for model in studied()],
        experiments=list(EXPERIMENTS),
        null_models=NULLS["models"],
        checksums=lambda wildcards: [entry(model).get("sha256") for model in studied()],
        sites=CLAIMED,
        reading=lambda wildcards: (
            f"{reading.in_short(config)}, candidates {config['words']['candidates']}"
        ),
        usual=reading.is_usual(config),
        # A function: Snakemake would take braces in a word for a wildcard.
        protocols=lambda wildcards: {
            subject: protocol(subject) | ({"start": ASCENT["start"]} if STARTED else {})
            for subject in ("singles", "groups")
        },
        restarts={
            subject: {"of": of, **{key: ASCENT[subject][key] for key in ("restarts", "repeated")}}
            for subject, of in (("singles", "neurons per layer"), ("groups", "words per size"))
        },
        confidence=STATISTICS["confidence"],
        caption=caption("claims/write_claims"),
    script:
        "../scripts/claims/write_claims.py"


rule write_findings:
    """Write the findings in sentences, generated from the numbers."""
    input:
        script_with_modules("claims/write_findings"),
        claims=STUDY / "claims.csv",
        singles=for_each_model(table_of("singles"), "singles"),
        twins=for_each_model(table_of("twins"), "twins"),
        explanation=for_each_model(table_of("explanation"), "any"),
        robustness=for_each_model(table_of("robustness"), "both"),
        variance=for_each_model(table_of("variance"), "both"),
        directions=for_each_model(table_of("directions"), "directions"),
        answers=for_each_model([in_experiment(name) / "answer.md" for name in EXPERIMENTS]),
        found=FOUND,
    output:
        findings=STUDY / "findings.md",
        html=in_report(STUDY / "findings.html", "Claims", result="findings"),
        front=STUDY / "front.rst",
    log:
        STUDY / "logs/write_findings.log",
    benchmark:
        STUDY / "benchmarks/write_findings.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        models=lambda wildcards: studied(),
        experiments=list(EXPERIMENTS),
        null_models=NULLS["models"],
        replicates=NULLS["replicates"],
        confidence=STATISTICS["confidence"],
        caption=caption("claims/write_findings"),
    script:
        "../scripts/claims/write_findings.py"


rule provenance:
    """Record how the study was made: settings, versions, checksums, seconds per stage."""
    input:
        script_with_modules("claims/provenance"),
        **({"corpus": CORPUS} if READS else {}),
        claims=STUDY / "claims.csv",
        tables=for_each_model(MODEL_TABLES),
        figures=for_each_model(MODEL_FIGURES),
        experiments=for_each_model(EXPERIMENT_FILES),
        weights=lambda wildcards: [weights_folder(m) / "frozen.safetensors" for m in studied()],
    output:
        provenance=STUDY / "provenance.json",
        settings_file=STUDY / "config.yaml",
    log:
        STUDY / "logs/provenance.log",
    benchmark:
        STUDY / "benchmarks/provenance.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        # A function: Snakemake would take braces for wildcards.
        settings=lambda wildcards: config,
        models=lambda wildcards: studied(),
    script:
        "../scripts/claims/provenance.py"


rule manifest:
    """List final files with sizes and checksums, for `make verify`, and as an RO-Crate."""
    input:
        script_with_modules("claims/manifest"),
        of_study=STUDY_FILES,
        of_models=for_each_model(MODEL_FILES),
        provenance=STUDY / "provenance.json",
    output:
        manifest=STUDY / "manifest.json",
        crate=STUDY / "ro-crate-metadata.json",
    log:
        STUDY / "logs/manifest.log",
    benchmark:
        STUDY / "benchmarks/manifest.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        study=config["study"],
    script:
        "../scripts/claims/manifest.py"
