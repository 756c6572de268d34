# Stage 7: the models of a study side by side.


rule list_models:
    """What the models are, which are missing, which of the target words each has as one entry."""
    input:
        script_with_modules("list_models"),
        asked=for_each_model(MODEL / "asked.parquet"),
        candidates=for_each_model(MODEL / "candidates.parquet"),
        weights=lambda wildcards: [
            weights_folder(model) / "frozen.safetensors" for model in studied()
        ],
        found=FOUND,
    output:
        models_csv=COMPARISON / "models.csv",
        models_md=report(
            COMPARISON / "models.md",
            caption="../report/comparison-models.rst",
            category="Comparison",
            labels={"table": "models"},
        ),
        models_tex=COMPARISON / "models.tex",
        words_csv=COMPARISON / "words.csv",
        words_md=report(
            COMPARISON / "words.md",
            caption="../report/comparison-words.rst",
            category="Comparison",
            labels={"table": "words"},
        ),
        words_tex=COMPARISON / "words.tex",
    log:
        COMPARISON / "logs/list_models.log",
    benchmark:
        COMPARISON / "benchmarks/list_models.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        studied=lambda wildcards: studied(),
        targets=[target["word"] for target in TARGETS],
        models={
            model: {
                "neurons": neurons_of(model, "model"),
                "sizes": sizes_of(model, "model"),
                **{key: entry(model)[key] for key in ("family", *SHAPE)},
            }
            for model in config["models"]
        },
    script:
        "../scripts/list_models.py"


rule compare_models:
    """Every headline number of every model, its excess over its own nulls, matched words too."""
    input:
        script_with_modules("compare_models"),
        claims=STUDY / "claims.csv",
        found=FOUND,
        singles=for_each_model(MODEL / "tables/singles.csv"),
        groups=for_each_model(MODEL / "groups.parquet"),
        asked=for_each_model(MODEL / "asked.parquet"),
    output:
        csv=COMPARISON / "numbers.csv",
        md=report(
            COMPARISON / "numbers.md",
            caption="../report/comparison-numbers.rst",
            category="Comparison",
            labels={"table": "numbers"},
        ),
        tex=COMPARISON / "numbers.tex",
    log:
        COMPARISON / "logs/compare_models.log",
    benchmark:
        COMPARISON / "benchmarks/compare_models.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        models=lambda wildcards: studied(),
        neurons={model: neurons_of(model, "model") for model in config["models"]},
        null_models=NULLS["models"],
        levels=STATISTICS["thresholds"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/compare_models.py"


rule figure_models:
    """Recovery, thresholds and excesses over own nulls, model by model."""
    input:
        script_with_modules("figure_models"),
        numbers=COMPARISON / "numbers.csv",
        found=FOUND,
    output:
        pdf=COMPARISON / "models.pdf",
        png=report(
            COMPARISON / "models.png",
            caption="../report/figure-models.rst",
            category="Comparison",
            labels={"figure": "models"},
        ),
    log:
        COMPARISON / "logs/figure_models.log",
    benchmark:
        COMPARISON / "benchmarks/figure_models.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        models=lambda wildcards: studied(),
        # The paper's own rate, if the study asks for it.
        level=round(100 * min(STATISTICS["thresholds"], key=lambda t: abs(t - 0.67))),
    script:
        "../scripts/figure_models.py"
