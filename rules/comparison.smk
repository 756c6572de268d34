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
        **prefixed(
            "models",
            as_table(
                COMPARISON / "models",
                caption="../report/comparison-models.rst",
                category=COMPARED,
                labels={"result": "models", "as": "table"},
            ),
        ),
        **prefixed(
            "words",
            as_table(
                COMPARISON / "words",
                caption="../report/comparison-words.rst",
                category=COMPARED,
                labels={"result": "words", "as": "table"},
            ),
        ),
    log:
        COMPARISON / "logs/list_models.log",
    benchmark:
        COMPARISON / "benchmarks/list_models.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        studied=lambda wildcards: studied(),
        targets=lambda wildcards: [target["word"] for target in TARGETS],
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
        **as_table(
            COMPARISON / "numbers",
            caption="../report/comparison-numbers.rst",
            category=COMPARED,
            labels={"result": "numbers", "as": "table"},
        ),
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
        **as_figure(
            COMPARISON / "models",
            caption="../report/figure-models.rst",
            category=COMPARED,
            labels={"result": "models"},
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
