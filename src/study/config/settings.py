"""Validation of a study's settings, with one line of text per fault.

Loads fast: the Snakefile imports this module.
"""

import difflib
import math
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from study.config import corpus, direction_sets
from study.config.basis_settings import basis_faults
from study.config.experiments import DEFAULTS, blocks, conditions, faults, start_of, wrong_values
from study.config.text_files import read_tab_separated
from textualization.errors import SettingsError
from textualization.models.families import NAMES as FAMILIES
from textualization.models.families import unknown
from textualization.registry import NULL_MODELS, SOLVERS
from textualization.spelling import composed

#: What a study can run besides experiments: the paper's single neurons and groups, and directions.
STUDIES = ("singles", "groups", "directions")
#: Names in a study's folder that no model may have.
RESERVED = ("atlas", "benchmarks", "comparison", "logs", "claims", "config", "findings", "found")
RESERVED += ("front", "manifest", "provenance", "report", "ro-crate-metadata")
#: Maximum number of jobs of a study; Snakemake cannot plan more in reasonable time.
MOST_JOBS = 100_000
#: Maximum number of characters of a wrong value that a message shows.
LONGEST = 200
#: Least similarity, from 0 to 1, of a wrong key and the one that is suggested for it.
NEAR = 0.6
#: Columns of a table of target words.
TARGET_COLUMNS = ("word", "category", "frequency_band")


def _is_number(checker, value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf


def _is_whole(checker, value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema, except that 1000.0 is not an integer, and .nan and .inf are not numbers.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_whole}
    ),
)


def read_schema(path: str | Path) -> dict:
    """Read the JSON schema of a study's settings, and fill in the registered solvers and null models."""
    schema = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    solvers = [name for name, entry in SOLVERS.items() if entry.for_studies]
    schema["properties"]["ascent"]["properties"]["solver"]["enum"] = solvers
    nulls = schema["$defs"]["null_models"]
    nulls["items"]["enum"] = list(NULL_MODELS)
    nulls["description"] = f"a list of {', '.join(NULL_MODELS)}"
    return schema


def problems(settings: dict, schema: dict) -> list[str]:
    """List what in `settings` violates `schema`, as `key: what was wrong (what is allowed)`."""
    errors = _Validator(schema).iter_errors(settings)
    lines = [_explain(leaf, schema) for error in errors for leaf in _leaves(error)]
    return list(dict.fromkeys(lines))


def check_settings(settings: dict, schema: dict) -> None:
    """Check the settings against the schema and for contradictions that no schema can express.

    Raises:
        SettingsError: there are faults; the message has one line for each.
    """
    found = problems(settings, schema) or _nameless(settings) or _contradictions(settings)
    if found:
        raise SettingsError("\n".join(found))


def in_order(value):
    """Sort the keys of settings, and convert whole floats to integers."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def normalised(settings: dict) -> dict:
    """Bring settings into the form that Snakemake compares: `in_order`, each reference block first."""
    found = in_order(settings)
    for name, experiment in settings["experiments"].items():
        order = sorted(experiment["vary"], key=lambda block: block != experiment["reference"])
        vary = found["experiments"][name]["vary"]
        found["experiments"][name]["vary"] = {block: vary[block] for block in order}
    return found


def differing(settings: dict, others: dict, key: str = "") -> list[str]:
    """List the dotted keys in which two settings differ."""
    if not (isinstance(settings, dict) and isinstance(others, dict)):
        return [] if settings == others else [key]
    return [
        found
        for name in sorted({*settings, *others}, key=str)
        for found in differing(settings.get(name), others.get(name), f"{key}.{name}".lstrip("."))
    ]


def group_sizes(sizes: list, neurons: int) -> list[int]:
    """Return the sizes that a scope of so many neurons has, ascending; one below 1 is a share of it."""
    found = {max(1, round(size * neurons)) if size < 1 else size for size in sizes}
    return sorted(size for size in found if size <= neurons)


def jobs_at_most(settings: dict, words: int) -> int:
    """Return an upper bound on a study's jobs, except for a few per model. words: number of targets."""
    nulls, ascent, found = settings["nulls"], settings["ascent"], 0
    sizes = settings["groups"]["sizes"]
    for name in settings["models"]:
        shape = settings["catalogue"][name]
        layers, objectives = shape["layers"], 0
        width = {"output": shape["hidden"], "intermediate": shape["intermediate"]}
        for site in settings["singles"]["sites"]:
            neurons = settings["singles"]["neurons"]
            drawn = width[site] if neurons == "all" else min(neurons, width[site])
            objectives += layers * drawn
            of = ascent["singles"]
            found += layers * math.ceil(drawn * of["restarts"] / of["per_job"])
            found += layers if ascent["twins"]["singles"] else 0
        groups = len(sizes["model"]) + layers * len(sizes.get("layer", []))
        of = ascent["groups"]
        objectives += len(settings["groups"]["selections"]) * groups * words
        found += (
            len(settings["groups"]["selections"])
            * groups
            * math.ceil(words * of["restarts"] / of["per_job"])
        )
        found += len(settings["groups"]["selections"]) if ascent["twins"]["groups"] else 0
        for of in direction_sets.sets_for(settings, shape).values():
            drawn = direction_sets.count_of(of) * len(direction_sets.layers_of(of, layers))
            objectives += drawn
            found += 1 + math.ceil(
                drawn * ascent["singles"]["restarts"] / ascent["singles"]["per_job"]
            )
        texts = settings["texts"]
        found += len(texts["tokens"]) * math.ceil(objectives / texts["per_job"])
        if settings["corpus"] is not None:
            found += len(nulls["models"]) * math.ceil(nulls["replicates"] / nulls["per_job"])
        ascended = len(nulls["models"]) + len(nulls["objectives"])
        found += nulls["replicates"] * len(nulls["models"])
        found += 2 * ascended * math.ceil(nulls["replicates"] / nulls["per_job"])
        if settings["directions"]:
            found += len(nulls["models"]) * math.ceil(nulls["replicates"] / nulls["per_job"])
        for experiment in settings["run"]:
            of = settings["experiments"].get(experiment)
            found += of["nulls"]["replicates"] * len(of["nulls"]["models"]) if of else 0
    return found


