"""What the tests of ascent share: some objectives, their starts, and how to climb them."""

from dataclasses import fields

import torch

from textualization.ascent import AscentSettings, Optima, ascend
from textualization.objectives import mean_of
from textualization.starts import vocabulary_vectors

SOLVERS = ("paper", "sphere", "lbfgs")
#: How close the same optimum comes, found in other batches. Near the top a value that is right to
#: rounding tells points apart no closer than rounding's square root, and L-BFGS gets there.
SAME = {"paper": 1e-9, "sphere": 1e-9, "lbfgs": 1e-6}
#: Of both sites and several layers.
GROUPS = [
    [("output", 1, 3)],
    [("output", 2, 0)],
    [("intermediate", 2, 7)],
    [("output", 1, 1), ("output", 2, 5), ("intermediate", 1, 2), ("output", 2, 9)],
]


def starts_for(model, count, dtype=torch.float64):
    """x₀ (n, V), and x₀E (n, H)."""
    x0 = vocabulary_vectors(7, [("test", i) for i in range(count)], 400, "normal", 1.0)
    return torch.from_numpy(x0), (torch.from_numpy(x0) @ model.word_embeddings.double()).to(dtype)


def climb(model, groups, start, steps, batch=None, snapshots=None, progress=None, **settings):
    settings = AscentSettings(steps=steps, **settings)
    return ascend(model, mean_of(groups, model), start, settings, batch, snapshots, progress)


def assert_identical(found: Optima, expected: Optima) -> None:
    """Bit for bit."""
    for field in fields(Optima):
        ours, theirs = (torch.as_tensor(getattr(o, field.name)) for o in (found, expected))
        assert torch.equal(ours, theirs), field.name


def assert_close(found: Optima, expected: Optima, of_embedding=1e-9) -> None:
    """But for rounding."""
    for field in fields(Optima):
        ours, theirs = (torch.as_tensor(getattr(o, field.name)) for o in (found, expected))
        within = of_embedding if field.name == "embedding" else 1e-9
        torch.testing.assert_close(ours, theirs, rtol=within, atol=within, equal_nan=True)
