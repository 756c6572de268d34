"""Sweeps: the same objectives climbed under several conditions, each a few settings that differ.

A sweep's `vary` names blocks; a block gives some variables a value, or a list of them, and stands for
all combinations. What no block and no `base` says is the study's own. Light on purpose: imported
whenever the Snakefile is parsed.
"""

from itertools import product

#: Free positions in a row: as many tokens are known of a frozen model, less those around them.
MOST_FREE = 62

#: What a condition may vary: its value where nothing is said (None: as the solver, or the study's
#: `ascent`, has it), and what is allowed: names, or the least and the largest number (whole, or any).
ANY, POSITIVE = (0.0, 1e9), (1e-12, 1e9)
VARIABLES = {
    # how it climbs
    "solver": (None, ("paper", "lbfgs", "sphere", "adam", "frank_wolfe", "exhaustive")),
    "steps": (None, range(1, 1_000_001)),
    "rate": (None, POSITIVE),
    "init_kind": (None, ("normal", "uniform")),
    "init_scale": (None, (1e-9, 1e9)),
    "seed": (None, range(2**32)),
    "parametrisation": (
        None,
        ("vocabulary", "embedding", "sphere", "softmax", "gumbel_softmax", "convex_hull"),
    ),
    "penalty": ("none", ("none", "l2_e", "l2_x", "nearest_word", "entropy", "mahalanobis")),
    "strength": (0.0, ANY),
    "project_every": (0, range(1_000_001)),
    "temperature_from": (None, POSITIVE),
    "temperature_to": (None, POSITIVE),
    # what stands between the fixed tokens, and which of it is read
    "length": (1, range(1, MOST_FREE + 1)),
    "place": (1, range(1, MOST_FREE + 1)),
    # which neurons
    "site": ("output", ("output", "intermediate")),
    "scope": ("model", ("model", "layer")),
    "selection": ("absolute", ("absolute", "ratio_to_max", "z_score", "contrast")),
    "activations": ("alone", ("alone", "in_context")),
    "reading": ("word", ("word", "pooled")),
}
DEFAULTS = {name: default for name, (default, _) in VARIABLES.items()}
#: The parametrisations that a solver moves; the first is its own.
MOVES = {
    "paper": ("vocabulary",),
    "lbfgs": ("sphere",),
    "sphere": ("sphere",),
    "adam": ("embedding", "vocabulary", "sphere", "softmax", "gumbel_softmax"),
    "frank_wolfe": ("convex_hull",),
    "exhaustive": ("word",),
}
_WHY_NOT = {
    "paper": "keeps its state by the Gram matrix EᵀE, which x = vocabulary alone allows",
    "lbfgs": "moves e on a sphere",
    "sphere": "moves e on a sphere",
    "adam": "moves no convex hull: take frank_wolfe",
    "frank_wolfe": "moves within the words' convex hull only",
    "exhaustive": "tries every word",
}
_MIXTURES = ("softmax", "gumbel_softmax")


def blocks(sweep: dict) -> dict[str, dict]:
    """The blocks of a sweep, but for those that a later settings file took out (null)."""
    return {name: varied for name, varied in sweep["vary"].items() if varied is not None}


def needs_contexts(sweep: dict) -> bool:
    """Whether it asks contexts, or words of contexts."""
    return "contexts" in sweep or sweep.get("groups", {}).get("of") == "contexts"


def conditions(sweep: dict) -> dict[str, dict[str, dict]]:
    """The conditions of every block, by names that tell them apart: {block: {name: {variable: value}}}.

    `place: each` stands for every free position.
    """
    found = {}
    for block, varied in blocks(sweep).items():
        lists = {key: v if isinstance(v, list) else [v] for key, v in varied.items()}
        several = [key for key, values in lists.items() if len(values) > 1 or values == ["each"]]
        found[block] = {}
        for values in product(*lists.values()):
            for one in _places(sweep.get("base", {}) | dict(zip(lists, values, strict=True))):
                name = " ".join([block, *(f"{key}={one[key]}" for key in several)])
                found[block][name] = one
    return found


def _places(condition: dict) -> list[dict]:
    if condition.get("place") != "each":
        return [condition]
    places = range(1, condition.get("length", 1) + 1)
    return [condition | {"place": place} for place in places]


def protocol(settings: dict, kind: str) -> dict:
    """All settings of a study that decide an optimum of this kind (`singles` or `groups`)."""
    ascent = settings["ascent"]
    options = ascent | {"paper": {"rate": ascent["rate"]}}
    return {
        "settings": {
            "solver": ascent["solver"],
            "options": options[ascent["solver"]],
            "steps": ascent[kind]["steps"],
            "recorded": ascent["recorded"],
            **ascent["stop"],
        },
        "precision": _precision(ascent),
        "init": ascent["init"],
        "seed": settings["seed"],
        "read": settings["read"],
        "entries": ascent["entries"],
    }


