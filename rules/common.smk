# Helpers for the rules: settings checked, paths and batches counted. No rules here.
import csv
import shutil
from math import ceil
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

from textualization import sweeps
from textualization.contexts import read_contexts
from textualization.dependencies import local_imports
from textualization.remembering import check_memory, date_by_content, mark_memory
from textualization.settings import (
    MOST_JOBS,
    SettingsError,
    check_settings,
    in_order,
    jobs_at_most,
    read_schema,
    read_target_rows,
)
from textualization.sources import files_of, folder_name
from textualization.sweeps import blocks, conditions, needs_contexts, resolved

SCHEMA = Path(workflow.basedir) / "config/config.schema.yaml"
try:
    check_settings(config, read_schema(SCHEMA))
    TARGETS = read_target_rows(config["words"]["targets"])
    asked = [config["sweeps"].get(name, {}) for name in config["experiments"]]
    if any(map(needs_contexts, asked)):
        read_contexts(config["words"]["contexts"])
    if (jobs := jobs_at_most(config, len(TARGETS))) > MOST_JOBS:
        raise SettingsError(
            f"ascent: the study would be some {jobs} jobs (allowed: {MOST_JOBS}; a larger `batch` of "
            "singles, groups or nulls, or fewer draws and restarts, make fewer)"
        )
except SettingsError as error:
    raise WorkflowError(f"The settings cannot be used.\n{error}") from None

for name in set(config["experiments"]) & set(config["sweeps"]):
    if not Path(f"scripts/figure_{name}.py").is_file():
        raise WorkflowError(
            f"The settings cannot be used.\nexperiments: {name!r} has no script for its figure, "
            f"scripts/figure_{name}.py (docs/experiments.md shows one)"
        )

# Snakemake compares parameters as they are written. Of blocks, the reference comes first.
ORDERS = {
    name: sorted(sweep["vary"], key=lambda block: block != sweep["reference"])
    for name, sweep in config["sweeps"].items()
}
for key in sorted(config):
    config[key] = in_order(config.pop(key))
for name, order in ORDERS.items():
    vary = config["sweeps"][name]["vary"]
    config["sweeps"][name]["vary"] = {block: vary[block] for block in order}

# Who plans (jobs parse the Snakefile too) sees to it that no change goes unnoticed.
MEMORY = Path(".snakemake/textualization")
if workflow.is_main_process:
    sources = [*Path("scripts").rglob("*.py"), *Path("resources").rglob("*.*")]
    sources += [config["words"]["targets"], config["words"]["contexts"]]
    for model in config["models"]:
        if config["catalogue"][model]["source"] == "path":
            sources += files_of(config["catalogue"][model]["path"])
    try:
        check_memory(Path("results") / config["study"], MEMORY / "studies", config)
        date_by_content(sources, MEMORY / "sources.json")
    except SettingsError as error:
        raise WorkflowError(f"The settings cannot be used.\n{error}") from None


onstart:
    mark_memory(Path("results") / config["study"], MEMORY / "studies")


# What the paper printed, as data.
PAPER = yaml.safe_load(Path("resources/paper.yaml").read_text(encoding="utf-8"))
SHAPE = ("layers", "hidden", "intermediate", "words")
STUDY = Path("results") / config["study"]
MODEL = STUDY / "{model}"
EXPERIMENT = MODEL / "experiments/{experiment}"
COMPARISON = STUDY / "comparison"
# Whether models that cannot be reached are left out.
SKIPPING = config["missing"]["models"] == "skip"
# An input of every rule that asks which models were found.
FOUND = [STUDY / "found.csv"] if SKIPPING else []
SINGLES, GROUPS = config["singles"], config["groups"]
ASCENT, STATISTICS = config["ascent"], config["statistics"]
NULLS = config["nulls"]
SWEEPS = {
    name: config["sweeps"][name] for name in config["experiments"] if name in config["sweeps"]
}
# Null models are made of weights by a rule; of the null objectives, these are groups to climb on.
NULL_MODELS = ("permuted", "permuted_keep_embeddings", "untrained", "rotated_basis")
NULL_GROUPS = ("random_group", "matched_activation")
CLIMBED = [null for null in NULLS["objectives"] if null in NULL_GROUPS]

