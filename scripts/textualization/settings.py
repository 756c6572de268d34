"""Checks a study's settings and says in a line what is wrong with each.

Light on purpose: this is imported whenever the Snakefile is parsed.
"""

import csv
import difflib
import math
from collections import Counter
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from textualization.errors import SettingsError
from textualization.families import NAMES as FAMILIES
from textualization.families import unknown
from textualization.sweeps import DEFAULTS, blocks, conditions, faults, wrong_values

#: The experiments that are no sweeps: the paper's own.
STUDIES = ("singles", "groups")
#: What a study's folder holds beside its models' folders.
RESERVED = ("atlas", "benchmarks", "comparison", "logs", "claims", "config", "findings", "found")
RESERVED += ("manifest", "provenance", "report", "ro-crate-metadata")
#: Of a study, so that planning it comes to an end.
MOST_JOBS = 100_000
#: Characters of a wrong value that are shown.
LONGEST = 200
#: What a table of target words holds.
TARGET_COLUMNS = ("word", "category", "frequency_band")


def _is_number(checker, value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _is_whole(checker, value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema, but 1000.0 is not whole, and .nan and .inf are no numbers.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_whole}
    ),
)


def read_schema(path: str | Path) -> dict:
    """Read a JSON schema written as YAML."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def problems(settings: dict, schema: dict) -> list[str]:
    """Say what in `settings` breaks `schema`: one line each, `key: what was wrong (what is allowed)`."""
    errors = _Validator(schema).iter_errors(settings)
    lines = [_explain(leaf, schema) for error in errors for leaf in _leaves(error)]
    return list(dict.fromkeys(lines))


def check_settings(settings: dict, schema: dict) -> None:
    """Raise SettingsError that lists all problems, including those that no schema can express."""
    found = problems(settings, schema) or _nameless(settings) or _contradictions(settings)
    if found:
        raise SettingsError("\n".join(found))


def in_order(value):
    """The same settings as one writes them: keys sorted, and 1001.0 is 1001."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def differing(settings: dict, others: dict, key: str = "") -> list[str]:
    """Keys, dotted, by which two settings differ."""
    if not (isinstance(settings, dict) and isinstance(others, dict)):
        return [] if settings == others else [key]
    return [
        found
        for name in sorted({*settings, *others}, key=str)
        for found in differing(settings.get(name), others.get(name), f"{key}.{name}".lstrip("."))
    ]


def jobs_at_most(settings: dict, words: int) -> int:
    """How many jobs a study can be at most, for so many target words, but for a few of each model."""
    nulls, ascent, found = settings["nulls"], settings["ascent"], 0
    sizes = settings["groups"]["sizes"]
    for name in settings["models"]:
        shape = settings["catalogue"][name]
        layers = shape["layers"]
        width = {"output": shape["hidden"], "intermediate": shape["intermediate"]}
        for site in settings["singles"]["sites"]:
            neurons = settings["singles"]["neurons"]
            drawn = width[site] if neurons == "all" else min(neurons, width[site])
            of = ascent["singles"]
            found += layers * math.ceil(drawn * of["restarts"] / of["batch"])
        groups = len(sizes["model"]) + layers * len(sizes.get("layer", []))
        of = ascent["groups"]
        found += (
            len(settings["groups"]["selections"])
            * groups
            * math.ceil(words * of["restarts"] / of["batch"])
        )
        climbed = len(nulls["models"]) + len(nulls["objectives"])
        found += nulls["draws"] * len(nulls["models"])
        found += 2 * climbed * math.ceil(nulls["draws"] / nulls["batch"])
        for experiment in settings["experiments"]:
            of = settings["sweeps"].get(experiment)
            found += of["nulls"]["draws"] * len(of["nulls"]["models"]) if of else 0
    return found


def read_targets(path: str | Path) -> list[str]:
    """The target words: column `word` of a tab-separated table.

    Raises SettingsError that names the file if it cannot be read, lacks a column or has one twice, if
    a row has more or fewer fields, or a word comes twice, not at all, or with spaces around it.
    """
    return [row["word"] for row in read_target_rows(path)]


def read_target_rows(path: str | Path) -> list[dict[str, str]]:
    """The table of target words, row by row: TARGET_COLUMNS. Raises as `read_targets` does."""
    try:
        if not Path(path).is_file():
            kind = "it is no file" if Path(path).exists() else "there is no such file"
            raise SettingsError(f"words.targets: {path} cannot be read ({kind})")
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"words.targets: {path} cannot be read ({error})") from None
    head, *rows = [row for row in rows if row] or [[]]
    if not rows or not {*TARGET_COLUMNS} <= {*head} or len({*head}) < len(head):
        raise SettingsError(
            f"words.targets: {path} needs words in rows below the tab-separated header "
            f"{' '.join(TARGET_COLUMNS)}"
        )
    found = []
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            raise SettingsError(
                f"words.targets: {path} has {len(row)} fields in row {number} (allowed: {len(head)}, "
                "as in the header)"
            )
        found.append({column: row[head.index(column)] for column in TARGET_COLUMNS})
        word = found[-1]["word"]
        if not word or word != word.strip() or not word.isprintable():
            raise SettingsError(
                f"words.targets: {path} has no word in row {number}: {word!r} (allowed: text without "
                "spaces around it)"
            )
    words = [row["word"] for row in found]
    twice = sorted(word for word, count in Counter(words).items() if count > 1)
    if twice:
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        raise SettingsError(f"words.targets: {path} lists twice: {', '.join(twice[:5])}{more}")
    return found


