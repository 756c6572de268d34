# Tables as CSV, Markdown, LaTeX and a page of the report.


def table_of(name):
    """Return the CSV file of a model's table."""
    return MODEL / f"tables/{name}.csv"


# A table: its subject, its part of the report, the inputs and parameters of scripts/tables/<name>.py.
# With `megabytes` it is submitted to a cluster.
TABLES = {
    "singles": {
        "subject": "singles",
        "part": "Single neurons",
        "reads": {"singles": MODEL / "singles.parquet", "weights": frozen},
    },
    "utilisation": {
        "subject": "singles",
        "part": "Single neurons",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "nulls": null_batches("singles", NULLS["models"]),
            "weights": frozen,
            **OF_CORPUS,
        },
    },
    "sentences": {
        "subject": "sentences",
        "part": "Sentences and short texts",
        "reads": {
            **{kind: MODEL / f"{kind}.parquet" for kind in KINDS},
            **{name: OF_CORPUS[name] for name in OF_CORPUS if name == "summary"},
            **{name: FOUND_TEXTS[name] for name in FOUND_TEXTS if name == "texts"},
        },
    },
    "explanation": {
        "subject": "any",
        "part": "Explanation",
        "reads": {
            name: files
            for kind in STUDIED
            for name, files in {
                kind: MODEL / f"directions/{kind}.parquet",
                f"null_{kind}": null_batches(kind, NULLS["models"]),
            }.items()
        },
    },
    "neurons": {
        "subject": "singles",
        "part": "Single neurons",
        "reads": {"singles": MODEL / "singles.parquet"},
    },
    "directions": {
        "subject": "directions",
        "part": "Single neurons",
        "reads": {
            "directions": MODEL / "directions.parquet",
            "embeddings": MODEL / "directions_embeddings.npy",
            "nulls": null_batches("directions", NULLS["models"]),
        },
    },
    "recovery": {
        "subject": "groups",
        "part": "Groups of words",
        "reads": {"groups": MODEL / "groups.parquet"},
    },
    "thresholds": {
        "subject": "groups",
        "part": "Groups of words",
        "reads": {"groups": MODEL / "groups.parquet"},
        "given": {"levels": STATISTICS["thresholds"]},
        "writes": {"by_word": table_of("thresholds_by_word")},
    },
    "words": {
        "subject": "groups",
        "part": "Groups of words",
        "reads": {"groups": MODEL / "groups.parquet"},
    },
    "selections": {
        "subject": "groups",
        "part": "Relative against absolute selection",
        "reads": {"groups": MODEL / "groups.parquet", "rankings": rankings},
    },
    "nulls_singles": {
        "subject": "singles",
        "part": "Nulls",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "null_singles": null_batches("singles", NULLS["models"]),
            "null_inputs": MODEL / "nulls/inputs.parquet",
            "activations": MODEL / f"activations/{CLAIMED['singles'][0]}.npy",
            "reference": MODEL / "nulls/reference.parquet",
            "candidates": MODEL / "candidates.parquet",
            "weights": frozen,
        },
        "given": {
            "site": CLAIMED["singles"][0],
            "seek": config["seek"],
            "start": "start" in NULLS["inputs"],
            "permutations": STATISTICS["permutations"],
        },
        "megabytes": 3000,
    },
    "nulls_groups": {
        "subject": "groups",
        "part": "Nulls",
        "reads": {
            "groups": MODEL / "groups.parquet",
            "null_groups": null_batches("groups", NULLS["models"] + NULL_ASCENTS),
            "weights": frozen,
        },
        "given": {
            "sites": GROUPS["sites"],
            "objectives": NULLS["objectives"],
            "replicates": NULLS["replicates"],
            "levels": STATISTICS["thresholds"],
            "permutations": STATISTICS["permutations"],
        },
        "megabytes": 1500,
    },
    "robustness": {
        "subject": "both",
        "part": "Robustness",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "single_embeddings": MODEL / "singles_embeddings.npy",
            "groups": MODEL / "groups.parquet",
            "group_embeddings": MODEL / "groups_embeddings.npy",
            "words": MODEL / "candidates.parquet",
            "weights": frozen,
        },
        "given": {
            "candidates": config["words"]["candidates"],
            "leading": STATISTICS["removed_directions"],
        },
        "megabytes": 6000,
    },
    "strata": {
        "subject": "both",
        "part": "Robustness",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "embeddings": MODEL / "singles_embeddings.npy",
            "groups": MODEL / "groups.parquet",
            "summaries": of_sites("neurons-{site}.parquet", SINGLES),
            "words": MODEL / "candidates.parquet",
            "weights": frozen,
            "targets": MODEL / "targets.parquet",
        },
        # A function: Snakemake would take braces in a word for a wildcard.
        "given": {"listed": lambda wildcards: TARGETS},
        "megabytes": 6000,
    },
    "twins": {
        "subject": "twins",
        "part": "Robustness",
        # The study's optima, and the twins'.
        "reads": {
            kind: [
                MODEL / f"{folder}{kind}{of}"
                for folder in ("", "twins/")
                for of in (".parquet", "_embeddings.npy")
            ]
            for kind in TWINNED
        }
        | {"weights": frozen},
        "given": {"sites": CLAIMED, "levels": STATISTICS["thresholds"]},
        "writes": {"claims": table_of("twins_claims")},
    },
    "variance": {
        "subject": "both",
        "part": "Robustness",
        "reads": {
            "singles": MODEL / "singles.parquet",
            "groups": MODEL / "groups.parquet",
            "null_singles": null_batches("singles", NULLS["models"]),
            "null_groups": null_batches("groups", NULLS["models"]),
        },
    },
}


def table_rule(name, table):
    """Define the rule of one table. A bare loop would give all rules the last script."""

    rule:
        """Write one table of a model."""
        name:
            f"table_{name}"
        input:
            script_with_modules(f"tables/{name}"),
            **table["reads"],
        output:
            **as_table(MODEL / f"tables/{name}", table["part"], model="{model}"),
            **table.get("writes", {}),
        log:
            MODEL / f"logs/table_{name}.log",
        benchmark:
            MODEL / f"benchmarks/table_{name}.tsv"
        localrule: "megabytes" not in table
        conda:
            "../envs/analysis.yaml"
        resources:
            mem_mb=growing(table.get("megabytes", 1000)),
            runtime=growing(60),
        params:
            **table.get("given", {}),
            intervals=INTERVALS,
            caption=caption(f"tables/{name}"),
        script:
            f"../scripts/tables/{name}.py"


for name, table in TABLES.items():
    table_rule(name, table)
