"""Architecture of a converted model: the facts that a forward pass needs."""

import json
from dataclasses import asdict, dataclass, fields

#: Metadata key of a file of tensors that holds the architecture.
KEY = "architecture"


@dataclass(frozen=True)
class Architecture:
    """Architecture of a converted model. The defaults are BERT's.

    Args:
        layers, hidden, intermediate: number of layers, hidden size, feed-forward width.
        heads: number of attention heads.
        epsilon: ε of the norms.
        activation: the non-linearity's name in transformers.
        words: number of vocabulary entries.
        kv_heads: number of key and value heads; 0: as many as `heads`.
        head_size: size of a head; 0: hidden / heads.
        normalisation: `layer` (LayerNorm) or `rms` (RMSNorm).
        order: `post` (norms after residual sums) or `pre` (norms before sublayers).
        causal: whether a token attends only to itself and earlier tokens.
        scaled: whether attention scores are divided by √head_size.
        first_position: row of the position embeddings for the first token.
        before, after: ids of the special tokens before and after x; -1: none.
        blocks: for each layer, the number (from 1) of its block of weights; empty: its own.
        initializer_range: standard deviation of the initial matrices and embeddings.
        initial: other initial standard deviations, as (name, deviation).
        cutoff: truncation of initial values, in standard deviations; 0: none.
        padding: id of the entry whose embedding is initially zero; -1: none.
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
        """Build from facts (values or text) or metadata; raise TypeError if a field is missing."""
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
        """Return the fields as text, to save with the tensors."""
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in asdict(self).items()}

    @property
    def frame(self) -> tuple[int, ...]:
        """The ids of the entries before and after x, as far as there are any."""
        return tuple(row for row in (self.before, self.after) if row >= 0)

    def width(self, site: str) -> int:
        """Return the number of neurons per layer at a site."""
        return self.hidden if site == "output" else self.intermediate

    def block(self, layer: int) -> int:
        """Return the number of the block whose weights a layer uses."""
        return self.blocks[layer - 1] if self.blocks else layer

    def output_norm(self, layer: int) -> str | None:
        """Return the name of the norm that writes a layer's output; None if there is none."""
        if self.order == "post":
            return f"block.{self.block(layer)}.output_norm"
        return "final_norm" if layer == self.layers else None

    def intermediate_norm(self, layer: int) -> str:
        """Return the name of the norm that a layer's feed-forward layer reads."""
        name = "attention_norm" if self.order == "post" else "intermediate_norm"
        return f"block.{self.block(layer)}.{name}"


def metadata(facts: dict[str, str]) -> dict[str, str]:
    """Return facts as safetensors metadata, under a single key.

    Safetensors writes several keys in an order that varies between runs. The same model must give
    the same bytes; otherwise everything computed from it would be computed again.
    """
    return {KEY: json.dumps(facts, sort_keys=True)}


def _tuple(value):
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