def _contradictions(settings: dict) -> list[str]:
    """What a schema cannot say: names that must exist, numbers that bound one another."""
    catalogue = settings["catalogue"]
    lines = [
        f"{part}.sites: {site!r} is not among activations.sites"
        for part in ("singles", "groups")
        for site in settings[part]["sites"]
        if site not in settings["activations"]["sites"]
    ]
    lines += _experiments(settings)
    for name in settings["models"]:
        if name.partition(".")[0] in RESERVED:
            lines.append(
                f"models: {name!r} is the name of what a study holds beside its models; choose another"
            )
        if name not in catalogue:
            lines.append(
                f"models: {name!r} is not in the catalogue{_did_you_mean(name, catalogue)}"
            )
            continue
        if catalogue[name]["family"] not in FAMILIES:
            lines.append(f"catalogue.{name}.family: {unknown(catalogue[name]['family'])}")
        lines += _beyond_the_model(name, catalogue[name], settings)
        lines += _sweeps_beyond(name, catalogue[name], settings)
    return lines


def _nameless(settings: dict, place: str = "") -> list[str]:
    """Names that are no text, as YAML reads 2 or yes: the schema's patterns say nothing of them."""
    lines = []
    for key, value in settings.items():
        if not isinstance(key, str):
            lines.append(
                f"{place or 'config'}: {key!r} is no name (allowed: text; put it in quotes)"
            )
        elif isinstance(value, dict):
            lines += _nameless(value, f"{place}.{key}".lstrip("."))
    return lines


def _experiments(settings: dict) -> list[str]:
    """Experiments that are not declared, and conditions of declared ones that cannot be."""
    sweeps, lines = settings["sweeps"], []
    for name in settings["experiments"]:
        known = [*STUDIES, *sweeps]
        if name not in known:
            near = _did_you_mean(name, known)
            lines.append(f"experiments: {name!r} is neither singles, groups nor in sweeps{near}")
    for name, sweep in sweeps.items():
        if name in STUDIES:
            lines.append(f"sweeps: {name!r} is an experiment of its own; choose another name")
            continue
        if not {"singles", "groups", "contexts"} & set(sweep):
            lines.append(f"sweeps.{name}: lacks what to climb: singles, groups or contexts")
        parts = {"base": sweep.get("base", {})}
        parts |= {f"vary.{block}": varied for block, varied in blocks(sweep).items()}
        lines += [
            f"sweeps.{name}.nulls.blocks: {block!r} is no block{_did_you_mean(block, sweep['vary'])}"
            for block in sweep["nulls"].get("blocks", [])
            if block not in sweep["vary"]
        ]
        if sweep["reference"] not in blocks(sweep):
            near = _did_you_mean(sweep["reference"], blocks(sweep))
            lines.append(f"sweeps.{name}.reference: {sweep['reference']!r} is no block{near}")
        if len(parts) == 1:
            lines.append(f"sweeps.{name}.vary: no block is left")
        wrong = [
            f"sweeps.{name}.{block}: {fault}"
            for block, varied in parts.items()
            for fault in wrong_values(varied)
        ]
        lines += wrong
        if wrong or name not in settings["experiments"]:
            continue
        for block, found in conditions(sweep).items():
            for condition in found.values():
                lines += [
                    f"sweeps.{name}.vary.{block}: impossible: {fault}"
                    for fault in [*faults(condition, settings), *_unasked(condition, sweep)]
                ]
    return list(dict.fromkeys(lines))


def _unasked(condition: dict, sweep: dict) -> list[str]:
    """Choices of neurons that a sweep's objectives do not know."""
    full, found = DEFAULTS | condition, []
    if full["selection"] == "contrast" and set(sweep) & {"singles", "groups"}:
        found.append("selection contrast, which groups of contexts alone know")
    if full["activations"] == "in_context" and sweep.get("groups", {}).get("of") == "targets":
        found.append("activations in_context of targets; take groups: {of: contexts}")
    return found


def _beyond_the_model(name: str, shape: dict, settings: dict) -> list[str]:
    """Layers, neurons and group sizes that the model `name` does not have.

    Where the settings skip them, it is only wrong if nothing is left.
    """
    found = _lacking(name, shape, settings)
    if settings["missing"]["neurons"] == "stop":
        return [line for lines in found.values() for line in lines]
    singles, sizes = settings["singles"], settings["groups"]["sizes"]
    asked = {"singles.layers": singles["layers"], "groups.sizes.model": sizes["model"]}
    return [
        f"{key}: {name} has none of these"
        for key, of in asked.items()
        if of != "all" and len(found.get(key, [])) == len(of)
    ]


