"""What the tests of ascent share: some objectives, their starts, and how to ascend on them."""

from dataclasses import fields

import pandas as pd
import torch

from textualization.ascent.loop import AscentResult, AscentSettings, run_ascent
from textualization.ascent.objectives import mean_of
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.ascent.starts import draw_starts
from textualization.models.model import Model

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
    x0 = draw_starts(7, [("test", i) for i in range(count)], 400, "normal", 1.0)
    return torch.from_numpy(x0), (torch.from_numpy(x0) @ model.word_embeddings.double()).to(dtype)


def ascend(model, groups, start, steps, batch=None, snapshots=None, progress=None, **settings):
    settings = AscentSettings(steps=steps, **settings)
    return run_ascent(model, mean_of(groups, model), start, settings, batch, snapshots, progress)


def ascend_to_file(weights, optima, protocol, execution, groups=GROUPS, snapshots=True) -> None:
    """A whole job: read a model, ascend on groups, keep the optima, and then no snapshot any more."""
    table = pd.DataFrame({"neurons": groups, "place": range(len(groups))})
    table["identity"] = [("group", place) for place in table["place"]]
    model = Model.open(weights, read=protocol["read"], device=execution["device"])
    how = Execution(**execution, snapshots=optima if snapshots else None)
    ascend_objectives(model, table, Protocol(**protocol), how).save(optima)
    how.remove_snapshots()


class Impatience(Exception):  # noqa: N818
    """What ends an ascent in these tests."""


class Patience:
    """A progress callback that interrupts at its n-th call."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self, *progress):
        self.left -= 1
        if not self.left:
            raise Impatience


def until_finished(run, patience):
    """Run an ascent again and again, interrupted every time; returns the optima and how often."""
    interruptions = 0
    while True:
        try:
            return run(Patience(patience)), interruptions
        except Impatience:
            interruptions += 1


def assert_identical(found: AscentResult, expected: AscentResult) -> None:
    """Bit for bit."""
    for field in fields(AscentResult):
        ours, theirs = (torch.as_tensor(getattr(o, field.name)) for o in (found, expected))
        assert torch.equal(ours, theirs), field.name


def assert_close(found: AscentResult, expected: AscentResult, of_embedding=1e-9) -> None:
    """But for rounding."""
    for field in fields(AscentResult):
        ours, theirs = (torch.as_tensor(getattr(o, field.name)) for o in (found, expected))
        within = of_embedding if field.name == "embedding" else 1e-9
        torch.testing.assert_close(ours, theirs, rtol=within, atol=within, equal_nan=True)
