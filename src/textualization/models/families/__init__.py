"""Model families, one module each: the names of their weights, and their architecture.

To add a family, write a module here that defines FAMILY (docs/families.md); no other code changes.
A family is imported on use, since every parse of the Snakefile imports this module.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

#: Every other module in this folder is a family.
NAMES = tuple(sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem[0] != "_"))


#: Number of tokens of the longest input: `[CLS] x [SEP]`, several adjacent x, or a sentence.
TOKENS = 64


@dataclass(frozen=True)
class IdOf:
    """A special token whose id is in a field of config.json."""

    field: str


@dataclass(frozen=True)
class Family:
    """A family: the names of its weights in transformers, and the architecture of its models.

    Args:
        model_types: model types in config.json.
        architecture: function of the config; returns fields of `Architecture` (rest: defaults).
        frame: what stands before and after x: an entry's text, the field of its id, or None.
        tensors: this project's names of norms, linear maps and embeddings outside blocks, mapped to
            those in transformers (without `.weight` and `.bias`).
        block: prefix of a block's tensors; {} is the block's number from 0.
        inside: the same mapping as `tensors` within a block.
        model: class of transformers that loads checkpoints.
        options: further arguments for loading.
        only: supported values of fields of the config; a field that is missing has this value.
        least: least supported values of fields of the config.
        padded: whether the padding entry matters to the model, so that the config must have one.
        unread: suffixes of tensors in blocks that old checkpoints contain and no model uses.
        prepare: function of the tensors and the config; returns tensors split or transposed.
        constants: function of the model and the number of tokens; returns untrained constants of
            attention: `rotary.<layer>`, (2, tokens, head_size), cosines and sines of rotary
            positions; `buckets`, (tokens, tokens), rows of `relative_bias` by query and key.
    """

    model_types: tuple[str, ...]
    architecture: Callable
    frame: tuple[str | IdOf | None, str | IdOf | None]
    tensors: dict[str, str]
    block: str
    inside: dict[str, str]
    model: str = "AutoModel"
    options: dict = field(default_factory=dict)
    only: dict = field(default_factory=dict)
    least: dict = field(default_factory=dict)
    padded: bool = False
    unread: tuple[str, ...] = ()
    prepare: Callable = lambda tensors, config: tensors
    constants: Callable = lambda model, tokens: {}


def family(name: str) -> Family:
    """Return a family by its module's name; raise ValueError if there is none."""
    if name not in NAMES:
        raise ValueError(unknown(name))
    return import_module(f"{__name__}.{name}").FAMILY


def unknown(name: str) -> str:
    """Return the error message for an unknown family."""
    return (
        f"{name!r} is not known (known: {', '.join(NAMES)}); to add a family, write a module in "
        "src/textualization/models/families, see docs/families.md"
    )


def unknown_types() -> str:
    """Return the end of the error message for a model type without a family."""
    return (
        f"the families are {', '.join(NAMES)}; to add one, write a module in "
        "src/textualization/models/families, see docs/families.md"
    )


def padding(config) -> int:
    """Return the id of the padding entry; -1 if the config has none."""
    return -1 if config.pad_token_id is None else config.pad_token_id


def usual(config) -> dict:
    """Return the fields of `Architecture` that most configs name alike."""
    return {
        "layers": config.num_hidden_layers,
        "hidden": config.hidden_size,
        "intermediate": config.intermediate_size,
        "words": config.vocab_size,
        "heads": config.num_attention_heads,
        "initializer_range": config.initializer_range,
        "padding": padding(config),
    }


def as_in_bert(config) -> dict:
    """Return the fields of `Architecture` that BERT's close relatives name alike."""
    return usual(config) | {"epsilon": config.layer_norm_eps, "activation": config.hidden_act}
