"""Checks a study's settings and says in a line what is wrong with each.

Light on purpose: this is imported whenever the Snakefile is parsed.
"""

import csv
import difflib
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

#: What a table of target words holds.
TARGET_COLUMNS = ("word", "category", "frequency_band")


class SettingsError(ValueError):
    """A setting, or a file that it names, cannot be used."""


def read_schema(path: str | Path) -> dict:
    """Read a JSON schema written as YAML."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def problems(settings: dict, schema: dict) -> list[str]:
    """Say what in `settings` breaks `schema`: one line each, `key: what was wrong (what is allowed)`."""
    errors = Draft202012Validator(schema).iter_errors(settings)
    return [_explain(leaf) for error in errors for leaf in _leaves(error)]


def check_settings(settings: dict, schema: dict) -> None:
    """Raise SettingsError that lists all problems, including those that no schema can express."""
    found = problems(settings, schema) or _contradictions(settings)
    if found:
        raise SettingsError("\n".join(found))


def read_targets(path: str | Path) -> list[str]:
    """The target words: column `word` of a tab-separated table.

    Raises SettingsError that names the file if it cannot be read, lacks a column, or a word comes
    twice or not at all.
    """
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"words.targets: {path} cannot be read ({error})") from None
    for column in TARGET_COLUMNS:
        if not rows or column not in rows[0]:
            raise SettingsError(
                f"words.targets: {path} needs words in rows below the tab-separated header "
                f"{' '.join(TARGET_COLUMNS)}"
            )
    words = [row["word"] for row in rows]
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise SettingsError(f"words.targets: {path} lists twice: {', '.join(twice)}")
    if not all(words):
        raise SettingsError(f"words.targets: {path} has a row without a word")
    return words


def _contradictions(settings: dict) -> list[str]:
    """What a schema cannot say: names that must exist, numbers that bound one another."""
    catalogue = settings["catalogue"]
    lines = []
    for name in settings["models"]:
        if name not in catalogue:
            lines.append(
                f"models: {name!r} is not in the catalogue{_did_you_mean(name, catalogue)}"
            )
            continue
        lines += _beyond_the_model(name, catalogue[name], settings)
    return lines


def _beyond_the_model(name: str, shape: dict, settings: dict) -> list[str]:
    """Layers, neurons and group sizes that the model `name` does not have."""
    lines = []
    singles, groups = settings["singles"], settings["groups"]
    width = {"output": shape["hidden"], "intermediate": shape["intermediate"]}
    for key, sites in (("singles.sites", singles["sites"]), ("groups.sites", groups["sites"])):
        for site in sites:
            if site not in settings["activations"]["sites"]:
                lines.append(f"{key}: {site!r} is not among activations.sites")
    if singles["layers"] != "all":
        for layer in singles["layers"]:
            if layer > shape["layers"]:
                lines.append(
                    f"singles.layers: {layer} is not a layer of {name} (allowed: 1 to {shape['layers']})"
                )
    if singles["neurons"] != "all":
        for site in singles["sites"]:
            if singles["neurons"] > width[site]:
                lines.append(
                    f"singles.neurons: {singles['neurons']} is more than the {width[site]} "
                    f"{site} neurons per layer of {name}"
                )
    per_layer = sum(width[site] for site in groups["sites"])
    available = {"layer": per_layer, "model": per_layer * shape["layers"]}
    for scope, sizes in groups["sizes"].items():
        for size in sizes:
            if size > available[scope]:
                lines.append(
                    f"groups.sizes.{scope}: {size} is more than the {available[scope]} neurons "
                    f"that {name} has in scope {scope!r}"
                )
    return lines


def _leaves(error):
    """The innermost errors of a schema violation: what a person has to mend."""
    if not error.context:
        return [error]
    # Of several alternatives, the one whose `source` (or type) fits got furthest.
    deepest = max(error.context, key=lambda e: len(e.absolute_path))
    fits = [e for e in error.context if e.schema_path[0] == deepest.schema_path[0]]
    if len(deepest.absolute_path) == len(error.absolute_path):
        return [error]
    return [leaf for e in fits for leaf in _leaves(e)]


def _explain(error) -> str:
    key = ".".join(str(part) for part in error.absolute_path) or "config"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(error.instance) - set(known))
        return "; ".join(
            f"{key}: unknown key {name!r}{_did_you_mean(name, known)}" for name in unknown
        )
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{key}: lacks {', '.join(missing)}"
    allowed = error.schema.get("description")
    if error.validator == "enum":
        allowed = "one of " + ", ".join(map(str, error.validator_value))
        if isinstance(error.instance, str):
            allowed += _did_you_mean(error.instance, error.validator_value)
    return f"{key}: {error.instance!r} is not valid" + (
        f" (allowed: {allowed})" if allowed else f" ({error.message})"
    )


def _did_you_mean(name: str, known) -> str:
    near = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else f" (known: {', '.join(map(str, known))})"
