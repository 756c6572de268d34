# Stage 6: the paper's claims beside what came out, and the record of how it was made.


rule claims:
    """Every claim of the paper beside this study's value, its interval, and a verdict by rule."""
    input:
        script_with_modules("claims"),
        singles=for_each_model_if("singles", MODEL / "tables/singles.csv"),
        utilisation=for_each_model_if("singles", MODEL / "singles.parquet"),
        recovery=for_each_model_if("groups", MODEL / "tables/recovery.csv"),
        thresholds=for_each_model_if("groups", MODEL / "tables/thresholds.csv"),
        nulls_singles=for_each_model_if("singles", MODEL / "tables/nulls_singles.csv"),
        nulls_groups=for_each_model_if("groups", MODEL / "tables/nulls_groups.csv"),
        experiments=for_each_model(
            [MODEL / "experiments" / name / "numbers.csv" for name in SWEEPS]
        ),
        found=FOUND,
    output:
        **as_table(
            STUDY / "claims",
            caption="../report/claims.rst",
            category=CLAIMS,
            labels={"result": "claims"},
        ),
    log:
        STUDY / "logs/claims.log",
    benchmark:
        STUDY / "benchmarks/claims.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
        models=lambda wildcards: studied(),
        experiments=list(SWEEPS),
        null_models=NULLS["models"],
        checksums=lambda wildcards: [entry(model).get("sha256") for model in studied()],
        # Which of a study's sites each kind of claim is about: single neurons of the first.
        sites={"singles": SINGLES["sites"][:1], "groups": GROUPS["sites"]},
        reading=f"read at {config['read']}, candidates {config['words']['candidates']}",
        init=ASCENT["init"],
        protocols={kind: protocol(kind) for kind in ("singles", "groups")},
        restarts={
            kind: {"of": of, **{key: ASCENT[kind][key] for key in ("restarts", "repeated")}}
            for kind, of in (("singles", "layer"), ("groups", "size"))
        },
        confidence=STATISTICS["confidence"],
    script:
        "../scripts/claims.py"


rule findings:
    """What holds and what does not survive its nulls, in sentences made of the numbers."""
    input:
        script_with_modules("findings"),
        claims=STUDY / "claims.csv",
        singles=for_each_model_if("singles", MODEL / "tables/singles.csv"),
        robustness=for_each_model_if("both", MODEL / "tables/robustness.csv"),
        variance=for_each_model_if("both", MODEL / "tables/variance.csv"),
        answers=for_each_model([MODEL / "experiments" / name / "answer.md" for name in SWEEPS]),
        found=FOUND,
    output:
        findings=STUDY / "findings.md",
        html=report(
            STUDY / "findings.html",
            caption="../report/findings.rst",
            category=CLAIMS,
            labels={"result": "findings"},
        ),
    log:
        STUDY / "logs/findings.log",
    benchmark:
        STUDY / "benchmarks/findings.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        models=lambda wildcards: studied(),
        experiments=list(SWEEPS),
        null_models=NULLS["models"],
        draws=NULLS["draws"],
        confidence=STATISTICS["confidence"],
    script:
        "../scripts/findings.py"


rule provenance:
    """The settings in full, and with what the study was made: versions, checksums, times per stage."""
    input:
        script_with_modules("provenance"),
        claims=STUDY / "claims.csv",
        tables=for_each_model(TABLES),
        figures=for_each_model(FIGURES),
        experiments=for_each_model(EXPERIMENTS),
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
        settings=config,
        benchmarks=[str(STUDY)] + [str(weights_folder(model)) for model in config["models"]],
        weights={m: str(weights_folder(m) / "frozen.safetensors") for m in config["models"]},
    script:
        "../scripts/provenance.py"
