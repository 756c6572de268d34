"""The contenders beside the engine: the paper's loop in transformers, as written and batched.

Both move x in vocabulary space, with torch.optim.SGD, at site `output`, and run the whole model:
transformers knows no way to stop at a block.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import BertConfig, BertModel

from textualization.models.architecture import Architecture
from textualization.models.families.bert import INSIDE

#: The faster one for `batched`, by a few percent: see `compare_attention`.
ATTENTION = "sdpa"


def literal(model, neurons, x, steps: int, rate: float, frame, callback: Callable | None = None):
    """The paper's loop as one would write it: one neuron after another.

    model: a frozen BertModel. neurons: (layer from 1, index) pairs. x: (n, V), where each starts.
    frame: ids of [CLS] and [SEP]. callback: called after every step. Returns e (n, H) and the
    activations (n,), both after the last step.
    """
    words = model.embeddings.word_embeddings.weight
    cls, sep = words[frame[0]], words[frame[1]]
    found, activations = [], []
    for (layer, index), start in zip(neurons, x, strict=True):
        point = start.clone().requires_grad_()
        optimiser = torch.optim.SGD([point], lr=rate, maximize=True)

        def activation(point=point, layer=layer, index=index):
            inputs = torch.stack([cls, point @ words, sep])[None]
            states = model(inputs_embeds=inputs, output_hidden_states=True).hidden_states
            return states[layer][0, 1, index]

        for _ in range(steps):
            optimiser.zero_grad()
            activation().backward()
            optimiser.step()
            if callback:
                callback()
        with torch.no_grad():
            found.append(point @ words)
            activations.append(activation())
    return torch.stack(found), torch.stack(activations)


def batched(model, neurons, x, steps: int, rate: float, frame, callback: Callable | None = None):
    """The same loop, fairly: all neurons, of one layer, in one batch. See `literal`.

    Rows do not touch one another, so the gradient of the sum is each one's own. SGD is fused, which
    saves a pass over (n, V).
    """
    (layer,) = {layer for layer, _ in neurons}
    index = torch.tensor([index for _, index in neurons], device=x.device)
    rows = torch.arange(len(neurons), device=x.device)
    words = model.embeddings.word_embeddings.weight
    cls, sep = (words[token].expand(len(neurons), -1) for token in frame)
    point = x.clone().requires_grad_()
    optimiser = torch.optim.SGD([point], lr=rate, maximize=True, fused=True)

    def activations():
        inputs = torch.stack([cls, point @ words, sep], dim=1)
        states = model(inputs_embeds=inputs, output_hidden_states=True).hidden_states
        return states[layer][rows, 1, index]

    for _ in range(steps):
        optimiser.zero_grad()
        activations().sum().backward()
        optimiser.step()
        if callback:
            callback()
    with torch.no_grad():
        return point @ words, activations()


def from_frozen(path: str | Path, attention: str = ATTENTION) -> BertModel:
    """The BertModel, frozen, that a file of `textualization.models.conversion` was made of.

    Peers and engine then surely have the same weights.
    """
    with safe_open(path, framework="pt") as file:
        facts = Architecture.read(file.metadata()).facts()
        tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
    positions = len(tensors["position_embeddings"])
    model = _bert(facts, positions, attention, types=1)
    state = {}
    for ours, theirs in _names(int(facts["layers"])).items():
        state[theirs] = tensors[ours][None] if ours == "type_embedding" else tensors[ours]
    model.load_state_dict(state)
    return model


def random_bert(
    layers, hidden, heads, intermediate, words, seed, attention: str = ATTENTION, frame=(101, 102)
):
    """A BERT of any shape in its own random initialisation, frozen.

    frame: the ids around x. Returns the BertModel, and the tensors and facts that FrozenTransformer
    takes, as `convert` would.
    """
    facts = {
        "layers": layers,
        "hidden": hidden,
        "intermediate": intermediate,
        "words": words,
        "heads": heads,
        "epsilon": 1e-12,
        "activation": "gelu",
        "before": frame[0],
        "after": frame[1],
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _bert(facts, positions=512, attention=attention)
    state, tensors = model.state_dict(), {}
    for ours, theirs in _names(layers).items():
        tensors[ours] = (state[theirs][0] if ours == "type_embedding" else state[theirs]).clone()
    return model, tensors, {name: str(value) for name, value in facts.items()}


def compare_attention(path, layer: int, count: int = 64, rounds: int = 12) -> dict[str, float]:
    """Median milliseconds per neuron-step of `batched`, by attention implementation, interleaved."""
    models = {name: from_frozen(path, name) for name in ("eager", "sdpa")}
    neurons = [(layer, index) for index in range(count)]
    x = torch.randn(count, models["eager"].config.vocab_size, generator=torch.manual_seed(0))
    took = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            ticks = []
            tick = partial(_tick, ticks)
            # The first step warms up.
            batched(model, neurons, x, 3, 1001.0, (101, 102), tick)
            took[name] += [after - before for before, after in pairwise(ticks)]
    return {name: 1e3 * statistics.median(times) / count for name, times in took.items()}


def _tick(ticks: list) -> None:
    ticks.append(time.perf_counter())


def _bert(facts: dict, positions: int, attention: str, types: int = 2) -> BertModel:
    config = BertConfig(
        vocab_size=int(facts["words"]),
        hidden_size=int(facts["hidden"]),
        num_hidden_layers=int(facts["layers"]),
        num_attention_heads=int(facts["heads"]),
        intermediate_size=int(facts["intermediate"]),
        hidden_act=facts["activation"],
        layer_norm_eps=float(facts["epsilon"]),
        max_position_embeddings=positions,
        type_vocab_size=types,
        attn_implementation=attention,
    )
    return BertModel(config, add_pooling_layer=False).requires_grad_(False).eval()


def _names(layers: int) -> dict[str, str]:
    """By our name of a tensor, BertModel's."""
    names = {
        "word_embeddings": "embeddings.word_embeddings.weight",
        "position_embeddings": "embeddings.position_embeddings.weight",
        # Ours is the first row of theirs.
        "type_embedding": "embeddings.token_type_embeddings.weight",
    }
    names |= _norm("embedding_norm", "embeddings.LayerNorm")
    for layer in range(layers):
        ours, theirs = f"block.{layer + 1}.", f"encoder.layer.{layer}."
        for name, source in INSIDE.items():
            if name.endswith("norm"):
                names |= _norm(ours + name, theirs + source)
                continue
            for part in ("weight", "bias"):
                names[f"{ours}{name}.{part}"] = f"{theirs}{source}.{part}"
    return names


def _norm(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.gain": f"{theirs}.weight", f"{ours}.bias": f"{theirs}.bias"}
