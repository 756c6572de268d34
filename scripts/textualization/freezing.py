"""Any checkpoint that transformers can read, as one file of tensors under the names used here.

This is the only module that knows how a model family names its weights.
"""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel

_LINEAR = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
}
_NORM = {"attention_norm": "attention.output.LayerNorm", "output_norm": "output.LayerNorm"}


class CheckpointError(ValueError):
    """A checkpoint is not one that the study can read."""


def freeze(folder: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read the model in `folder`; return its tensors (float32) and its facts (all strings).

    Tensors: `word_embeddings` (V, H), `position_embeddings` (P, H), `type_embedding` (H,),
    `embedding_norm.gain|bias` (H,), and for block l from 1: `block.<l>.query|key|value|
    attention_output|intermediate|output.weight|bias`, `block.<l>.attention_norm|output_norm.gain|bias`.
    Facts: `layers`, `hidden`, `intermediate`, `words`, `heads`, `epsilon`, `activation`; and of the
    architecture's own initialisation, `initializer_range` and `padding` (an entry, or -1).
    Raises CheckpointError for another family, and for a tensor that is missing, not finite, or not
    of the shape that config.json gives.
    """
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if config.model_type != "bert":
        raise CheckpointError(
            f"{folder}: model type {config.model_type!r} is not known (known: bert)"
        )
    model, report = AutoModel.from_pretrained(
        folder,
        config=config,
        add_pooling_layer=False,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    state = model.state_dict()
    # A block's missing weights would be drawn at random; the pooler is not part of the study.
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise CheckpointError(f"{folder}: the checkpoint lacks {', '.join(missing[:5])}")
    beyond = sorted(name for name in report["unexpected_keys"] if "encoder.layer." in name)
    if beyond:
        raise CheckpointError(
            f"{folder}: the checkpoint has more layers than config.json says: {beyond[0]}"
        )
    misshapen = sorted(name for name, *_ in report["mismatched_keys"])
    if misshapen:
        raise CheckpointError(
            f"{folder}: not of the shape that config.json gives: {', '.join(misshapen[:5])}"
        )
    tensors = {
        "word_embeddings": state["embeddings.word_embeddings.weight"],
        "position_embeddings": state["embeddings.position_embeddings.weight"],
        "type_embedding": state["embeddings.token_type_embeddings.weight"][0],
    }
    tensors |= _norm(state, "embeddings.LayerNorm", "embedding_norm")
    for layer in range(config.num_hidden_layers):
        ours, theirs = f"block.{layer + 1}.", f"encoder.layer.{layer}."
        for name, source in _LINEAR.items():
            for part in ("weight", "bias"):
                tensors[f"{ours}{name}.{part}"] = state[f"{theirs}{source}.{part}"]
        for name, source in _NORM.items():
            tensors |= _norm(state, theirs + source, ours + name)
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(f"{folder}: not all finite: {', '.join(broken[:5])}")
    facts = {
        "layers": config.num_hidden_layers,
        "hidden": config.hidden_size,
        "intermediate": config.intermediate_size,
        "words": config.vocab_size,
        "heads": config.num_attention_heads,
        "epsilon": config.layer_norm_eps,
        "activation": config.hidden_act,
        "initializer_range": config.initializer_range,
        "padding": -1 if config.pad_token_id is None else config.pad_token_id,
    }
    tensors = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    return tensors, {name: str(value) for name, value in facts.items()}


def _norm(state: dict, theirs: str, ours: str) -> dict:
    return {f"{ours}.gain": state[f"{theirs}.weight"], f"{ours}.bias": state[f"{theirs}.bias"]}