# Results by what they are of: single neurons, groups, or both.
TABLES = {
    "singles": ("singles", "utilisation", "nulls_singles", "neurons"),
    "groups": ("recovery", "thresholds", "nulls_groups", "selections", "words"),
    "both": ("robustness", "strata", "variance"),
}
FIGURES = {
    "singles": ("singles", "utilisation", "nearest"),
    "groups": ("recovery", "thresholds", "cosine", "selections"),
    "both": ("projection", "curves", "nulls"),
}
ASKED = [of for of in ("singles", "groups") if of in config["experiments"]]
ASKED += ["both"] if len(ASKED) == 2 else []
TABLES = [MODEL / f"tables/{name}.md" for of in ASKED for name in TABLES[of]]
FIGURES = [MODEL / f"figures/{name}.pdf" for of in ASKED for name in FIGURES[of]]
# The report's categories are sorted by name: numbers keep the paper's order.
CATEGORIES = {
    "2 Single neurons": ("singles", "utilisation", "nearest", "neurons"),
    "3 Groups of words": ("recovery", "thresholds", "cosine", "words"),
    "4 Relative against absolute selection": ("selections",),
    "5 Nulls": ("nulls", "nulls_singles", "nulls_groups"),
    "6 Robustness": ("robustness", "strata", "variance", "projection", "curves"),
}
CLAIMS, OF_EXPERIMENTS, COMPARED = "1 Claims", "7 Experiments", "8 Comparison of models"
# Tables of an experiment's own, made by the rules of its stage file.
PARTS = {
    "parametrisation": ["front"],
    "input_length": ["places"],
    "robustness": ["freezing", "agreement"],
    "selection": ["overlap", "sharing"],
    "contexts": ["nearest", "senses"],
    "decomposition": ["explained", "paths"],
}
EXPERIMENTS = [
    MODEL / "experiments" / name / result
    for name in SWEEPS
    for result in ("answer.md", "figure.pdf", *(f"{part}.md" for part in PARTS.get(name, [])))
]

# What the paper's own experiments are browsed in.
ATLAS = [STUDY / "atlas/index.html"] if ASKED else []

# Of a study of several models.
SIDE_BY_SIDE = [
    COMPARISON / name
    for name in ("models.md", "words.md", "numbers.md", "models.pdf")
    if len(config["models"]) > 1 and "both" in ASKED
]


def every_kind(paths):
    """Tables and figures in all their kinds, for the one kind of each that is asked for."""
    kinds = {".md": ("csv", "md", "tex", "html"), ".pdf": ("pdf", "png", "txt")}
    texts = {"findings.md", "answer.md"}
    return [
        path.with_suffix(f".{kind}")
        for path in paths
        for kind in (("md", "html") if path.name in texts else kinds[path.suffix])
    ]


# What the study consists of: all of it is asked for, since Snakemake makes no file again that only a
# finished one was made from.
STUDY_FILES = every_kind([STUDY / "claims.md", STUDY / "findings.md"] + SIDE_BY_SIDE)
STUDY_FILES += [STUDY / "provenance.json", STUDY / "config.yaml"] + ATLAS
MODEL_FILES = every_kind(TABLES + FIGURES + EXPERIMENTS) + [
    MODEL / name
    for of in ("singles", "groups")
    if of in ASKED
    for name in (f"{of}.parquet", f"{of}_embeddings.npy", f"{of}_curves.parquet")
]
MODEL_FILES += [MODEL / "tables/thresholds_by_word.csv"] if "groups" in ASKED else []


# GPU jobs take turns on one machine, as many at a time as `--resources gpu=` says; a scheduler
# runs them side by side.
resource_scopes:
    gpu="local",


wildcard_constraints:
    model="|".join(config["models"]),
    site="output|intermediate",
    layer=r"\d+",
    batch=r"\d+",
    selection="|".join(config["groups"]["selections"]),
    scope="model|layer",
    sizes=r"\d+(_\d+)*",
    null="|".join(("model",) + NULL_MODELS + NULL_GROUPS),
    experiment="|".join(SWEEPS) or "-",
    block="[a-z0-9_]+",
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
        return [row["model"] for row in csv.DictReader(stream) if row["found"] == "True"]


def for_each_model(paths):
    """The same results for every model of the study."""
    return lambda wildcards: expand(paths, model=studied())


def for_each_model_if(of, paths):
    """The same, if the study asks what they are of: `singles`, `groups` or `both`."""
    return for_each_model(paths if of in ASKED else [])


def if_asked(of, **inputs):
    """Inputs by name, if the study asks what they are of: `singles` or `groups`."""
    return inputs if of in ASKED else {}


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
    """A model's folder, shared by all studies."""
    return Path("results/_models") / folder_name(model, entry(model))


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
    return [source_weights(wildcards, wildcards.null, draw) for draw in draws_of_batch(wildcards)]


def null_batches(kind, nulls):
    """All batches of draws of some nulls: `singles` or `groups`."""
    return [
        MODEL / f"nulls/{kind}-{null}-{batch}.parquet"
        for null in nulls
        for batch in range(ceil(NULLS["draws"] / NULLS["batch"]))
    ]


def protocol(kind):
    """All settings that decide an optimum of this kind (`singles` or `groups`)."""
    return sweeps.protocol(config, kind)


def sweep_conditions(wildcards):
    """The conditions of a block of an experiment, resolved, by name."""
    found = conditions(SWEEPS[wildcards.experiment])[wildcards.block]
    return {name: resolved(condition, config) for name, condition in found.items()}


def sweep_asked(experiment):
    """What an experiment climbs: single neurons, groups of words, groups of contexts."""
    kinds = ("singles", "groups", "contexts")
    return {kind: SWEEPS[experiment][kind] for kind in kinds if kind in SWEEPS[experiment]}


def sweep_draws(wildcards):
    """The draws of a null model that an experiment is repeated on, from 0; one of the model itself."""
    draws = 1 if wildcards.null == "model" else SWEEPS[wildcards.experiment]["nulls"]["draws"]
    return list(range(draws))


