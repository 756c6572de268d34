"""A toy BERT in which neurons do encode words, and one in which none does, beside their nulls.

The judge must tell them apart: what was planted beats the nulls, the other toy beats none.
"""

import numpy as np
import pytest
import torch

from textualization.analysis.estimates import Intervals, excess
from textualization.analysis.null_draws import dealt
from textualization.analysis.selection import strongest
from textualization.analysis.similarity import nearest_words
from textualization.ascent.loop import AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.draws import generator
from textualization.models.null_models import NULL_MODELS, derive
from textualization.models.transformer import FrozenTransformer, Tap
from textualization.report.verdicts import null_verdict

WORDS, HIDDEN, TARGETS, DETECTORS, DRAWS = 3000, 48, 30, 2, 5
UNITS = TARGETS * DETECTORS
FACTS = {"layers": 1, "heads": 4, "hidden": HIDDEN, "intermediate": UNITS, "epsilon": 1e-12}
FACTS |= {"activation": "gelu", "initializer_range": 0.02, "padding": 0}


def toy(planted: bool) -> dict[str, np.ndarray]:
    """One block without attention. Planted: two units detect each target word, the others nothing."""
    dice = np.random.default_rng(7)

    def normal(*shape):
        return dice.standard_normal(shape).astype(np.float32)

    words = normal(WORDS, HIDDEN)
    units = normal(UNITS, HIDDEN)
    if planted:
        centred = words[:TARGETS] - words[:TARGETS].mean(axis=1, keepdims=True)
        units[: TARGETS * DETECTORS] = np.repeat(centred, DETECTORS, axis=0)
        units += 0.3 * normal(UNITS, HIDDEN)
    square, zeros = np.zeros((HIDDEN, HIDDEN), np.float32), np.zeros(HIDDEN, np.float32)
    tensors = {"word_embeddings": words, "position_embeddings": np.zeros((3, HIDDEN), np.float32)}
    # Small enough that the non-linearity has a slope wherever an ascent may start.
    tensors |= {"type_embedding": zeros, "block.1.intermediate.weight": 0.1 * units}
    tensors |= {"block.1.intermediate.bias": np.zeros(UNITS, np.float32)}
    for name in ("query", "key", "value", "attention_output"):
        tensors |= {f"block.1.{name}.weight": square, f"block.1.{name}.bias": zeros}
    tensors |= {"block.1.output.weight": normal(HIDDEN, UNITS), "block.1.output.bias": zeros}
    for name in ("embedding_norm", "block.1.attention_norm", "block.1.output_norm"):
        tensors |= {f"{name}.gain": np.ones(HIDDEN, np.float32), f"{name}.bias": zeros}
    return tensors


def nearest(tensors, groups, *name):
    """The words nearest to the optima of groups of units, and their cosines."""
    tensors = {key: torch.from_numpy(np.ascontiguousarray(t)) for key, t in tensors.items()}
    model = FrozenTransformer(tensors, FACTS)
    starts = [generator(1, *name, row).standard_normal(HIDDEN) for row in range(len(groups))]
    start = torch.tensor(np.array(starts), dtype=torch.float32)
    settings = AscentSettings(solver="lbfgs", steps=30)
    groups = [[("intermediate", 1, int(unit)) for unit in group] for group in groups]
    found = run_ascent(model, mean_of(groups, model), start, settings)
    words = model.word_embeddings.numpy()
    return nearest_words(found.embedding.numpy(), words, np.ones(len(words), dtype=bool))


def recovered(tensors, targets, *name) -> np.ndarray:
    """Whether the word nearest to the optimum of a target's strongest units is the target."""
    asarrays = {key: torch.from_numpy(np.ascontiguousarray(t)) for key, t in tensors.items()}
    model, tap = FrozenTransformer(asarrays, FACTS), Tap("intermediate", 1)
    activations = model.activations(model.word_embeddings[targets], [tap])[tap].numpy()
    return nearest(tensors, [strongest(row, DETECTORS) for row in activations], *name)[0] == targets


def beside(null, tensors, own, of_null) -> str:
    """The verdict on values per target beside those of a null's draws, to which targets are dealt."""
    words, values, draws = [], [], []
    for draw in range(DRAWS):
        chosen = np.array(dealt(np.arange(TARGETS), draw, TARGETS // DRAWS))
        values += of_null(derive(null, tensors, FACTS, 1, draw), chosen, draw).tolist()
        words += chosen.tolist()
        draws += [draw] * len(chosen)
    found = excess(own, np.arange(TARGETS), values, words, draws, np.mean, Intervals(0.95, 1000, 1))
    return null_verdict(found.low, found.high, found.p, 0.05)


@pytest.mark.parametrize(("planted", "expected"), [(True, {"above null"}), (False, set())])
def test_only_groups_that_encode_words_beat_the_nulls(planted, expected):
    """Not beside a rotated basis: directions chosen because a word activates them encode it too."""
    tensors = toy(planted)
    own = recovered(tensors, np.arange(TARGETS), "own")
    assert (own.mean() > 0.9) == planted
    verdicts = {
        beside(null, tensors, own, lambda *drawn, null=null: recovered(*drawn[:2], null, drawn[2]))
        for null in NULL_MODELS
        if null != "rotated_basis"
    }
    assert verdicts & {"above null"} == expected
    assert planted <= (verdicts == {"above null"})


@pytest.mark.parametrize(("planted", "expected"), [(True, {"above null"}), (False, set())])
def test_only_neurons_that_encode_words_are_nearer_to_words_than_every_null(planted, expected):
    tensors = toy(planted)
    own = nearest(tensors, DETECTORS * np.arange(TARGETS)[:, None], "own")[1]

    def of_null(weights, chosen, draw):
        return nearest(weights, DETECTORS * chosen[:, None], "null", draw)[1]

    verdicts = {beside(null, tensors, own, of_null) for null in NULL_MODELS}
    assert verdicts & {"above null"} == expected
    assert planted <= (verdicts == {"above null"})
