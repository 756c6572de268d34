"""Conversion of checkpoints that transformers can read into tensors under this project's names."""

import re
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import AutoConfig
from transformers.utils import logging

from textualization.errors import RequestError
from textualization.models.architecture import Architecture
from textualization.models.families import NAMES, Family, family, unknown_types

#: Number of tokens of the longest input: `[CLS] x [SEP]`, several adjacent x, or a sentence.
TOKENS = 64
#: Names of single tensors, not of a weight and a bias.
PARAMETERS = ("word_embeddings", "position_embeddings", "type_embedding", "relative_bias")

#: Options that run no code of a model: neither its classes nor attention code that it names.
PLAIN = {"local_files_only": True, "trust_remote_code": False, "attn_implementation": "eager"}


class CheckpointError(RequestError):
    """A checkpoint cannot be converted."""


Tensors = dict[str, torch.Tensor]
Facts = dict[str, str]


def convert(folder: str | Path, of: str = "bert") -> tuple[Tensors, Facts]:
    """Convert the model in a folder to tensors under this project's names.

    As far as the family has them, the tensors are

    - `word_embeddings` (V, E), `position_embeddings` (P, E), `type_embedding` (E,),
      `embedding_norm.gain|bias` (E,), `projection.weight|bias` (E to H),
      `final_norm.gain|bias` (H,), `relative_bias` (buckets, heads);
    - for each block l from 1, with the prefix `block.<l>.`:
      `query|key|value|attention_output|intermediate|gate|output.weight|bias` and
      `attention_norm|output_norm|intermediate_norm.gain|bias`;
    - untrained constants, `constant.buckets` and `constant.rotary.<layer>` (see `Family`).

    Args:
        folder: folder of `config.json`, `model.safetensors` and `tokenizer.json`.
        of: the model's family, see `textualization.models.families`.

    Returns:
        The tensors, float32, and the fields of `Architecture` as text.

    Raises:
        CheckpointError: the model is of another family; or a tensor is missing, unexpected, not
            finite, or not of the shape that config.json gives.
    """
    kind, config = family(of), config_of(folder)
    _check_config(folder, config, of, kind)
    path = Path(folder) / "tokenizer.json"

    def id_of(name: str) -> int | None:
        try:
            return Tokenizer.from_file(str(path)).token_to_id(name)
        except Exception as error:  # tokenizers raises plain Exception
            raise CheckpointError(f"{path}: cannot be read ({error})") from None

    architecture = _architecture(folder, config, kind, id_of)
    model, state = _load(folder, config, kind)
    return _converted(folder, kind, config, architecture, model, state)


def convert_loaded(model, tokenizer: Tokenizer, of: str | None = None) -> tuple[Tensors, Facts]:
    """Convert a loaded transformers model; results and errors are as in `convert`.

    Args:
        model: a transformers model, with or without a head; it is not changed.
        tokenizer: the model's tokenizer.
        of: the model's family; found by the model's type if None.
    """
    config, name = model.config, model.config.name_or_path or type(model).__name__
    of = of or family_of(name, config.model_type)
    kind = family(of)
    _check_config(name, config, of, kind)
    first = kind.block.format(0)
    bodies = [model, getattr(model, "base_model", model)]
    body = next((m for m in bodies if any(k.startswith(first) for k in m.state_dict())), None)
    if body is None:
        raise CheckpointError(
            f"{name}: no tensor name begins with {first!r}, as the blocks of the family {of!r} do"
        )
    state = {k: t.detach().float().cpu() for k, t in body.state_dict().items()}
    architecture = _architecture(name, config, kind, tokenizer.token_to_id)
    return _converted(name, kind, config, architecture, body, state)


def config_of(folder: str | Path):
    """Read a folder's config.json; raise CheckpointError if transformers cannot."""
    with _readable(folder):
        return AutoConfig.from_pretrained(folder, **PLAIN)


def family_of(name: str | Path, model_type: str) -> str:
    """Return the family of a model type; raise CheckpointError if there is none."""
    for of in NAMES:
        if model_type in family(of).model_types:
            return of
    raise CheckpointError(f"{name}: no family has models of type {model_type!r}; {unknown_types()}")


def _check_config(name, config, of: str, kind: Family) -> None:
    if getattr(config, "quantization_config", None):
        raise CheckpointError(f"{name}: config.json: quantized weights are not supported")
    if config.model_type not in kind.model_types:
        raise CheckpointError(
            f"{name}: model type {config.model_type!r} does not belong to the family {of!r} "
            f"(its types: {', '.join(kind.model_types)})"
        )
    for key, needed in kind.only.items():
        if getattr(config, key) != needed:
            raise CheckpointError(
                f"{name}: config.json has {key}: {getattr(config, key)} (supported: {needed})"
            )