def _lacking(name: str, shape: dict, settings: dict) -> dict[str, list[str]]:
    """By setting, a line for everything that it asks for and the model does not have."""
    lines = {}
    singles, groups = settings["singles"], settings["groups"]
    width = {"output": shape["hidden"], "intermediate": shape["intermediate"]}
    if singles["layers"] != "all":
        for layer in singles["layers"]:
            if layer > shape["layers"]:
                lines.setdefault("singles.layers", []).append(
                    f"singles.layers: {layer} is not a layer of {name} (allowed: 1 to {shape['layers']})"
                )
    if singles["neurons"] != "all":
        for site in singles["sites"]:
            if singles["neurons"] > width[site]:
                lines.setdefault("singles.neurons", []).append(
                    f"singles.neurons: {singles['neurons']} is more than the {width[site]} "
                    f"{site} neurons per layer of {name}"
                )
    for key in ("leading_directions", "removed_directions"):
        if settings["statistics"][key] >= shape["hidden"]:
            lines.setdefault(f"statistics.{key}", []).append(
                f"statistics.{key}: {settings['statistics'][key]} leaves nothing of the "
                f"{shape['hidden']} dimensions of {name}'s embeddings (allowed: fewer)"
            )
    per_layer = sum(width[site] for site in groups["sites"])
    available = {"layer": per_layer, "model": per_layer * shape["layers"]}
    for scope, sizes in groups["sizes"].items():
        for size in sizes:
            if size > available[scope]:
                lines.setdefault(f"groups.sizes.{scope}", []).append(
                    f"groups.sizes.{scope}: {size} is more than the {available[scope]} neurons "
                    f"that {name} has in scope {scope!r}"
                )
    return lines


def _sweeps_beyond(name: str, shape: dict, settings: dict) -> list[str]:
    """Neurons and group sizes of the sweeps that are asked for, and that the model does not have."""
    lines, width = [], {"output": shape["hidden"], "intermediate": shape["intermediate"]}
    for experiment in settings["experiments"]:
        sweep = settings["sweeps"].get(experiment, {"vary": {}})
        sizes = [s for kind in ("groups", "contexts") for s in sweep.get(kind, {}).get("sizes", [])]
        for block, found in conditions(sweep).items():
            for condition in found.values():
                full = DEFAULTS | condition
                has = width[full["site"]]
                one = sweep.get("singles", {}).get("neurons", 0)
                if one > has:
                    lines.append(
                        f"sweeps.{experiment}.singles.neurons: {one} is more than the {has} "
                        f"{full['site']} neurons per layer of {name}"
                    )
                has *= shape["layers"] if full["scope"] == "model" else 1
                lines += [
                    f"sweeps.{experiment}: a group of {size} is more than the {has} {full['site']} "
                    f"neurons that {name} has in scope {full['scope']!r} (vary.{block})"
                    for size in sizes
                    if size > has
                ]
    return list(dict.fromkeys(lines))


def _leaves(error):
    """What a person has to mend: of a model's alternatives, the errors of the one of its `source`."""
    if error.validator != "oneOf":
        return [error]
    alternatives = {}
    for inner in error.context:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    fits = [a for a in alternatives.values() if all(e.validator != "const" for e in a)]
    # None or several fit if the source itself is wrong or missing: another error says so.
    return fits[0] if len(fits) == 1 else []


def _explain(error, schema: dict) -> str:
    key = ".".join(str(part) for part in error.absolute_path) or "config"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(error.instance) - set(known), key=str)
        return "; ".join(
            f"{key}: unknown key {name!r}{_did_you_mean(name, known)}" for name in unknown
        )
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{key}: lacks {', '.join(missing)}"
    fault = {"uniqueItems": "has an entry twice", "minItems": "is empty"}.get(error.validator)
    if error.validator_value in ("number", "integer") and isinstance(error.instance, str):
        fault = "is text"
    value = repr(error.instance)
    value = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return f"{key}: {value} {fault or 'is not valid'} ({_allowed(error, schema)})"


def _allowed(error, schema: dict) -> str:
    if error.validator == "enum":
        text = f"allowed: one of {', '.join(map(str, error.validator_value))}"
        return text + (_near(error.instance, error.validator_value) or "")
    *place, _ = error.absolute_schema_path
    described = error.schema
    if place and place[-1] in ("then", "else"):  # the setting around the condition has the words
        described = schema
        for part in place[:-1]:
            described = described[part]
            if "$ref" in described:  # a path leaves these out
                described = schema["$defs"][described["$ref"].rsplit("/", 1)[1]]
    if "description" in described:
        return f"allowed: {described['description']}"
    if error.validator_value == "object":
        keys = dict.fromkeys([*error.schema["required"], *error.schema["properties"]])
        return f"allowed: the keys {', '.join(keys)}"
    return error.message


def _near(name, known) -> str | None:
    near = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else None


def _did_you_mean(name, known) -> str:
    return _near(name, known) or f" (known: {', '.join(map(str, known))})"
