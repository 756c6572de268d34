"""What in a study's settings violates its schema, one line of text per fault."""

import difflib
import math
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from textualization.registry import NULL_MODELS, SOLVERS

#: Maximum number of characters of a wrong value that a message shows.
LONGEST = 200
#: Least similarity, from 0 to 1, of a wrong key and the one that is suggested for it.
NEAR = 0.6


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


def did_you_mean(name, known) -> str:
    return _near(name, known) or _known(known)


def _known(names) -> str:
    return f" (known: {', '.join(map(str, names))})"
