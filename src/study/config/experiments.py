"""Experiments: ascents on the same objectives under several conditions.

An experiment's `vary` names blocks. A block gives some variables a value or a list of values; its
conditions are all combinations. Variables in neither a block nor `base` take the study's settings.
Loads fast: the Snakefile imports this module.
"""

from itertools import product

from study.config.reading import reading
from study.config.variables import CHOICE, DEFAULTS, PLACES, is_file, options_of


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
    own = {key: full[key] for key in options_of(solver) if full[key] is not None}
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


def basis_files(found: dict[str, dict]) -> list[str]:
    """List the files that are bases of some conditions, resolved or not."""
    bases = [condition.get("basis", "neurons") for condition in found.values()]
    return list(dict.fromkeys(basis for basis in bases if is_file(basis)))


def reads_corpus(found: dict[str, dict]) -> bool:
    """Tell whether some conditions, resolved ones, search a corpus."""
    return any(condition["protocol"]["solver"] == "corpus" for condition in found.values())