def _precision(ascent: dict) -> dict:
    """How exactly, without what no product asks for."""
    precision = dict(ascent["precision"])
    if precision["products"] == "same":
        precision.pop("polish")
    return precision


def resolved(condition: dict, settings: dict) -> dict:
    """All that a condition is, as scripts take it: `protocol` (see `climbing.climbed`), and a choice.

    settings: the study's.
    """
    full = DEFAULTS | condition
    ascent = settings["ascent"]
    solver = full["solver"] or ascent["solver"]
    options = dict(ascent.get(solver, {}))
    if solver == "paper":
        options = {"rate": ascent["rate"]}
    own = {key: full[key] for key in _options_of(solver) if full[key] is not None}
    asked = {key: value for key, value in own.items() if key in condition or key not in options}
    return {
        "protocol": {
            "settings": {
                "solver": solver,
                "options": options | asked,
                "steps": full["steps"] or ascent["groups"]["steps"],
                "recorded": ascent["recorded"],
                **ascent["stop"],
            },
            "precision": _precision(ascent),
            "init": {
                "kind": full["init_kind"] or ascent["init"]["kind"],
                "scale": full["init_scale"] or ascent["init"]["scale"],
            },
            "seed": settings["seed"] if full["seed"] is None else full["seed"],
            "read": settings["read"],
            "entries": 0,
            "length": full["length"],
            "place": full["place"],
        },
        **{key: full[key] for key in ("site", "scope", "selection", "activations", "reading")},
        "varied": dict(condition),
    }


def _options_of(solver: str) -> tuple[str, ...]:
    adam = ("rate", "parametrisation", "penalty", "strength", "project_every")
    return {
        "paper": ("rate",),
        "adam": (*adam, "temperature_from", "temperature_to"),
        "frank_wolfe": ("penalty", "strength"),
    }.get(solver, ())


def wrong_values(block: dict) -> list[str]:
    """What is wrong with the variables and values of a block or a base, in a few words each."""
    found = []
    for key, values in block.items():
        if key not in VARIABLES:
            found.append(f"{key!r} is no variable (known: {', '.join(VARIABLES)})")
            continue
        allowed = VARIABLES[key][1]
        for value in values if isinstance(values, list) and values else [values]:
            if key == "place" and value == "each":
                continue
            if not _is_allowed(value, allowed):
                found.append(f"{key}: {value!r} is not valid (allowed: {_told(allowed)})")
    return found


def _is_allowed(value, allowed) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(allowed, range):
        return whole and value in allowed
    if isinstance(allowed[0], str):
        return value in allowed
    least, most = allowed
    return (whole or isinstance(value, float)) and least <= value <= most


def _told(allowed) -> str:
    if isinstance(allowed, range):
        return f"a whole number from {allowed[0]} to {allowed[-1]}, or a list of them"
    if isinstance(allowed[0], str):
        return f"one of {', '.join(allowed)}, or a list of them"
    least, most = allowed
    return f"a number {'above' if least else 'from'} 0, to {most:g}, or a list of them"


def faults(condition: dict, settings: dict) -> list[str]:
    """What makes a condition impossible, each in a few words; none if nothing does."""
    ascent = settings["ascent"]
    full = DEFAULTS | condition
    solver = full["solver"] or ascent["solver"]
    kind = full["parametrisation"] or ascent.get(solver, {}).get("parametrisation")
    kind = kind or MOVES[solver][0]
    found = []
    if kind not in MOVES[solver]:
        found.append(f"parametrisation {kind} with solver {solver}, which {_WHY_NOT[solver]}")
    for key in sorted(set(condition) & {*_options_of("adam")} - {"parametrisation"}):
        if key not in _options_of(solver) and full[key] not in (0, "none"):
            found.append(f"{key} with solver {solver}, which has no such option")
    if (full["penalty"] == "none") != (not full["strength"]):
        found.append("a penalty and its strength go together: one of them is not given")
    if full["penalty"] == "entropy" and kind not in _MIXTURES:
        found.append(f"penalty entropy with parametrisation {kind}, which mixes no words")
    if full["project_every"] and kind not in ("embedding", "sphere"):
        found.append(f"project_every with parametrisation {kind}; it takes embedding or sphere")
    for key in ("temperature_from", "temperature_to"):
        if key in condition and kind not in _MIXTURES:
            found.append(f"{key} with parametrisation {kind}, which has no temperature")
    if full["length"] > 1 and solver != "paper":
        found.append(f"length {full['length']} with solver {solver}: only paper moves several")
    if full["length"] > 1 and settings["read"] != "word":
        found.append(f"length {full['length']} with read: {settings['read']}; it takes word")
    if full["place"] > full["length"]:
        found.append(f"place {full['place']} of {full['length']} free positions")
    if ascent["precision"]["products"] != "same" and solver in ("adam", "frank_wolfe"):
        found.append(f"solver {solver} with ascent.precision.products other than same")
    return found
