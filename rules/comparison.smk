# Comparison of the models of a study.


rule list_models:
    """List the models, those that are missing, and the target words in each vocabulary."""
    input:
        script_with_modules("comparison/list_models"),
        requested=for_each_model(MODEL / "asked.parquet"),
        candidates=for_each_model(MODEL / "candidates.parquet"),
        weights=lambda wildcards: [
            weights_folder(model) / "frozen.safetensors" for model in studied()
        ],
        found=FOUND,
    output:
        **prefixed("models", as_table(COMPARISON / "models", "Comparison of models")),
        **prefixed("words", as_table(COMPARISON / "words", "Comparison of models")),
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
        shapes={
            model: {
                "neurons": neurons_of(model, "model"),
                "sizes": sizes_of(model, "model"),
                **{key: entry(model)[key] for key in ("family", *SHAPE)},
            }
            for model in config["models"]
        },
        caption=caption("comparison/list_models"),
    script:
        "../scripts/comparison/list_models.py"


rule compare_models:
    """Compare the headline numbers of all models, with excess over each model's own nulls."""
    input:
        script_with_modules("comparison/compare_models"),
        claims=STUDY / "claims.csv",
        found=FOUND,
        singles=for_each_model(table_of("singles")),
        groups=for_each_model(MODEL / "groups.parquet"),
        requested=for_each_model(MODEL / "asked.parquet"),
    output:
        **as_table(COMPARISON / "numbers", "Comparison of models"),
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
        shares={
            model: {
                f"{100 * share:g}%": size
                for share in GROUPS["sizes"]["model"]
                if share < 1
                for size in group_sizes([share], neurons_of(model, "model"))
            }
            for model in config["models"]
        },
        null_models=NULLS["models"],
        levels=STATISTICS["thresholds"],
        intervals=INTERVALS,
        caption=caption("comparison/compare_models"),
    script:
        "../scripts/comparison/compare_models.py"


rule figure_models:
    """Draw recovery, thresholds and excess over own null models, by model."""
    input:
        script_with_modules("comparison/figure_models"),
        numbers=COMPARISON / "numbers.csv",
        found=FOUND,
    output:
        **as_figure(COMPARISON / "models", "Comparison of models"),
    log:
        COMPARISON / "logs/figure_models.log",
    benchmark:
        COMPARISON / "benchmarks/figure_models.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        models=lambda wildcards: studied(),
        # The paper's rate, or the threshold nearest to it.
        level=round(100 * min(STATISTICS["thresholds"], key=lambda t: abs(t - 0.67))),
        caption=caption("comparison/figure_models"),
    script:
        "../scripts/comparison/figure_models.py"
