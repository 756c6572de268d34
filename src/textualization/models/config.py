"""A checkpoint's config.json: the model's type, what transformers reads, and what is refused."""

import json
from contextlib import contextmanager
from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING

from textualization.errors import RequestError
from textualization.models.families import NAMES, Family, IdOf, family, unknown_types
from textualization.models.quiet import quiet

#: Options that run no code of a model: neither its classes nor attention code that it names.
PLAIN = {"local_files_only": True, "trust_remote_code": False, "attn_implementation": "eager"}


class CheckpointError(RequestError):
    """A checkpoint cannot be converted."""


def settings_of(folder: str | Path) -> dict:
    """Read a folder's config.json; raise CheckpointError if it is not an object of JSON."""
    with readable(folder):
        settings = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("config.json is not an object of JSON")
    return settings


def model_type_of(folder: str | Path, of: str | None = None) -> str:
    """Return the model type of a folder's config.json.

    If config.json has none, `architectures` decides, or else the family if it has only one type.

    Args:
        folder: folder of `config.json`.
        of: the model's family, or None if it is not known.

    Raises:
        CheckpointError: none of these decides.
    """
    settings = settings_of(folder)
    if settings.get("model_type"):
        return str(settings["model_type"])
    classes = [name for name in settings.get("architectures") or [] if isinstance(name, str)]
    configs = [getattr(getattr(transformers, c, None), "config_class", None) for c in classes]
    types = {config.model_type for config in configs if config}
    if not types and of:
        types = set(family(of).model_types)
    if len(types) != 1:
        known = f" (the family {of!r} has {', '.join(sorted(types))})" if of else ""
        remedy = "add model_type to it" if of else "name the model's family, or add model_type"
        raise CheckpointError(f"{folder}: config.json has no model_type{known}: {remedy}")
    return types.pop()


def config_of(folder: str | Path, of: str):
    """Return a folder's config.json as transformers reads it.

    Args:
        folder: folder of `config.json`.
        of: the model's family.

    Raises:
        CheckpointError: transformers cannot read it, or the model brings its own code.
    """
    settings, model_type = settings_of(folder), model_type_of(folder, of)
    known = model_type in CONFIG_MAPPING
    own = settings.get("auto_map") or {}
    if own and (not known or "AutoModel" in own):
        raise CheckpointError(
            f"{folder}: config.json names code that comes with the model, which is never run "
            "(auto_map)"
        )
    # Transformers may refuse the ids of special tokens, which `frame_of` reads and checks.
    ids = [entry.field for entry in family(of).frame if isinstance(entry, IdOf)]
    settings |= {field: None for field in ids if field in settings} | {"model_type": model_type}
    with readable(folder), quiet():
        if not known:
            raise ValueError(f"the model type `{model_type}` is not known")
        eager = PLAIN["attn_implementation"]
        return CONFIG_MAPPING[model_type].from_dict(settings, attn_implementation=eager)


def family_of(name: str | Path, model_type: str) -> str:
    """Return the family of a model type; raise CheckpointError if there is none."""
    for of in NAMES:
        if model_type in family(of).model_types:
            return of
    raise CheckpointError(f"{name}: no family has models of type {model_type!r}; {unknown_types()}")


def check_config(name, config, of: str, kind: Family) -> None:
    """Raise CheckpointError if a config is of another family, or asks for what is not supported."""
    if getattr(config, "quantization_config", None):
        raise CheckpointError(f"{name}: config.json: quantized weights are not supported")
    if config.model_type not in kind.model_types:
        raise CheckpointError(
            f"{name}: model type {config.model_type!r} does not belong to the family {of!r} "
            f"(its types: {', '.join(kind.model_types)})"
        )
    for key, needed in kind.only.items():
        if (value := _value(config, key, needed)) != needed:
            raise CheckpointError(f"{name}: config.json has {key}: {value} (supported: {needed})")
    for key, least in kind.least.items():
        value = getattr(config, key)
        if value is None or value < least:
            raise CheckpointError(
                f"{name}: config.json has {key}: {value} (supported: from {least})"
            )


def _value(config, key: str, default):
    """Return the value of a dotted key; transformers keeps some fields, and drops others."""
    for part in key.split("."):
        if isinstance(config, dict):
            config = config.get(part, default)
        else:
            config = getattr(config, part, default)
    return config


@contextmanager
def readable(folder):
    """Turn any error of transformers into a CheckpointError of one line that names the folder."""
    try:
        yield
    except Exception as error:  # many types, some without a message
        first, *rest = (str(error).strip() or "no reason given").splitlines()
        reason = f"{first} {rest[0].strip()}" if rest and first.endswith(":") else first
        if "trust_remote_code" in str(error):  # transformers advises to allow it
            reason = "it needs code that comes with the model, which is never run"
        raise CheckpointError(
            f"{folder}: transformers cannot read it ({type(error).__name__}: {reason})"
        ) from error
