# Figures as PDF (vector, embedded fonts), PNG and alt text.

# A figure: its subject, its part of the report, the inputs and parameters of scripts/figures/<name>.py.
# With `megabytes` it is submitted to a cluster.
FIGURES = {
    "singles": {
        "subject": "singles",
        "part": "Single neurons",
        "reads": {"singles": MODEL / "singles.parquet", "summary": table_of("singles")},
        "given": {"paper": PAPER},
    },
    "utilisation": {
        "subject": "singles",
        "part": "Single neurons",
        "reads": {"utilisation": table_of("utilisation")},
        "given": {"paper": PAPER, "site": SINGLES["sites"][0]},
    },
    "nearest": {
        "subject": "singles",
        "part": "Single neurons",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "nulls": null_batches("singles", NULLS["models"]),
            "inputs": MODEL / "nulls/inputs.parquet",
        },
        "given": {
            "paper": PAPER,
            "site": SINGLES["sites"][0],
            "start": "start" in NULLS["inputs"],
        },
    },
    "recovery": {
        "subject": "groups",
        "part": "Groups of words",
        "reads": {"recovery": table_of("recovery"), "nulls": table_of("nulls_groups")},
        "given": {"paper": PAPER, "scope": "model"},
    },
    "thresholds": {
        "subject": "groups",
        "part": "Groups of words",
        "reads": {
            "thresholds": table_of("thresholds"),
            "by_word": table_of("thresholds_by_word"),
            "nulls": table_of("nulls_groups"),
        },
        "given": {
            "paper": PAPER,
            "sizes": lambda wildcards: sizes_of(wildcards.model, "model"),
            "scope": "model",
        },
    },
    "cosine": {
        "subject": "groups",
        "part": "Groups of words",
        "reads": {"recovery": table_of("recovery")},
        "given": {"scope": "model"},
    },
    "relative_selection": {
        "subject": "groups",
        "part": "Relative against absolute selection",
        "reads": {"selections": table_of("selections")},
        "given": {"scope": "model"},
    },
    "explanation": {
        "subject": "any",
        "part": "Explanation",
        "reads": {"explanation": table_of("explanation")},
        "given": {"site": SINGLES["sites"][0]},
    },
    "projection": {
        "subject": "both",
        "part": "Robustness",
        "reads": {
            "weights": frozen,
            "words": MODEL / "candidates.parquet",
            "singles": MODEL / "singles_embeddings.npy",
            "groups": MODEL / "groups_embeddings.npy",
            "group_table": MODEL / "groups.parquet",
        },
        "given": {"directions": STATISTICS["leading_directions"], "seed": config["seed"]},
        "megabytes": 3000,
    },
    "curves": {
        "subject": "both",
        "part": "Robustness",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "single_curves": MODEL / "singles_curves.parquet",
            "groups": MODEL / "groups.parquet",
            "group_curves": MODEL / "groups_curves.parquet",
        },
    },
    "nulls": {
        "subject": "both",
        "part": "Nulls",
        "reads": {"claims": STUDY / "claims.csv"},
    },
}


def figure_rule(name, figure):
    """Define the rule of one figure. A bare loop would give all rules the last script."""

    rule:
        """Draw one figure of a model, with its alt text."""
        name:
            f"figure_{name}"
        input:
            script_with_modules(f"figures/{name}"),
            **figure["reads"],
        output:
            **as_figure(MODEL / f"figures/{name}", figure["part"], model="{model}"),
        log:
            MODEL / f"logs/figure_{name}.log",
        benchmark:
            MODEL / f"benchmarks/figure_{name}.tsv"
        localrule: "megabytes" not in figure
        conda:
            "../envs/analysis.yaml"
        resources:
            mem_mb=growing(figure.get("megabytes", 1000)),
            runtime=growing(30),
        params:
            **figure.get("given", {}),
            caption=caption(f"figures/{name}"),
        script:
            f"../scripts/figures/{name}.py"


for name, figure in FIGURES.items():
    figure_rule(name, figure)
