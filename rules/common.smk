# Helpers for the rules: settings checked, paths and batches counted. No rules here.
import csv
import sys
from math import ceil
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from textualization.dependencies import local_imports
from textualization.settings import (
    SettingsError,
    check_settings,
    in_order,
    read_schema,
    read_target_rows,
)
from textualization.sources import PINS, files_of

SCHEMA = Path(workflow.basedir) / "config/config.schema.yaml"
try:
    check_settings(config, read_schema(SCHEMA))
    TARGETS = read_target_rows(config["words"]["targets"])
except SettingsError as error:
    raise WorkflowError(f"The settings cannot be used.\n{error}") from None

# Snakemake compares parameters as they are written.
for key in sorted(config):
    config[key] = in_order(config.pop(key))

# What the paper printed, as data.
PAPER = yaml.safe_load(Path("resources/paper.yaml").read_text(encoding="utf-8"))
SHAPE = ("layers", "hidden", "intermediate", "words")
STUDY = Path("results") / config["study"]
MODEL = STUDY / "{model}"
COMPARISON = STUDY / "comparison"
# Whether models that cannot be reached are left out.
SKIPPING = config["missing"]["models"] == "skip"
# An input of every rule that asks which models were found.
FOUND = [STUDY / "found.csv"] if SKIPPING else []
SINGLES, GROUPS = config["singles"], config["groups"]
ASCENT, STATISTICS = config["ascent"], config["statistics"]
NULLS = config["nulls"]
# Null models are made of weights by a rule; of the null objectives, these are groups to climb on.
NULL_MODELS = ("permuted", "permuted_keep_embeddings", "untrained", "rotated_basis")
NULL_GROUPS = ("random_group", "matched_activation")
CLIMBED = [null for null in NULLS["objectives"] if null in NULL_GROUPS]

TABLES = [
    MODEL / f"tables/{name}.md"
    for name in (
        "singles",
        "recovery",
        "thresholds",
        "utilisation",
        "nulls_singles",
        "nulls_groups",
        "robustness",
        "strata",
        "variance",
        "selections",
        "neurons",
        "words",
    )
]
FIGURES = [
    MODEL / f"figures/{name}.pdf"
    for name in (
        "singles",
        "recovery",
        "thresholds",
        "nulls",
        "utilisation",
        "nearest",
        "cosine",
        "selections",
        "projection",
        "curves",
    )
]


# Of a study of several models.
SIDE_BY_SIDE = [
    COMPARISON / name
    for name in ("models.md", "words.md", "numbers.md", "models.pdf")
    if len(config["models"]) > 1
]


wildcard_constraints:
    model="|".join(config["models"]),
    site="output|intermediate",
    layer=r"\d+",
    batch=r"\d+",
    selection="|".join(config["groups"]["selections"]),
    scope="model|layer",
    sizes=r"\d+(_\d+)*",
    null="|".join(NULL_MODELS + NULL_GROUPS),
    seed=r"\d+",
    draw=r"\d+",


def script_with_modules(name):
    """A script and every module that it imports: inputs, so that an edit re-runs its dependants."""
    return local_imports(f"scripts/{name}.py")


def studied():
    """The models of the study; where missing ones are skipped, those that were found."""
    if not SKIPPING:
        return config["models"]
    with open(checkpoints.find_models.get().output[0], encoding="utf-8", newline="") as stream:
        found = [row["model"] for row in csv.DictReader(stream) if row["found"] == "True"]
    if not found:
        raise WorkflowError(f"{STUDY}/found.csv: none of the study's models can be reached")
    return found


def for_each_model(paths):
    """The same results for every model of the study."""
    return lambda wildcards: expand(paths, model=studied())


def entry(model):
    """A model's entry in the catalogue: its source, checksum and shape."""
    return config["catalogue"][model]


def source_of(model):
    """Where a model comes from: its entry but for what is said of its shape."""
    return {key: value for key, value in entry(model).items() if key not in (*SHAPE, "family")}


def local_files(model):
    """The files of a model that is a folder on this machine; none for other sources."""
    if entry(model)["source"] != "path":
        return []
    return files_of(entry(model)["path"])


def weights_folder(model):
    """A model's folder, shared by all studies; its pin keeps two models of one name apart."""
    pin = next(entry(model)[key] for key in PINS if key in entry(model))
    return Path("results/_models") / f"{model}-{pin[:8]}"


def family_modules(model):
    """The module of a model's family, and those that it imports."""
    name = entry(model)["family"]
    return local_imports(f"scripts/textualization/families/{name}.py", "scripts")


def frozen(wildcards):
    """A model's tensors under this project's names."""
    return weights_folder(wildcards.model) / "frozen.safetensors"


def layers_of(model):
    """A model's layers, counted from 1."""
    return range(1, entry(model)["layers"] + 1)


def width(model, site):
    """Neurons per layer at a site."""
    return entry(model)["hidden" if site == "output" else "intermediate"]


def single_layers(model):
    """The layers whose single neurons are studied."""
    layers = layers_of(model)
    return (
        layers if SINGLES["layers"] == "all" else [la for la in SINGLES["layers"] if la in layers]
    )


