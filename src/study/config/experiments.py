"""Experiments: ascents on the same objectives under several conditions.

An experiment's `vary` names blocks. A block gives some variables a value or a list of values; its
conditions are all combinations. Variables in neither a block nor `base` take the study's settings.
Loads fast: the Snakefile imports this module.
"""

from itertools import product

from study.config.reading import reading
from textualization.models.row_files import SUFFIX
from textualization.registry import BASES, MOST_TOKENS, SOLVERS

#: Maximum number of free positions: a converted model's maximum length without the special tokens.
MOST_FREE = 62

#: Solvers that try words, texts of some tokens, or the tokens of a corpus, and the variables that are
#: options of theirs.
SEARCHES = {
    "exhaustive": ("top",),
    "coordinate": ("candidates", "sweeps", "restarts"),
    "corpus": ("top",),
}
#: Variables of a condition: the default (None: that of the solver, or of the study's `ascent`), and the
#: allowed values: names, a range of whole numbers, or the bounds of a number.
ANY, POSITIVE = (0.0, 1e9), (1e-12, 1e9)
VARIABLES = {
    # the ascent
    "solver": (None, (*SOLVERS, *SEARCHES)),
    "steps": (None, range(1, 1_000_001)),
    "rate": (None, POSITIVE),
    "power": (None, (0.0, 2.0)),
    "dtype": (None, ("float32", "float64")),
    "init_kind": (None, ("normal", "uniform")),
    "init_scale": (None, (1e-9, 1e9)),
    "seed": (None, range(2**32)),
    "start": (None, ("random", "mean_word", "own_word")),
    "parametrisation": (
        None,
        ("vocabulary", "embedding", "sphere", "softmax", "gumbel_softmax", "convex_hull"),
    ),
    "penalty": ("none", ("none", "l2_e", "l2_x", "nearest_word", "entropy", "mahalanobis")),
    "strength": (0.0, ANY),
    "project_every": (0, range(1_000_001)),
    "temperature_from": (None, POSITIVE),
    "temperature_to": (None, POSITIVE),
    # of searches: items whose mean embedding is judged as well; what a search for texts may evaluate
    "top": (10, range(1, 1001)),
    "candidates": (None, range(1, 1_000_001)),
    "sweeps": (None, range(1_000_001)),
    "restarts": (None, range(1, 1_000_001)),
    # the number of free positions between the special tokens, and the one that is read: the first
    # unless said; of a text, the one that activates most
    "length": (1, range(1, MOST_FREE + 1)),
    "place": (None, range(1, MOST_FREE + 1)),
    # what is read of a layer, or a .safetensors file of rows; and the choice of neurons
    "basis": ("neurons", BASES),
    "site": ("output", ("output", "intermediate")),
    "scope": ("model", ("model", "layer")),
    "selection": ("absolute", ("absolute", "ratio_to_max", "z_score", "contrast")),
    "activations": ("alone", ("alone", "in_context")),
    "reading": ("word", ("word", "pooled")),
}
#: Kinds of objectives that are one neuron, or one row of a basis.
ALONE = ("single", "leading")
#: Variables that choose neurons.
CHOICE = ("basis", "site", "scope", "selection", "activations", "reading")
DEFAULTS = {name: default for name, (default, _) in VARIABLES.items()}
#: Parametrisations that each solver supports, its default first.
PARAMETRISATIONS = {name: entry.parametrisations for name, entry in SOLVERS.items()}
PARAMETRISATIONS |= dict.fromkeys(SEARCHES, ("word",))
#: Values of `place` that stand for numbers.
PLACES = ("each", "last")
#: Solvers that move several free positions.
SEVERAL = [name for name, entry in SOLVERS.items() if entry.several] + ["coordinate"]
_MIXTURES = ("softmax", "gumbel_softmax")


def blocks(experiment: dict) -> dict[str, dict]:
    """Return the blocks of an experiment, without those that a later settings file set to null."""
    return {name: varied for name, varied in experiment["vary"].items() if varied is not None}


def needs_contexts(experiment: dict) -> bool:
    """Tell whether an experiment ascends on contexts or on words of contexts."""
    return "contexts" in experiment or experiment.get("groups", {}).get("of") == "contexts"


