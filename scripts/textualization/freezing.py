"""Any checkpoint that transformers can read, as one file of tensors under the names used here."""

import re
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import AutoConfig

from textualization.architecture import Architecture
from textualization.families import Family, family

#: Tokens of the longest input: `[CLS] x [SEP]`, several x in a row, or a sentence.
TOKENS = 64
#: Tensors of one part, not a weight and a bias.
PARAMETERS = ("word_embeddings", "position_embeddings", "type_embedding", "relative_bias")


#: No code of a model's own, and none that its config names: attention is never run here.
PLAIN = {"local_files_only": True, "trust_remote_code": False, "attn_implementation": "eager"}


class CheckpointError(ValueError):
    """A checkpoint is not one that the study can read."""


def freeze(folder: str | Path, of: str = "bert") -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read the model in `folder`; return its tensors (float32) and its facts (all strings).

    of: its family, see `textualization.families`.
    Tensors, as far as the family has them: `word_embeddings` (V, E), `position_embeddings` (P, E),
    `type_embedding` (E,), `embedding_norm.gain|bias` (E,), `projection.weight|bias` to (H,),
    `final_norm.gain|bias` (H,), `relative_bias` (buckets, heads); for block l from 1
    `block.<l>.query|key|value|attention_output|intermediate|gate|output.weight|bias` and
    `block.<l>.attention_norm|output_norm|intermediate_norm.gain|bias`; and what is not trained,
    `constant.buckets` and `constant.rotary.<layer>` (see `Family`).
    Facts: those of `textualization.architecture.Architecture`.
    Raises CheckpointError for another family, and for a tensor that is missing, not accounted for, not
    finite, or not of the shape that config.json gives.
    """
    kind = family(of)
    with _readable(folder):
        config = AutoConfig.from_pretrained(folder, **PLAIN)
    if getattr(config, "quantization_config", None):
        raise CheckpointError(f"{folder}: config.json has quantized weights, which are not read")
    if config.model_type not in kind.model_types:
        raise CheckpointError(
            f"{folder}: model type {config.model_type!r} is not of the family {of!r} that the catalogue "
            f"names (which holds: {', '.join(kind.model_types)})"
        )
    for name, needed in kind.only.items():
        if getattr(config, name) != needed:
            raise CheckpointError(
                f"{folder}: config.json has {name}: {getattr(config, name)}; known is {needed} only"
            )
    before, after = (_entry(folder, token) for token in kind.frame(config))
    facts = {"before": before, "after": after} | kind.architecture(config)
    architecture = Architecture(**facts)
    heads, width = architecture.heads, architecture.head_size or architecture.hidden
    if heads < 1 or (not architecture.head_size and width % heads):
        raise CheckpointError(
            f"{folder}: {heads} attention heads cannot share the {width} dimensions of a state"
        )
    if max(before, after) >= architecture.words:
        raise CheckpointError(
            f"{folder}: entry {max(before, after)}, which stands beside every input, is none of the "
            f"model's {architecture.words}"
        )
    model, state = _load(folder, config, kind)
    state = kind.prepare(state, config)
    tensors = _named(kind.tensors, "", state)
    for number in range(len(set(architecture.blocks)) or architecture.layers):
        inside = _named(kind.inside, kind.block.format(number), state)
        tensors |= {f"block.{number + 1}.{name}": tensor for name, tensor in inside.items()}
    tensors = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(f"{folder}: not all finite: {', '.join(broken[:5])}")
    for name, tensor in kind.constants(model, TOKENS).items():
        tensors[f"constant.{name}"] = tensor.contiguous().clone()
    return tensors, architecture.facts()


@contextmanager
def _readable(folder):
    """Whatever transformers cannot read, in a line that names the folder."""
    try:
        yield
    except Exception as error:  # many kinds, of which some say no more than a name
        told = (str(error).strip() or "no reason given").splitlines()[0]
        if "trust_remote_code" in str(error):  # what transformers advises then is not done
            told = "it needs code that comes with the model, which is never run"
        raise CheckpointError(
            f"{folder}: transformers cannot read it ({type(error).__name__}: {told})"
        ) from error


def _load(folder, config, kind: Family):
    """The model and its tensors, all of them from the checkpoint."""
    with _readable(folder):
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
    # What is missing would be drawn at random.
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(f"{folder}: the checkpoint lacks {', '.join(missing[:5])}")
    inside = re.compile(r"(^|\.)" + re.escape(kind.block).replace(r"\{\}", r"\d+"))
    beyond = sorted(
        name
        for name in report["unexpected_keys"]
        if inside.search(name) and not name.endswith(kind.unread)
    )
    if beyond:
        raise CheckpointError(
            f"{folder}: the checkpoint has tensors in its blocks that config.json does not account "
            f"for: {', '.join(beyond[:5])}"
        )
    misshapen = sorted(name for name, *_ in report["mismatched_keys"])
    if misshapen:
        raise CheckpointError(
            f"{folder}: not of the shape that config.json gives: {', '.join(misshapen[:5])}"
        )
    return model, model.state_dict()


def _named(names: dict[str, str], prefix: str, state: dict) -> dict:
    """Tensors under the names used here, of those that the model has."""
    found = {}
    for ours, theirs in names.items():
        weight, bias = (state.get(f"{prefix}{theirs}.{part}") for part in ("weight", "bias"))
        if ours in PARAMETERS:
            # Of token types the first alone is ever used.
            parts = {ours: weight[0] if ours == "type_embedding" else weight}
        elif ours.endswith("norm"):
            parts = {f"{ours}.gain": weight, f"{ours}.bias": bias}
        else:
            parts = {f"{ours}.weight": weight, f"{ours}.bias": bias}
        found |= {name: tensor for name, tensor in parts.items() if tensor is not None}
    return found


def _entry(folder, token: str | int | None) -> int:
    """The id of what stands beside x; -1 if nothing does."""
    if isinstance(token, str):
        name, path = token, Path(folder) / "tokenizer.json"
        try:
            token = Tokenizer.from_file(str(path)).token_to_id(name)
        except Exception as error:  # the library raises nothing more special
            raise CheckpointError(f"{path}: cannot be read ({error})") from None
        if token is None:
            raise CheckpointError(f"{path}: has no entry {name!r}, which stands beside every input")
    if not isinstance(token, int | None):
        raise CheckpointError(
            f"{folder}: config.json names several entries, {token}, to stand beside x"
        )
    return -1 if token is None else token
