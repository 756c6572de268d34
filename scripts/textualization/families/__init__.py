"""The model families: one module each, which says where a family keeps what the study reads.

To add one, write a module here that defines FAMILY; docs/families.md shows how. Nothing else in the
project knows how a family names its weights. Light: imported whenever the Snakefile is parsed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

#: Every module beside this one is a family.
NAMES = tuple(sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem[0] != "_"))


@dataclass(frozen=True)
class Family:
    """Where a family keeps its weights, and what its blocks do with them.

    model_types: as config.json names them. model: the class of transformers that reads checkpoints,
        options: its own, with which it does.
    architecture: of the config, fields of `Architecture` that it does not share with BERT, or names
        otherwise. frame: of the config, what stands before and after x: a name, an id, or None.
    tensors: names here, and in transformers. block, inside: the same within a block, whose names
        begin with `block`, in which {} is its number from 0. Names that end with `norm` stand for a
        gain and maybe a bias, names of linear maps for a weight and maybe a bias.
    only: what the config must say, where the study knows no other way.
    unread: ends of names of tensors within a block that older versions of transformers saved, and that
        none reads.
    prepare: of transformers' tensors and the config, the tensors under names of one's own, where a
        family keeps several in one or turned round.
    constants: of the model and the number of tokens, what attention adds without being trained:
        `rotary.<layer>`, (2, tokens, head_size), the cosines and sines that queries and keys are turned
        by; `buckets`, (tokens, tokens), rows of `relative_bias` by query and key.
    """

    model_types: tuple[str, ...]
    architecture: Callable
    frame: Callable
    tensors: dict[str, str]
    block: str
    inside: dict[str, str]
    model: str = "AutoModel"
    options: dict = field(default_factory=dict)
    only: dict = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    prepare: Callable = lambda tensors, config: tensors
    constants: Callable = lambda model, tokens: {}


def family(name: str) -> Family:
    """A family by its module's name. Raises ValueError for one that is not known."""
    if name not in NAMES:
        raise ValueError(unknown(name))
    return import_module(f"{__name__}.{name}").FAMILY


def unknown(name: str) -> str:
    """What to say of a family that is not known."""
    return (
        f"{name!r} is not known (known: {', '.join(NAMES)}); a family is added as one module in "
        "scripts/textualization/families, see docs/families.md"
    )


def usual(config) -> dict:
    """What most configs call alike."""
    return {
        "layers": config.num_hidden_layers,
        "hidden": config.hidden_size,
        "intermediate": config.intermediate_size,
        "words": config.vocab_size,
        "heads": config.num_attention_heads,
        "initializer_range": config.initializer_range,
        "padding": -1 if config.pad_token_id is None else config.pad_token_id,
    }


def as_in_bert(config) -> dict:
    """What the configs of BERT's nearest kin call alike."""
    return usual(config) | {"epsilon": config.layer_norm_eps, "activation": config.hidden_act}