def source_weights(wildcards, null, draw):
    """The weights of the model, or of a draw of a null model."""
    if null == "model":
        return frozen(wildcards)
    return weights_folder(wildcards.model) / f"nulls/{null}-{config['seed']}-{draw}.safetensors"


def sweep_weights(wildcards):
    """The model's weights, or those of all draws of a null model."""
    return [source_weights(wildcards, wildcards.null, draw) for draw in sweep_draws(wildcards)]


def sweep_contexts(wildcards):
    """The file of contexts, of experiments that ask contexts or words of contexts."""
    needed = needs_contexts(SWEEPS[wildcards.experiment])
    return [config["words"]["contexts"]] if needed else []


def experiment(name):
    """The folder of an experiment's results."""
    return MODEL / "experiments" / name


def optima_of(name):
    """All blocks of an experiment, climbed on the model and on its null models."""
    # Of an experiment that the study does not ask, no rule's inputs are needed.
    sweep = SWEEPS.get(name, {"vary": {}, "nulls": {"models": []}})
    return [
        experiment(name) / f"optima/{block}-{null}.parquet"
        for null in ("model", *sweep["nulls"]["models"])
        for block in blocks(sweep)
        if null == "model" or block in sweep["nulls"].get("blocks", [block])
    ]


def sweep_optima(wildcards):
    """The same, of the experiment that a rule's results are for."""
    return expand(optima_of(wildcards.experiment), model=wildcards.model)


def all_conditions(name):
    """All conditions of an experiment, resolved, by name."""
    found = conditions(SWEEPS[name]).values()
    return {key: resolved(c, config) for block in found for key, c in block.items()}


def all_sources(name):
    """The model and all draws of an experiment's null models, as (null, draw)."""
    nulls = SWEEPS[name]["nulls"]
    return [("model", 0)] + [(n, d) for n in nulls["models"] for d in range(nulls["draws"])]


def all_weights(wildcards, name):
    """Their weights, in that order."""
    return [source_weights(wildcards, null, draw) for null, draw in all_sources(name)]


def as_table(name, **place):
    """A table three times, and once more as a page of the report; place: of the page, as in report()."""
    return {
        **{kind: f"{name}.{kind}" for kind in ("csv", "md", "tex")},
        "html": report(f"{name}.html", **place),
    }


def as_figure(name, labels, **place):
    """A figure: vectors for a paper, pixels for a screen, words for those who do not see it."""
    files = {"pdf": f"{name}.pdf"}
    for kind, what in (("png", "figure"), ("txt", "figure in words")):
        # In the order of a table's: the report's columns are those of its first result.
        own = {"result": labels["result"], "as": what} | labels
        files[kind] = report(f"{name}.{kind}", labels=own, **place)
    return files


def prefixed(prefix, files):
    """The same files, of a rule that makes others too."""
    return {f"{prefix}_{kind}": path for kind, path in files.items()}


def category(name):
    """The part of the report that a table or figure of a model is in."""
    return next(key for key, names in CATEGORIES.items() if name in names)


def table(name):
    """One table of a model: for programs, for reading, for a paper, for the report."""
    return as_table(
        MODEL / f"tables/{name}",
        caption=f"../report/table-{name}.rst",
        category=category(name),
        labels={"result": name, "as": "table", "model": "{model}"},
    )


def figure(name):
    """One figure of a model, and what it shows in words."""
    return as_figure(
        MODEL / f"figures/{name}",
        caption=f"../report/figure-{name}.rst",
        category=category(name),
        labels={"result": name, "model": "{model}"},
    )


def part(name, what):
    """A table of an experiment's own."""
    return as_table(
        experiment(name) / what,
        caption=f"../report/experiment-{name}-{what}.rst",
        category=OF_EXPERIMENTS,
        subcategory=name,
        labels={"result": what, "as": "table", "model": "{model}"},
    )


def sweep_parts(wildcards):
    """The tables that an experiment has of its own, beside those that all have."""
    names = PARTS.get(wildcards.experiment, [])
    return [str(EXPERIMENT / f"{name}.csv").format(**wildcards) for name in names]


def growing(amount):
    """So many megabytes or minutes; as much again on every further attempt."""
    return lambda wildcards, attempt: amount * attempt


def weights_mb(model):
    """Megabytes of a model's float32 weights: attention, a feed-forward layer with a gate, words."""
    layers, hidden, intermediate, words = (entry(model)[key] for key in SHAPE)
    numbers = layers * (4 * hidden**2 + 3 * hidden * intermediate) + words * hidden
    return ceil(4 * numbers / 2**20)


def holding_model(fixed, copies):
    """Megabytes of a job that holds the weights so many times; as much again on every attempt."""

    def megabytes(wildcards, attempt):
        model = wildcards.get("model") or wildcards.name
        return attempt * (fixed + copies * weights_mb(model))

    return megabytes


def gpus():
    """GPUs that a job which climbs asks for: one, or with `auto` one if this machine has any."""
    seen = shutil.which("nvidia-smi") is not None
    return int(ASCENT["device"] == "cuda" or (ASCENT["device"] == "auto" and seen))