def check_job_count(settings: dict, words: int) -> None:
    """Raise SettingsError for a study with more than MOST_JOBS jobs."""
    if (jobs := jobs_at_most(settings, words)) > MOST_JOBS:
        raise SettingsError(
            f"ascent: the study would have about {jobs} jobs (allowed: {MOST_JOBS}; raise `batch` of "
            "singles, groups or nulls, or lower the numbers of replicates and restarts)"
        )


def read_target_rows(path: str | Path) -> list[dict[str, str]]:
    """Read a tab-separated table of target words, row by row: TARGET_COLUMNS.

    Raises:
        SettingsError: the file cannot be read (see `study.config.text_files`), lacks a column or has
            it twice, or a row has a wrong number of fields or a word that is missing, surrounded by
            spaces, or repeated, perhaps in another Unicode form.
    """
    try:
        rows = read_tab_separated(path, TARGET_COLUMNS)
    except SettingsError as error:
        raise SettingsError(f"words.targets: {error}") from None
    (_, head), *rows = rows or [(1, [])]
    if not rows or not {*TARGET_COLUMNS} <= {*head} or len({*head}) < len(head):
        raise SettingsError(
            f"words.targets: {path} needs rows of words below the tab-separated header "
            f"{' '.join(TARGET_COLUMNS)}"
        )
    found, lines = [], {}
    for number, row in rows:
        if len(row) != len(head):
            raise SettingsError(
                f"words.targets: {path} has {len(row)} fields in row {number} (allowed: {len(head)}, "
                "as in the header)"
            )
        fields = {column: row[head.index(column)] for column in TARGET_COLUMNS}
        word = fields["word"]
        # The word stays as it is listed: the table of requested words says how it is read.
        found.append({column: composed(field) for column, field in fields.items()} | {"word": word})
        if not word or word != word.strip() or not word.isprintable():
            raise SettingsError(
                f"words.targets: {path} has no word in row {number}: {word!r} (allowed: text without "
                "spaces around it)"
            )
        lines.setdefault(composed(word), []).append(number)
    twice = [f"{word!r}" for word, numbers in sorted(lines.items()) if len(numbers) > 1]
    if twice:
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        raise SettingsError(f"words.targets: {path} lists twice: {', '.join(twice[:5])}{more}")
    return found


def _contradictions(settings: dict) -> list[str]:
    """List faults that a schema cannot express: unknown names, numbers that do not fit together."""
    catalogue = settings["catalogue"]
    lines = [
        f"{part}.sites: {site!r} is not among activations.sites"
        for part in ("singles", "groups")
        for site in settings[part]["sites"]
        if site not in settings["activations"]["sites"]
    ]
    lines += _equal_restarts(settings) + _experiments(settings) + corpus.faults(settings)
    if wrong := direction_sets.faults(settings):
        return [*lines, *wrong]
    for name in settings["models"]:
        if name.partition(".")[0] in RESERVED:
            lines.append(
                f"models: {name!r} is reserved for another part of a study; choose another name"
            )
        if name not in catalogue:
            lines.append(
                f"models: {name!r} is not in the catalogue{_did_you_mean(name, catalogue)}"
            )
            continue
        if catalogue[name]["family"] not in FAMILIES:
            lines.append(f"catalogue.{name}.family: {unknown(catalogue[name]['family'])}")
        lines += _beyond_the_model(name, catalogue[name], settings)
        lines += _experiments_beyond(name, catalogue[name], settings)
    return lines


