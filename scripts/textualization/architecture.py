"""What an architecture is, as far as reading a neuron goes. Kept beside the frozen tensors, as text."""

import json
from dataclasses import asdict, dataclass, fields

#: Under which a file of tensors keeps the facts.
KEY = "architecture"


@dataclass(frozen=True)
class Architecture:
    """The facts of a frozen model; the defaults are BERT's.

    layers, hidden, intermediate, words: its shape. heads: of attention; kv_heads: of keys and values
        (as many if 0); head_size: of each (hidden / heads if 0).
    epsilon, normalisation: of its LayerNorms, `layer` or `rms` (which leaves the mean alone).
    order: they stand `post` (after a residual sum: what a block hands on is normalised) or `pre`
        (before attention and feed-forward layer: what it hands on is a bare sum, but for the last).
    activation: the non-linearity's name in transformers.
    causal: a token sees itself and those before it only. scaled: whether scores are divided by
        √head_size. first_position: the row of the position embeddings that the first token has.
    before, after: the entries that stand around x, as ids; -1: none does.
    blocks: for every layer the block whose weights it has, from 1; empty: its own.
    initializer_range, initial, cutoff, padding: how the architecture draws its weights before any
        training: the deviation of matrices and embeddings; where it is another, by name; how many
        deviations from 0 nothing is drawn beyond (0: no limit); the entry that is 0 (-1: none is).
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    epsilon: float
    activation: str
    words: int = 0
    kv_heads: int = 0
    head_size: int = 0
    normalisation: str = "layer"
    order: str = "post"
    causal: bool = False
    scaled: bool = True
    first_position: int = 0
    before: int = 0
    after: int = 1
    blocks: tuple[int, ...] = ()
    initializer_range: float = 0.02
    initial: tuple[tuple[str, float], ...] = ()
    cutoff: float = 0.0
    padding: int = -1

    @classmethod
    def read(cls, facts: dict) -> "Architecture":
        """From facts, values or texts, or a file's `metadata`. Raises TypeError if one is missing."""
        if KEY in facts:
            facts = json.loads(facts[KEY])
        known = {field.name: field.type for field in fields(cls)}
        values = {name: value for name, value in facts.items() if name in known}
        for name, value in values.items():
            if isinstance(value, str) and known[name] is not str:
                value = json.loads(value)
            values[name] = _tuple(value)
        return cls(**values)

    def facts(self) -> dict[str, str]:
        """As text, to be kept with the tensors."""
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in asdict(self).items()}

    def width(self, site: str) -> int:
        """Neurons per layer at a site."""
        return self.hidden if site == "output" else self.intermediate

    def block(self, layer: int) -> int:
        """The block whose weights a layer has."""
        return self.blocks[layer - 1] if self.blocks else layer

    def output_norm(self, layer: int) -> str | None:
        """The name of the LayerNorm that a block's output has passed last; None if it is a bare sum."""
        if self.order == "post":
            return f"block.{self.block(layer)}.output_norm"
        return "final_norm" if layer == self.layers else None

    def intermediate_norm(self, layer: int) -> str:
        """The name of the LayerNorm that a block's feed-forward layer reads."""
        name = "attention_norm" if self.order == "post" else "intermediate_norm"
        return f"block.{self.block(layer)}.{name}"


def metadata(facts: dict[str, str]) -> dict[str, str]:
    """Facts as a file of tensors keeps them: under one key.

    Safetensors writes several keys in an order that changes from run to run; the same model is to make
    the same bytes, or all that is made of it would be made again.
    """
    return {KEY: json.dumps(facts, sort_keys=True)}


def _tuple(value):
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
