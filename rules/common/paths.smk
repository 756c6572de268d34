# Where results are, and which of them the settings request.
import csv
from math import ceil

from study.config import experiments, reading
from textualization.registry import NULL_MODELS

SHAPE = ("layers", "hidden", "intermediate", "words")
SINGLES, GROUPS, NULLS = config["singles"], config["groups"], config["nulls"]
ASCENT, STATISTICS = config["ascent"], config["statistics"]
# Sites that claims are about. Those on single neurons use the first site only.
CLAIMED = {"singles": SINGLES["sites"][:1], "groups": GROUPS["sites"]}
EXPERIMENTS = {n: config["experiments"][n] for n in config["run"] if n in config["experiments"]}
# Settings of every interval, as `textualization.analysis.estimates.Intervals` takes them.
INTERVALS = {key: STATISTICS[key] for key in ("confidence", "resamples")} | {"seed": config["seed"]}
# Null models: weights changed by a rule. Null groups: null objectives that need their own ascents.
NULL_GROUPS = ("random_group", "matched_activation")
NULL_ASCENTS = [null for null in NULLS["objectives"] if null in NULL_GROUPS]

STUDY = Path("results") / config["study"]
MODEL = STUDY / "{model}"
EXPERIMENT = MODEL / "experiments/{experiment}"
COMPARISON = STUDY / "comparison"
# Files of a model that all studies share.
SHARED = "results/_models/{name}-{checksum}"
# How every job reads the model; and the sentence around x, if the settings have one.
READING = reading.reading(config)
IN_CONTEXT = {"context": MODEL / "context.json"} if config["context"] else {}
# The words at which ascents start, an input of all that ascends; none if starts are drawn.
STARTED = {} if ASCENT["start"] == "random" else {"start": MODEL / "start.parquet"}
# Models that cannot be reached may be skipped. Rules that depend on this have FOUND as an input.
SKIPPING = config["missing"]["models"] == "skip"
FOUND = [STUDY / "found.csv"] if SKIPPING else []
# What the study ascends on: single neurons, groups, both, or experiments alone.
STUDIED = [kind for kind in ("singles", "groups") if kind in config["run"]]
# Of these, the ones with twins: the same ascents again, from starts moved by one rounding.
TWINNED = [kind for kind in STUDIED if ASCENT["twins"][kind]]
# Subjects of the study's tables and figures: single neurons, groups, both, any of them, twins, directions.
SUBJECTS = STUDIED + (["both"] if len(STUDIED) == 2 else []) + (["any"] if STUDIED else [])
SUBJECTS += ["twins"] if TWINNED else []
SUBJECTS += ["directions"] if "directions" in config["run"] else []


wildcard_constraints:
    model="|".join(config["models"]),
    site="output|intermediate",
    layer=r"\d+",
    batch=r"\d+",
    selection="|".join(GROUPS["selections"]),
    scope="model|layer",
    sizes=r"\d+(_\d+)*",
    null="|".join(("model", *NULL_MODELS, *NULL_GROUPS)),
    experiment="|".join(EXPERIMENTS) or "-",
    block="[a-z0-9_]+",
    direction_set="[a-z][a-z0-9_]*",
    seed=r"\d+",
    replicate=r"\d+",
    tokens=r"\d+",


def script_with_modules(name):
    """List a script and its modules, as inputs: an edit re-runs what depends on them."""
    return local_imports(ROOT / f"scripts/{name}.py", ROOT / "src")


def studied():
    """List the models of the study, or those found if missing ones are skipped."""
    if not SKIPPING:
        return config["models"]
    with open(checkpoints.find_models.get().output[0], encoding="utf-8", newline="") as stream:
        return [row["model"] for row in csv.DictReader(stream) if row["found"] == "True"]


def for_each_model(paths, subject=None):
    """Return paths for every model; none if the study does not have the subject."""
    paths = paths if subject in (None, *SUBJECTS) else []
    return lambda wildcards: expand(paths, model=studied())


def if_studied(subject, **inputs):
    """Return inputs by name if the study has the subject (`singles`, `groups` or `directions`)."""
    return inputs if subject in SUBJECTS else {}


def entry(model):
    """Return a model's entry in the catalogue: source, checksum and shape."""
    return config["catalogue"][model]


def source_of(model):
    """Return a model's source: its entry without what says how it is read, and what is recorded."""
    how = (*SHAPE, "family", "frame", "license", "precision")
    return {key: value for key, value in entry(model).items() if key not in how}


# GGUF files need two packages more.
FETCHING = "gguf" if any("gguf" in entry(model) for model in config["models"]) else "model"


def weights_folder(model):
    """Return a model's folder, which all studies share."""
    return Path("results/_models") / folder_name(model, entry(model))


def frozen(wildcards):
    """Return the file of a model's converted tensors."""
    return weights_folder(wildcards.model) / "frozen.safetensors"


def tokenizer(wildcards):
    """Return the file of a model's tokenizer."""
    return weights_folder(wildcards.model) / "tokenizer.json"


def of_sites(path, part):
    """Return a path for every site of a part of the settings (None: for all sites in use)."""
    sites = part["sites"] if part else dict.fromkeys(SINGLES["sites"] + GROUPS["sites"])
    return expand(MODEL / path, site=sites, allow_missing=True)


def layers_of(model):
    """Return a model's layers, from 1."""
    return range(1, entry(model)["layers"] + 1)


def width(model, site):
    """Return the number of neurons per layer at a site."""
    return entry(model)["hidden" if site == "output" else "intermediate"]


def single_layers(model):
    """List the layers whose single neurons are studied."""
    layers = layers_of(model)
    return [la for la in layers if SINGLES["layers"] == "all" or la in SINGLES["layers"]]


def neurons_of(model, scope):
    """Return the number of neurons that may be in a group."""
    per_layer = sum(width(model, site) for site in GROUPS["sites"])
    return per_layer * (len(layers_of(model)) if scope == "model" else 1)


def sizes_of(model, scope):
    """List a scope's group sizes that the model has enough neurons for, ascending."""
    return group_sizes(GROUPS["sizes"].get(scope, []), neurons_of(model, scope))


def protocol(subject):
    """Return all settings that determine an optimum of `singles` or `groups`."""
    return experiments.protocol(config, subject)