def _nameless(settings: dict, place: str = "") -> list[str]:
    """List names that YAML does not read as text, such as 2 or yes; the schema's patterns skip them."""
    lines = []
    for key, value in settings.items():
        if not isinstance(key, str):
            lines.append(
                f"{place or 'config'}: {key!r} is not a name (allowed: text; put it in quotes)"
            )
        elif isinstance(value, dict):
            lines += _nameless(value, f"{place}.{key}".lstrip("."))
    return lines


def _equal_restarts(settings: dict) -> list[str]:
    """List restarts that would be equal, since their start is not drawn."""
    ascent = settings["ascent"]
    if ascent["start"] == "random":
        return []
    run = {"singles" if name == "directions" else name for name in settings["run"]}
    return [
        f"ascent.{subject}.restarts: {ascent[subject]['restarts']} ascents from ascent.start "
        f"{ascent['start']} would be equal (allowed: 1, or ascent.start: random)"
        for subject in ("singles", "groups")
        if subject in run and ascent[subject]["restarts"] > 1
    ]


def _experiments(settings: dict) -> list[str]:
    """List experiments that are not declared, and faults in declared ones."""
    experiments, lines = settings["experiments"], []
    for name in settings["run"]:
        known = [*STUDIES, *experiments]
        if name not in known:
            near = _did_you_mean(name, known)
            lines.append(f"run: {name!r} is not {', '.join(STUDIES)} or one of experiments{near}")
    for name, experiment in experiments.items():
        if name in STUDIES:
            lines.append(f"experiments: {name!r} is a built-in name; choose another name")
            continue
        if not {"singles", "groups", "contexts"} & set(experiment):
            lines.append(f"experiments.{name}: lacks objectives (singles, groups or contexts)")
        parts = {"base": experiment.get("base", {})}
        parts |= {f"vary.{block}": varied for block, varied in blocks(experiment).items()}
        lines += [
            f"experiments.{name}.nulls.blocks: {block!r} is not a block"
            f"{_did_you_mean(block, experiment['vary'])}"
            for block in experiment["nulls"].get("blocks", [])
            if block not in experiment["vary"]
        ]
        if experiment["reference"] not in blocks(experiment):
            near = _did_you_mean(experiment["reference"], blocks(experiment))
            lines.append(
                f"experiments.{name}.reference: {experiment['reference']!r} is not a block{near}"
            )
        if len(parts) == 1:
            lines.append(f"experiments.{name}.vary: it has no blocks (allowed: one or more)")
        wrong = [
            f"experiments.{name}.{block}: {fault}"
            for block, varied in parts.items()
            for fault in wrong_values(varied)
        ]
        lines += wrong
        if wrong or name not in settings["run"]:
            continue
        for block, found in conditions(experiment).items():
            for condition in found.values():
                lines += [
                    f"experiments.{name}.vary.{block}: impossible: {fault}"
                    for fault in [
                        *faults(condition, settings),
                        *_misfits(condition, experiment, settings),
                    ]
                ]
    return list(dict.fromkeys(lines))


def _misfits(condition: dict, experiment: dict, settings: dict) -> list[str]:
    """List choices of neurons and starts that do not fit an experiment's objectives."""
    full, found = DEFAULTS | condition, []
    if full["selection"] == "contrast" and set(experiment) & {"singles", "groups"}:
        found.append("selection contrast, which only groups of contexts support")
    if full["start"] == "own_word" and "contexts" in experiment:
        found.append("start own_word, which contexts do not have")
    if start_of(condition, settings) != "random":
        found += [
            f"restarts {restarts} of {kind} with a start that is not drawn would be equal; take 1"
            for kind in ("singles", "groups", "contexts")
            if (restarts := experiment.get(kind, {}).get("restarts", 1)) > 1
        ]
    if full["activations"] == "in_context" and experiment.get("groups", {}).get("of") == "targets":
        found.append("activations in_context of targets; take groups: {of: contexts}")
    if full["basis"] != "neurons" and "contexts" in experiment:
        found.append(f"basis {full['basis']} with contexts; take singles or groups")
    return found


def _beyond_the_model(name: str, shape: dict, settings: dict) -> list[str]:
    """List layers, neurons and group sizes that a model lacks; if skipped, only where none is left."""
    found = _lacking(name, shape, settings)
    if settings["missing"]["neurons"] == "stop":
        return [line for lines in found.values() for line in lines]
    singles, sizes = settings["singles"], settings["groups"]["sizes"]
    chosen = {"singles.layers": singles["layers"], "groups.sizes.model": sizes["model"]}
    lines = [
        f"{key}: {name} has none of these"
        for key, of in chosen.items()
        if of != "all" and len(found.get(key, [])) == len(of)
    ]
    if settings["directions"] and not direction_sets.sets_for(settings, shape):
        lines.append(f"directions: {name} has none of these")
    return lines


