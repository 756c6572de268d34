"""The script that ascends under every condition: one replicate's model is in memory at a time."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file

import textualization as tx
from paths import DATA
from scripts.experiments import ascend_conditions
from settings import changed
from study.config.experiments import conditions, resolved
from study.experiments.inputs import ExperimentInputs
from textualization.ascent.protocol import Execution
from textualization.models.architecture import metadata
from textualization.models.conversion import convert

VARY = {"paper": {}, "z_score": {"selection": "z_score"}, "random": {"basis": "random"}}


@pytest.fixture
def alive(monkeypatch):
    """How many of the models opened before are alive at each opening."""
    models, alive = [], []
    plain = ExperimentInputs.open

    def noted(self, *args, **kwargs):
        alive.append(sum(model() is not None for model in models))
        found = plain(self, *args, **kwargs)
        models.append(weakref.ref(found.model))
        return found

    monkeypatch.setattr(ExperimentInputs, "open", noted)
    gc.disable()
    yield alive
    gc.enable()


def test_a_replicates_model_is_freed_before_the_next_is_opened(alive, tmp_path):
    tensors, facts = convert(DATA / "tiny-deep")
    save_file(tensors, tmp_path / "frozen.safetensors", metadata=metadata(facts))
    model = tx.load(DATA / "tiny-deep", device="cpu")
    model.words.to_parquet(tmp_path / "candidates.parquet")
    ids = np.flatnonzero(model.candidates)
    pd.DataFrame({"id": ids[::2]}).to_parquet(tmp_path / "reference.parquet")
    targets = pd.DataFrame({"word": model.words["word"][ids[:6]], "id": ids[:6]})
    targets.to_parquet(tmp_path / "targets.parquet")
    nulls = {"models": ["permuted"], "replicates": 3}
    experiment = {"base": {"steps": 2}, "nulls": nulls, "reference": "paper", "vary": VARY}
    every = {name: of for found in conditions(experiment).values() for name, of in found.items()}
    ascend_conditions.main(
        [tmp_path / "frozen.safetensors"] * 3, tmp_path / "candidates.parquet",
        tmp_path / "reference.parquet", tmp_path / "targets.parquet",
        DATA / "tiny-deep/tokenizer.json", [],
        {name: resolved(one, changed()) for name, one in every.items()},
        {"singles": {"neurons": 3}, "groups": {"of": "targets", "words": "all", "sizes": [8]}},
        1, [0, 1, 2], "permuted", Execution(device="cpu"), tmp_path / "optima.parquet",
    )  # fmt: skip
    assert alive == [0, 0, 0]
    assert set(pd.read_parquet(tmp_path / "optima.parquet")["draw"]) == {0, 1, 2}
