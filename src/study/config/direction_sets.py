"""Sets of directions that a study ascends on, as its settings declare them.

Loads fast: the Snakefile imports this module.
"""

from textualization.direction_files import names_in, shapes_in
from textualization.errors import RequestError

#: What a set is made of: rows of a file; the difference of two means of words; a word's own
#: activations; principal components of the words' activations; random numbers.
KINDS = ("file", "words", "activations_of", "principal", "random")
#: Kinds that need the word activations of a site.
OF_ACTIVATIONS = ("words", "activations_of", "principal")


def kind_of(of: dict) -> str:
    """Return what a set is made of, one of KINDS."""
    return next(kind for kind in KINDS if kind in of)


def words_of(of: dict) -> dict[str, list[str]]:
    """List the words that a set names, by the key that names them."""
    return {key: of[key] for key in ("words", "minus", "activations_of") if key in of}


def layers_of(of: dict, layers: int) -> list[int]:
    """List the layers of a set that a model with so many layers has."""
    return [la for la in range(1, layers + 1) if of["layers"] == "all" or la in of["layers"]]


def count_of(of: dict) -> int:
    """Count a set's directions at each of its layers."""
    kind = kind_of(of)
    if kind == "file":
        return len(names_in(of["file"]))
    return {"words": 1, "activations_of": len(of.get("activations_of", []))}.get(kind) or of[kind]


def sets_for(settings: dict, shape: dict) -> dict[str, dict]:
    """Return the sets that a model has, by name, as declared.

    A set of a file of another width, or of layers that the model lacks, is none of its sets: settings
    that do not skip what is missing are refused before.

    Args:
        settings: the study's settings.
        shape: the model's entry in the catalogue: `layers`, `hidden`, `intermediate`.
    """
    if "directions" not in settings["run"]:
        return {}
    return {
        name: of
        for name, of in settings["directions"].items()
        if layers_of(of, shape["layers"]) and not _misfits(name, of, shape, settings)
    }


def faults(settings: dict) -> list[str]:
    """List the faults in the sets of directions that do not depend on a model."""
    named, run = settings["directions"], "directions" in settings["run"]
    if run and not named:
        return [
            "run: directions, but `directions` names none (allowed: name one, or do not run it)"
        ]
    if named and not run:
        return [
            f"directions: {', '.join(named)} would not be studied (allowed: add directions to run, or "
            "name none)"
        ]
    return [
        f"directions.{name}{fault}" for name, of in named.items() for fault in _faults(of, settings)
    ]


def lacking(name: str, shape: dict, settings: dict) -> dict[str, list[str]]:
    """List, by setting, a line for each layer, row and number of directions that a model lacks."""
    lines: dict[str, list[str]] = {}
    for own, of in settings["directions"].items():
        layers = [] if of["layers"] == "all" else of["layers"]
        beyond = [
            f"directions.{own}.layers: {layer} is not a layer of {name} (allowed: 1 to "
            f"{shape['layers']})"
            for layer in layers
            if layer > shape["layers"]
        ]
        if beyond:
            lines[f"directions.{own}.layers"] = beyond
        if misfits := _misfits(own, of, shape, settings):
            lines[f"directions.{own}.{kind_of(of)}"] = [f"{line} of {name}" for line in misfits]
    return lines


def _faults(of: dict, settings: dict) -> list[str]:
    """List the faults in one set, as what follows its key."""
    kinds = [kind for kind in KINDS if kind in of]
    if len(kinds) != 1:
        has = " and ".join(kinds) or "nothing that directions are made of"
        return [f": has {has} (allowed: one of {', '.join(KINDS)})"]
    if ("words" in of) != ("minus" in of):
        return [": words and minus belong together (allowed: two lists of words)"]
    if of["site"] not in settings["activations"]["sites"]:
        return [f".site: {of['site']!r} is not among activations.sites"]
    if kinds == ["file"]:
        try:
            names_in(of["file"])
        except RequestError as error:
            return [f".file: {str(error).removeprefix('path: ')}"]
    return []


def _misfits(name: str, of: dict, shape: dict, settings: dict) -> list[str]:
    """List what in a set does not fit the width of a model's site, without the model's name."""
    width = shape["hidden" if of["site"] == "output" else "intermediate"]
    kind, site, nulls = kind_of(of), of["site"], settings["nulls"]
    if kind == "file":
        return [
            f"directions.{name}.file: {of['file']}: {array} has rows of {found[-1]} numbers (allowed: "
            f"{width}, the {site} neurons per layer)"
            for array, found in shapes_in(of["file"]).items()
            if found[-1] != width
        ]
    most = width
    if kind == "principal" and nulls["models"] and nulls["words"] != "all":
        # Those of null models are components of so many words.
        most = min(width, nulls["words"] - 1)
    if kind in ("principal", "random") and of[kind] > most:
        return [
            f"directions.{name}.{kind}: {of[kind]} is more than {most}, the {site} neurons per layer"
            + (" or nulls.words less one" if most < width else "")
        ]
    return []