def drawn_of(model, site):
    """How many neurons of a layer are studied: a number, or `all`."""
    drawn = SINGLES["neurons"]
    return drawn if drawn == "all" else min(drawn, width(model, site))


def neurons_of(model, scope):
    """All neurons that may be in a group."""
    per_layer = sum(width(model, site) for site in GROUPS["sites"])
    return per_layer * (len(layers_of(model)) if scope == "model" else 1)


def sizes_of(model, scope):
    """The group sizes of a scope, ascending, that the model has neurons for."""
    return sorted(
        size for size in GROUPS["sizes"].get(scope, []) if size <= neurons_of(model, scope)
    )


def climbs(kind, items):
    """Ascents on so many neurons of a layer, or words of a size: some items have all restarts."""
    restarts, repeated = (ASCENT[kind][key] for key in ("restarts", "repeated"))
    return items + (items if repeated == "all" else min(repeated, items)) * (restarts - 1)


def single_batches(wildcards):
    """All batches of single neurons: one layer each."""
    model = wildcards.model
    drawn = {site: drawn_of(model, site) for site in SINGLES["sites"]}
    return [
        STUDY / model / f"ascent/singles/{site}-{layer}-{batch}.safetensors"
        for site in SINGLES["sites"]
        for layer in single_layers(model)
        for batch in range(
            ceil(
                climbs("singles", width(model, site) if drawn[site] == "all" else drawn[site])
                / ASCENT["singles"]["batch"]
            )
        )
    ]


def group_batches(wildcards):
    """All batches of groups: one selection and scope each; small word lists share a job by sizes."""
    return [
        STUDY
        / wildcards.model
        / f"ascent/groups/{selection}-{scope}-{'_'.join(map(str, sizes))}-{batch}.safetensors"
        for selection in GROUPS["selections"]
        for scope in GROUPS["sizes"]
        for sizes, batches in shared_sizes(wildcards.model, scope)
        for batch in range(batches)
    ]


def shared_sizes(model, scope):
    """The sizes of a scope as (sizes that share jobs, number of those jobs)."""
    batch = ASCENT["groups"]["batch"]
    of_one_size = climbs("groups", len(TARGETS))
    of_one_size *= len(layers_of(model)) if scope == "layer" else 1
    step = max(1, batch // of_one_size)
    sizes = sizes_of(model, scope)
    chunks = [sizes[i : i + step] for i in range(0, len(sizes), step)]
    return [(chunk, ceil(of_one_size * len(chunk) / batch)) for chunk in chunks]


def rankings(wildcards):
    """The neurons of every word in order, for each selection and scope."""
    scopes = [scope for scope in GROUPS["sizes"] if sizes_of(wildcards.model, scope)]
    return [
        STUDY / wildcards.model / f"groups/{selection}-{scope}.parquet"
        for selection in GROUPS["selections"]
        for scope in scopes
    ]


def draws_of_batch(wildcards):
    """The draws of a null, counted from 0, that one job takes on."""
    first = int(wildcards.batch) * NULLS["batch"]
    return list(range(first, min(first + NULLS["batch"], NULLS["draws"])))


def null_weights(wildcards):
    """The weights of these draws of a null model; they are shared by all studies of one seed."""
    return [
        weights_folder(wildcards.model)
        / f"nulls/{wildcards.null}-{config['seed']}-{draw}.safetensors"
        for draw in draws_of_batch(wildcards)
    ]


def null_batches(kind, nulls):
    """All batches of draws of some nulls: `singles` or `groups`."""
    return [
        MODEL / f"nulls/{kind}-{null}-{batch}.parquet"
        for null in nulls
        for batch in range(ceil(NULLS["draws"] / NULLS["batch"]))
    ]


def protocol(kind):
    """All settings that decide an optimum of this kind (`singles` or `groups`)."""
    precision = dict(ASCENT["precision"])
    if precision["products"] == "same":
        precision.pop("polish")
    options = ASCENT | {"paper": {"rate": ASCENT["rate"]}}
    return {
        "settings": {
            "solver": ASCENT["solver"],
            "options": options[ASCENT["solver"]],
            "steps": ASCENT[kind]["steps"],
            "recorded": ASCENT["recorded"],
            **ASCENT["stop"],
        },
        "precision": precision,
        "init": ASCENT["init"],
        "seed": config["seed"],
        "read": config["read"],
        "entries": ASCENT["entries"],
    }


def gpus():
    """GPUs that an ascent job asks the scheduler for."""
    return 1 if ASCENT["device"] == "cuda" else 0


def table(name):
    """One table three times: for programs, for reading, for a paper."""
    caption = f"../report/table-{name}.rst"
    return {
        "csv": MODEL / f"tables/{name}.csv",
        "md": report(
            MODEL / f"tables/{name}.md",
            caption=caption,
            category="Tables",
            labels={"model": "{model}", "table": name},
        ),
        "tex": MODEL / f"tables/{name}.tex",
    }


def figure(name):
    """One figure twice: vectors for a paper, pixels for a screen."""
    return {
        "pdf": MODEL / f"figures/{name}.pdf",
        "png": report(
            MODEL / f"figures/{name}.png",
            caption=f"../report/figure-{name}.rst",
            category="Figures",
            labels={"model": "{model}", "figure": name},
        ),
    }