def _lacking(name: str, shape: dict, settings: dict) -> dict[str, list[str]]:
    """List, by setting, a line for each value that the model lacks."""
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
    lines |= direction_sets.lacking(name, shape, settings)
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


def _experiments_beyond(name: str, shape: dict, settings: dict) -> list[str]:
    """List numbers of neurons and group sizes of requested experiments that the model lacks."""
    lines, width = [], {"output": shape["hidden"], "intermediate": shape["intermediate"]}
    for key in settings["run"]:
        experiment = settings["experiments"].get(key, {"vary": {}})
        sizes = [
            s for kind in ("groups", "contexts") for s in experiment.get(kind, {}).get("sizes", [])
        ]
        for block, found in conditions(experiment).items():
            for condition in found.values():
                full = DEFAULTS | condition
                has = width[full["site"]]
                one = experiment.get("singles", {}).get("neurons", 0)
                if one > has:
                    lines.append(
                        f"experiments.{key}.singles.neurons: {one} is more than the {has} "
                        f"{full['site']} neurons per layer of {name}"
                    )
                lines += [
                    f"experiments.{key}.vary.{block}: {fault}"
                    for fault in basis_faults(full, experiment, settings["nulls"]["words"], shape)
                ]
                has *= shape["layers"] if full["scope"] == "model" else 1
                lines += [
                    f"experiments.{key}: a group of {size} is more than the {has} {full['site']} "
                    f"neurons that {name} has in scope {full['scope']!r} (vary.{block})"
                    for size in sizes
                    if size > has
                ]
    return list(dict.fromkeys(lines))


def _leaves(error):
    """Return the errors to report; for a model, those of the alternative with its source and keys."""
    if error.validator != "oneOf":
        return [error]
    alternatives = {}
    for inner in error.context:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    fits = [a for a in alternatives.values() if all(e.validator != "const" for e in a)]
    # If the source itself is wrong or missing, another error reports it.
    if not isinstance(error.instance, dict) or "source" not in error.instance:
        return []
    return min(fits, key=lambda a: sum(map(_unknown_keys, a)), default=[])


def _unknown_keys(error) -> int:
    """Count the unknown keys that an error reports."""
    if error.validator != "additionalProperties":
        return 0
    return len(set(error.instance) - set(error.schema["properties"]))


def _explain(error, schema: dict) -> str:
    key = ".".join(str(part) for part in error.absolute_path) or "config"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(error.instance) - set(known), key=str)
        place = "".join(f"{part}." for part in error.absolute_path)
        below = {
            f"{place}{name}.{inner}": inner
            for name, setting in known.items()
            for inner in _resolved(setting, schema).get("properties", {})
        }
        return "; ".join(
            f"{key}: unknown key {name!r}{_nearest_keys(name, [*known], below) or _known(known)}"
            for name in unknown
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
    if place and place[-1] in ("then", "else"):  # the setting around it has the description
        described = schema
        for part in place[:-1]:
            described = _resolved(described[part], schema)  # the path has no references
    if "description" in described:
        return f"allowed: {described['description']}"
    if error.validator_value == "object":
        keys = dict.fromkeys([*error.schema["required"], *error.schema["properties"]])
        return f"allowed: the keys {', '.join(keys)}"
    return error.message


def _resolved(setting: dict, schema: dict) -> dict:
    """Return what a reference within the schema refers to; anything else as it is."""
    return schema["$defs"][setting["$ref"].rsplit("/", 1)[1]] if "$ref" in setting else setting


def _nearest_keys(name, known: list[str], below: dict[str, str]) -> str | None:
    """Suggest the key that is spelt most like `name`.

    Args:
        name: the unknown key.
        known: the keys in its place.
        below: keys one level below, by their full paths; suggested only if they are nearer.
    """
    shares = {
        key: difflib.SequenceMatcher(None, key, str(name)).ratio()
        for key in (*known, *below.values())
    }
    most = max(shares.values(), default=0)
    if most < NEAR:
        return None
    here = [key for key in known if shares[key] == most]
    there = [path for path, key in below.items() if shares[key] == most]
    return f"; did you mean {' or '.join(map(repr, here[:1] or there))}?"


def _near(name, known) -> str | None:
    near = difflib.get_close_matches(str(name), [str(k) for k in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else None


def _did_you_mean(name, known) -> str:
    return _near(name, known) or _known(known)


def _known(names) -> str:
    return f" (known: {', '.join(map(str, names))})"