def conditions(experiment: dict) -> dict[str, dict[str, dict]]:
    """List the conditions of every block: {block: {name: {variable: value}}}.

    A name is the block's, followed by the values in which its conditions differ. `place: each` gives
    one condition per free position, `place: last` reads the last one.
    """
    found = {}
    for block, varied in blocks(experiment).items():
        lists = {key: v if isinstance(v, list) else [v] for key, v in varied.items()}
        several = [key for key, values in lists.items() if len(values) > 1 or values == ["each"]]
        found[block] = {}
        for values in product(*lists.values()):
            for one in _places(experiment.get("base", {}) | dict(zip(lists, values, strict=True))):
                name = " ".join([block, *(f"{key}={one[key]}" for key in several)])
                found[block][name] = one
    return found


def _places(condition: dict) -> list[dict]:
    if condition.get("place") not in PLACES:
        return [condition]
    length = condition.get("length", 1)
    places = range(1, length + 1) if condition["place"] == "each" else [length]
    return [condition | {"place": place} for place in places]


def requested(experiment: dict) -> dict:
    """Return an experiment's objectives as declared: single neurons, groups of words or of contexts."""
    kinds = ("singles", "groups", "contexts")
    return {kind: experiment[kind] for kind in kinds if kind in experiment}


def protocol(settings: dict, subject: str) -> dict:
    """Return the fields of `textualization.ascent.protocol.Protocol` for a study.

    Args:
        settings: the study's settings.
        subject: `singles` or `groups`.
    """
    ascent = settings["ascent"]
    options = ascent | {"paper": {"rate": ascent["rate"]}}
    return {
        "solver": ascent["solver"],
        "options": options[ascent["solver"]],
        "steps": ascent[subject]["steps"],
        "recorded": ascent["recorded"],
        **ascent["stop"],
        **reading(settings),
        "init": ascent["init"],
        "seed": settings["seed"],
        "entries": ascent["entries"],
    }


def resolved(condition: dict, settings: dict) -> dict:
    """Return a condition in full: its `protocol`, its choice of neurons, and what it `varied`.

    Args:
        condition: variables and their values.
        settings: the study's settings, for all other variables.
    """
    full = DEFAULTS | condition
    ascent = settings["ascent"]
    solver = full["solver"] or ascent["solver"]
    options = dict(ascent.get(solver, {}))
    if solver == "paper":
        options = {"rate": ascent["rate"]}
    own = {key: full[key] for key in _options_of(solver) if full[key] is not None}
    options |= {key: v for key, v in own.items() if key in condition or key not in options}
    return {
        "protocol": protocol(settings, "groups")
        | {
            "solver": solver,
            "options": options,
            "steps": full["steps"] or ascent["groups"]["steps"],
            "init": {
                "kind": full["init_kind"] or ascent["init"]["kind"],
                "scale": full["init_scale"] or ascent["init"]["scale"],
            },
            "seed": settings["seed"] if full["seed"] is None else full["seed"],
            "dtype": full["dtype"] or ascent["dtype"],
            "entries": 0,
            "length": full["length"],
            "place": full["place"] or (None if solver == "coordinate" else 1),
        },
        **{key: full[key] for key in CHOICE},
        # Without it, starts are drawn: what does not start elsewhere is not made again.
        **({} if (start := start_of(condition, settings)) == "random" else {"start": start}),
        "varied": dict(condition),
    }


def start_of(condition: dict, settings: dict) -> str:
    """Return where ascents of a condition start: `study` is the study's, if that is not drawn."""
    studys = "random" if settings["ascent"]["start"] == "random" else "study"
    return condition.get("start") or studys


def _options_of(solver: str) -> tuple[str, ...]:
    """Return the variables that a solver takes as options."""
    return SOLVERS[solver].options if solver in SOLVERS else SEARCHES[solver]


def wrong_values(block: dict) -> list[str]:
    """List the faults in the variables and values of a block or a base."""
    found = []
    for key, values in block.items():
        if key not in VARIABLES:
            found.append(f"{key!r} is not a variable (allowed: {', '.join(VARIABLES)})")
            continue
        allowed = VARIABLES[key][1]
        for value in values if isinstance(values, list) and values else [values]:
            if (key == "place" and value in PLACES) or (key == "basis" and is_file(value)):
                continue
            if not _is_allowed(value, allowed):
                text = _as_text(allowed)
                text += f"; or the path of a {SUFFIX} file" if key == "basis" else ""
                found.append(f"{key}: {value!r} is not valid (allowed: {text})")
    return found


def is_file(basis) -> bool:
    """Tell whether a basis is the path of a file of rows."""
    return isinstance(basis, str) and basis.endswith(SUFFIX)


def basis_files(found: dict[str, dict]) -> list[str]:
    """List the files that are bases of some conditions, resolved or not."""
    bases = [condition.get("basis", "neurons") for condition in found.values()]
    return list(dict.fromkeys(basis for basis in bases if is_file(basis)))


