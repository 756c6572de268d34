"""Conditions of experiments that are impossible: values that contradict each other or the study.

Loads fast: the Snakefile imports this module.
"""

from study.config.experiments import start_of
from study.config.variables import DEFAULTS, PARAMETRISATIONS, SEARCHES, SEVERAL, options_of
from textualization.registry import MOST_TOKENS

_MIXTURES = ("softmax", "gumbel_softmax")


def faults(condition: dict, settings: dict) -> list[str]:
    """List the contradictions in a condition.

    Args:
        condition: variables and their values.
        settings: the study's settings, for all other variables.
    """
    full = DEFAULTS | condition
    solver = full["solver"] or settings["ascent"]["solver"]
    found = _of_options(condition, solver, settings)
    found += _of_length(full, solver, settings)
    found += _of_start(condition, solver, settings)
    if (full["place"] or 1) > full["length"]:
        found.append(f"place {full['place']} of {full['length']} free positions")
    return found


def _of_options(condition: dict, solver: str, settings: dict) -> list[str]:
    """List options that a solver or a parametrisation does not have, or that need another one."""
    full = DEFAULTS | condition
    kind = full["parametrisation"] or settings["ascent"].get(solver, {}).get("parametrisation")
    kind = kind or PARAMETRISATIONS[solver][0]
    found = []
    if kind not in PARAMETRISATIONS[solver]:
        supported = ", ".join(PARAMETRISATIONS[solver])
        others = " or ".join(name for name, kinds in PARAMETRISATIONS.items() if kind in kinds)
        found.append(
            f"parametrisation {kind} with solver {solver}, which supports {supported}; take {others}"
        )
    own = {*options_of("adam")}.union(*SEARCHES.values()) - {"parametrisation"}
    for key in sorted(set(condition) & own):
        if key not in options_of(solver) and full[key] not in (0, "none"):
            found.append(f"{key} with solver {solver}, which has no such option")
    if "power" in condition and "power" not in options_of(solver):
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
    return found


def _of_length(full: dict, solver: str, settings: dict) -> list[str]:
    """List what does not go with the number of free positions, or with texts and a corpus."""
    length, found = full["length"], []
    if length > 1 and solver not in SEVERAL:
        others = ", ".join(SEVERAL)
        found.append(f"length {length} with solver {solver}, which takes 1; take {others}")
    if length > MOST_TOKENS and solver == "coordinate":
        found.append(f"length {length} with solver coordinate; take 1 to {MOST_TOKENS}")
    if solver in ("coordinate", "corpus"):
        found += _unreadable(solver, settings)
    if length > 1 and settings["read"] != "word":
        found.append(f"length {length} with read: {settings['read']}; take word")
    if length > 1 and settings["context"]:
        found.append(f"length {length} within a context, which has one x; take null")
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


def _of_start(condition: dict, solver: str, settings: dict) -> list[str]:
    """List what does not go with starts that are not drawn."""
    if start_of(condition, settings) == "random":
        return []
    full = DEFAULTS | condition
    at = full["start"] or f"ascent.start {settings['ascent']['start']}"
    found = [
        f"{key} with start {at}, which is not drawn"
        for key in ("seed", "init_kind", "init_scale")
        if key in condition
    ]
    if full["length"] > 1:
        found.append(f"length {full['length']} with start {at}; take random")
    if full["start"] and solver in SEARCHES:
        found.append(f"start {at} with solver {solver}, which starts nowhere")
    return found
