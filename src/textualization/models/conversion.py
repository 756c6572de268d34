"""Conversion of checkpoints that transformers can read into tensors under this project's names."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer

from textualization.models.architecture import Architecture
from textualization.models.config import (
    PLAIN,
    CheckpointError,
    check_config,
    config_of,
    family_of,
    readable,
    settings_of,
)
from textualization.models.families import TOKENS, Family, family
from textualization.models.frame import SpecialTokens, check_frame, check_padding, frame_of
from textualization.models.quiet import quiet

#: Names of single tensors, not of a weight and a bias.
PARAMETERS = ("word_embeddings", "position_embeddings", "type_embedding", "relative_bias")

Tensors = dict[str, torch.Tensor]
Facts = dict[str, str]


Frame = Mapping[str, str | None]


def convert(
    folder: str | Path, of: str = "bert", frame: Frame | None = None
) -> tuple[Tensors, Facts]:
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
        frame: entries of the tokenizer `before` and `after` x, None for nothing; what is left out is
            as the family says.

    Returns:
        The tensors, float32, and the fields of `Architecture` as text.

    Raises:
        CheckpointError: the model is of another family; or a tensor is missing, unexpected, not
            finite, or not of the shape that config.json gives.
    """
    kind, config = family(of), config_of(folder, of)
    check_config(folder, config, of, kind)
    path = Path(folder) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise CheckpointError(f"{path}: cannot be read ({error})") from None
    ids = config.to_dict() | settings_of(folder)
    architecture = _architecture(folder, config, kind, tokenizer, ids, frame)
    model, state = _load(folder, config, kind)
    return _converted(folder, kind, config, architecture, model, state)


def convert_loaded(
    model, tokenizer: Tokenizer, of: str | None = None, frame: Frame | None = None
) -> tuple[Tensors, Facts]:
    """Convert a loaded transformers model; results and errors are as in `convert`.

    Args:
        model: a transformers model, with or without a head; it is not changed.
        tokenizer: the model's tokenizer.
        of: the model's family; found by the model's type if None.
        frame: see `convert`.
    """
    config, name = model.config, model.config.name_or_path or type(model).__name__
    of = of or family_of(name, config.model_type)
    kind = family(of)
    check_config(name, config, of, kind)
    first = kind.block.format(0)
    bodies = [model, getattr(model, "base_model", model)]
    body = next((m for m in bodies if any(k.startswith(first) for k in m.state_dict())), None)
    if body is None:
        raise CheckpointError(
            f"{name}: no tensor name begins with {first!r}, as the blocks of the family {of!r} do"
        )
    state = {k: t.detach().float().cpu() for k, t in body.state_dict().items()}
    architecture = _architecture(name, config, kind, tokenizer, config.to_dict(), frame)
    return _converted(name, kind, config, architecture, body, state)


def _architecture(name, config, kind: Family, tokenizer, ids, frame) -> Architecture:
    """Return the architecture of a config. `ids` are the values of config.json by field."""
    special, facts = SpecialTokens(tokenizer), kind.architecture(config)
    check_padding(name, kind, facts.get("padding", -1), special)
    around = frame_of(name, kind, ids, facts["words"], special, check_frame(frame))
    architecture = Architecture(**(around | facts))
    heads, width = architecture.heads, architecture.head_size or architecture.hidden
    if heads < 1 or (not architecture.head_size and width % heads):
        raise CheckpointError(
            f"{name}: {heads} attention heads cannot share the {width} dimensions of a state"
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


def _load(folder, config, kind: Family):
    """Load a model and its tensors; raise CheckpointError unless the checkpoint has them all."""
    with readable(folder), quiet():
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