def _architecture(name, config, kind: Family, id_of) -> Architecture:
    """Return the architecture of a config. `id_of` returns the id of an entry's name, or None."""
    before, after = (_entry(name, token, id_of) for token in kind.frame(config))
    architecture = Architecture(**({"before": before, "after": after} | kind.architecture(config)))
    heads, width = architecture.heads, architecture.head_size or architecture.hidden
    if heads < 1 or (not architecture.head_size and width % heads):
        raise CheckpointError(
            f"{name}: {heads} attention heads cannot share the {width} dimensions of a state"
        )
    if max(before, after) >= architecture.words:
        raise CheckpointError(
            f"{name}: entry {max(before, after)}, the special token before or after x, is not one "
            f"of the model's {architecture.words}"
        )
    return architecture


def _converted(name, kind: Family, config, architecture, model, state) -> tuple[Tensors, Facts]:
    """Return the tensors of a model under this project's names, and its facts."""
    state = kind.prepare(state, config)
    tensors = _renamed(kind.tensors, "", state)
    for number in range(len(set(architecture.blocks)) or architecture.layers):
        inside = _renamed(kind.inside, kind.block.format(number), state)
        tensors |= {f"block.{number + 1}.{name}": tensor for name, tensor in inside.items()}
    tensors = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(f"{name}: tensors are not all finite: {', '.join(broken[:5])}")
    for constant, tensor in kind.constants(model, TOKENS).items():
        tensors[f"constant.{constant}"] = tensor.cpu().contiguous().clone()
    return tensors, architecture.facts()


@contextmanager
def _readable(folder):
    """Turn any error of transformers into a CheckpointError of one line that names the folder."""
    try:
        yield
    except Exception as error:  # many types, some without a message
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        if "trust_remote_code" in str(error):  # transformers advises to allow it
            reason = "it needs code that comes with the model, which is never run"
        raise CheckpointError(
            f"{folder}: transformers cannot read it ({type(error).__name__}: {reason})"
        ) from error


@contextmanager
def _quiet():
    """Silence what transformers reports while loading; `_load` checks the report instead."""
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def _load(folder, config, kind: Family):
    """Load a model and its tensors; raise CheckpointError unless the checkpoint has them all."""
    with _readable(folder), _quiet():
        model, report = getattr(transformers, kind.model).from_pretrained(
            folder,
            config=config,
            **kind.options,
            **PLAIN,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    # Transformers would draw missing tensors at random.
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(f"{folder}: the checkpoint lacks {', '.join(missing[:5])}")
    in_block = re.compile(r"(^|\.)" + re.escape(kind.block).replace(r"\{\}", r"\d+"))
    unexpected = sorted(
        name
        for name in report["unexpected_keys"]
        if in_block.search(name) and not name.endswith(kind.unread)
    )
    if unexpected:
        raise CheckpointError(
            f"{folder}: the checkpoint has tensors in its blocks that config.json does not account "
            f"for: {', '.join(unexpected[:5])}"
        )
    misshapen = sorted(name for name, *_ in report["mismatched_keys"])
    if misshapen:
        raise CheckpointError(
            f"{folder}: tensors not of the shape that config.json gives: {', '.join(misshapen[:5])}"
        )
    return model, model.state_dict()


def _renamed(names: dict[str, str], prefix: str, state: dict) -> dict:
    """Return the tensors that the model has, under this project's names."""
    found = {}
    for ours, theirs in names.items():
        weight, bias = (state.get(f"{prefix}{theirs}.{part}") for part in ("weight", "bias"))
        if ours in PARAMETERS:
            # Only the first token type is used.
            parts = {ours: weight[0] if ours == "type_embedding" else weight}
        elif ours.endswith("norm"):
            parts = {f"{ours}.gain": weight, f"{ours}.bias": bias}
        else:
            parts = {f"{ours}.weight": weight, f"{ours}.bias": bias}
        found |= {name: tensor for name, tensor in parts.items() if tensor is not None}
    return found


def _entry(name, token: str | int | None, id_of) -> int:
    """Return the id of a special token before or after x; -1 for None."""
    if isinstance(token, str):
        text, token = token, id_of(token)
        if token is None:
            raise CheckpointError(
                f"{name}: the tokenizer has no entry {text!r}, the special token before or after x"
            )
    if not isinstance(token, int | None):
        raise CheckpointError(
            f"{name}: config.json names several entries, {token}, for one special token"
        )
    return -1 if token is None else token
