# The experiments of a study: their conditions, optima and own tables.
from study.config.experiments import (
    basis_files,
    blocks,
    conditions,
    needs_contexts,
    reads_corpus,
    requested,
    resolved,
)
from study.config.experiment_sentences import judges

# The half of the corpus that experiments search, and the half on which what they found is judged.
SEARCHED, HELD_OUT = STUDY / "corpus/searched.txt", STUDY / "corpus/held_out.txt"


def in_experiment(name):
    """Return the folder of an experiment's results."""
    return MODEL / "experiments" / name


def conditions_of(name, block=None):
    """Return the resolved conditions of an experiment, or of one block, by name."""
    found = conditions(EXPERIMENTS[name])
    found = [found[block]] if block else found.values()
    return {key: resolved(c, config) for of_block in found for key, c in of_block.items()}


def replicates_of(name, null):
    """List the replicates of a null model in an experiment, from 0; the model has one."""
    return list(range(1 if null == "model" else EXPERIMENTS[name]["nulls"]["replicates"]))


def sources_of(name):
    """List the model and all replicates of an experiment's null models, as (null, replicate)."""
    nulls = ["model", *EXPERIMENTS[name]["nulls"]["models"]]
    return [(null, replicate) for null in nulls for replicate in replicates_of(name, null)]


def optima_of(name):
    """List the optima of all blocks of an experiment, for the model and its null models."""
    # An experiment that is not run has no optima.
    experiment = EXPERIMENTS.get(name, {"vary": {}, "nulls": {"models": []}})
    nulls = experiment["nulls"]
    return [
        in_experiment(name) / f"optima/{block}-{null}.parquet"
        for null in ("model", *nulls["models"])
        for block in blocks(experiment)
        if null == "model" or block in nulls.get("blocks", [block])
    ]


def explained_of(name):
    """List what held-out sentences say of an experiment's optima; nothing if that is not requested."""
    if not judges(EXPERIMENTS[name]):
        return []
    nulls = ("model", *EXPERIMENTS[name]["nulls"]["models"])
    return [in_experiment(name) / f"sentences-{null}.parquet" for null in nulls]


# An experiment's own tables: per script, the tables it writes, its inputs and its parameters. The
# outputs of the first table have no prefix, the others have their name.
EXPERIMENT_TABLES = {
    "parametrisation": {
        "pareto_front": {
            "tables": ["front"],
            "reads": {"numbers": in_experiment("parametrisation") / "numbers.csv"},
        },
    },
    "input_length": {
        "free_positions": {
            "tables": ["places"],
            "reads": {"optima": optima_of("input_length")},
        },
    },
    "robustness": {
        "stalled_ascents": {
            "tables": ["freezing"],
            "reads": {"optima": optima_of("robustness")},
        },
        "compare_optima": {
            "tables": ["agreement"],
            "reads": {"optima": optima_of("robustness")},
        },
    },
    "selection": {
        "compare_selections": {
            "tables": ["overlap", "sharing"],
            "reads": {
                **IN_CONTEXT,
                "contexts": config["words"]["contexts"],
                "weights": lambda wildcards: [
                    weights_of(wildcards, *source) for source in sources_of("selection")
                ],
                "candidates": MODEL / "candidates.parquet",
                "reference": MODEL / "nulls/reference.parquet",
                "rows": lambda wildcards: basis_files(conditions_of("selection")),
                "targets": MODEL / "targets.parquet",
                "tokenizer": tokenizer,
            },
            "given": {
                "conditions": lambda wildcards: conditions_of("selection"),
                "requested": lambda wildcards: requested(EXPERIMENTS["selection"]),
                "known": lambda wildcards: {target["word"]: target for target in TARGETS},
                "sources": lambda wildcards: sources_of("selection"),
            },
            "environment": "model",
            "megabytes": 4000,
        },
    },
    "contexts": {
        "nearest_to_contexts": {
            "tables": ["nearest", "senses"],
            "reads": {"optima": optima_of("contexts")},
        },
    },
    "decomposition": {
        "decompose_optima": {
            "tables": ["explained", "paths"],
            "reads": {
                **IN_CONTEXT,
                "optima": optima_of("decomposition"),
                "weights": lambda wildcards: [
                    weights_of(wildcards, *source) for source in sources_of("decomposition")
                ],
                "candidates": MODEL / "candidates.parquet",
            },
            "given": {
                "sources": lambda wildcards: sources_of("decomposition"),
                "reading": READING,
            },
            "writes": {"mixtures": in_experiment("decomposition") / "mixtures.parquet"},
            "environment": "model",
            "megabytes": 4000,
        },
    },
    "explanation": {
        "peak_of_explanation": {
            "tables": ["peak"],
            "reads": {"optima": optima_of("explanation")},
        },
    },
}


def own_tables(name):
    """List an experiment's own tables, as CSV."""
    steps = EXPERIMENT_TABLES.get(name, {}).values()
    return [in_experiment(name) / f"{table}.csv" for made in steps for table in made["tables"]]


EXPERIMENT_FILES = [
    path.with_suffix(".md") if path.suffix == ".csv" else path
    for name in EXPERIMENTS
    for path in (
        in_experiment(name) / "answer.md",
        in_experiment(name) / "figure.pdf",
        *own_tables(name),
    )
]