def reads_corpus(found: dict[str, dict]) -> bool:
    """Tell whether some conditions, resolved ones, search a corpus."""
    return any(condition["protocol"]["solver"] == "corpus" for condition in found.values())


def _is_allowed(value, allowed) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(allowed, range):
        return whole and value in allowed
    if isinstance(allowed[0], str):
        return value in allowed
    least, most = allowed
    return (whole or isinstance(value, float)) and least <= value <= most


def _as_text(allowed) -> str:
    if isinstance(allowed, range):
        return f"a whole number from {allowed[0]} to {allowed[-1]}, or a list of them"
    if isinstance(allowed[0], str):
        return f"one of {', '.join(allowed)}, or a list of them"
    least, most = allowed
    return f"a number {'above' if least else 'from'} 0, to {most:g}, or a list of them"


def faults(condition: dict, settings: dict) -> list[str]:
    """List the contradictions in a condition."""
    ascent = settings["ascent"]
    full = DEFAULTS | condition
    solver = full["solver"] or ascent["solver"]
    kind = full["parametrisation"] or ascent.get(solver, {}).get("parametrisation")
    kind = kind or PARAMETRISATIONS[solver][0]
    found = []
    if kind not in PARAMETRISATIONS[solver]:
        supported = ", ".join(PARAMETRISATIONS[solver])
        others = " or ".join(name for name, kinds in PARAMETRISATIONS.items() if kind in kinds)
        found.append(
            f"parametrisation {kind} with solver {solver}, which supports {supported}; take {others}"
        )
    own = {*_options_of("adam")}.union(*SEARCHES.values()) - {"parametrisation"}
    for key in sorted(set(condition) & own):
        if key not in _options_of(solver) and full[key] not in (0, "none"):
            found.append(f"{key} with solver {solver}, which has no such option")
    if "power" in condition and "power" not in _options_of(solver):
        found.append(f"power with solver {solver}, which has no such option; take lbfgs or sphere")
    if full["basis"] != "neurons" and full["activations"] == "in_context":
        found.append(f"basis {full['basis']} with activations in_context; take alone")
    if (full["penalty"] == "none") != (not full["strength"]):
        found.append("penalty and strength must be given together")
    if full["penalty"] == "entropy" and kind not in _MIXTURES:
        found.append(f"penalty entropy with parametrisation {kind}, which has no mixture weights")
    if full["project_every"] and kind not in ("embedding", "sphere"):
        found.append(f"project_every with parametrisation {kind}; take embedding or sphere")
    for key in ("temperature_from", "temperature_to"):
        if key in condition and kind not in _MIXTURES:
            found.append(f"{key} with parametrisation {kind}, which has no temperature")
    if full["length"] > 1 and solver not in SEVERAL:
        others = ", ".join(SEVERAL)
        found.append(f"length {full['length']} with solver {solver}, which takes 1; take {others}")
    if full["length"] > MOST_TOKENS and solver == "coordinate":
        found.append(f"length {full['length']} with solver coordinate; take 1 to {MOST_TOKENS}")
    if solver in ("coordinate", "corpus"):
        found += _unreadable(solver, settings)
    if full["length"] > 1 and settings["read"] != "word":
        found.append(f"length {full['length']} with read: {settings['read']}; take word")
    if full["length"] > 1 and settings["context"]:
        found.append(f"length {full['length']} within a context, which has one x; take null")
    if start_of(condition, settings) != "random":
        at = full["start"] or f"ascent.start {settings['ascent']['start']}"
        found += [
            f"{key} with start {at}, which is not drawn"
            for key in ("seed", "init_kind", "init_scale")
            if key in condition
        ]
        if full["length"] > 1:
            found.append(f"length {full['length']} with start {at}; take random")
        if full["start"] and solver in SEARCHES:
            found.append(f"start {at} with solver {solver}, which starts nowhere")
    if (full["place"] or 1) > full["length"]:
        found.append(f"place {full['place']} of {full['length']} free positions")
    return found


def _unreadable(solver: str, settings: dict) -> list[str]:
    """List settings with which no text is read, or no corpus is there."""
    found = [
        f"solver {solver} with {key}: {settings[key]}, which reads texts alone, at their highest; take "
        f"{key}: {'null' if usual is None else usual}"
        for key, usual in (("read", "word"), ("context", None), ("seek", "maximum"))
        if settings[key] != usual
    ]
    if solver == "corpus" and settings["corpus"] is None:
        found.append(
            "solver corpus with corpus: null; take corpus: default, or the path of a text file"
        )
    return found
