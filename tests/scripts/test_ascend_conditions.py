"""The script that ascends under every condition: one model at a time, and conditions in order."""

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


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with what the script reads of a study of a tiny model."""
    folder = tmp_path_factory.mktemp("study")
    tensors, facts = convert(DATA / "tiny-deep")
    save_file(tensors, folder / "frozen.safetensors", metadata=metadata(facts))
    model = tx.load(DATA / "tiny-deep", device="cpu")
    model.words.to_parquet(folder / "candidates.parquet")
    ids = np.flatnonzero(model.candidates)
    pd.DataFrame({"id": ids[::2]}).to_parquet(folder / "reference.parquet")
    targets = pd.DataFrame({"word": model.words["word"][ids[:6]], "id": ids[:6]})
    targets.to_parquet(folder / "targets.parquet")
    return folder


def run_script(study, vary, table, replicates=3) -> pd.DataFrame:
    nulls = {"models": ["permuted"], "replicates": replicates}
    experiment = {"base": {"steps": 2}, "nulls": nulls, "reference": "paper", "vary": vary}
    every = {name: of for found in conditions(experiment).values() for name, of in found.items()}
    ascend_conditions.main(
        [study / "frozen.safetensors"] * replicates, study / "candidates.parquet",
        study / "reference.parquet", study / "targets.parquet",
        DATA / "tiny-deep/tokenizer.json", [],
        {name: resolved(one, changed()) for name, one in every.items()},
        {"singles": {"neurons": 3}, "groups": {"of": "targets", "words": "all", "sizes": [8]}},
        1, list(range(replicates)), "permuted", Execution(device="cpu"), table,
    )  # fmt: skip
    return pd.read_parquet(table)


def test_a_replicates_model_is_freed_before_the_next_is_opened(alive, study, tmp_path):
    found = run_script(study, VARY, tmp_path / "optima.parquet")
    assert alive == [0, 0, 0]
    assert set(found["draw"]) == {0, 1, 2}


def test_conditions_that_ascend_together_give_the_table_of_each_alone(study, tmp_path, monkeypatch):
    # In an order in which conditions of one pack are not neighbours.
    vary = {"paper": {"steps": [1, 3], "solver": ["paper", "sphere"]}, "adam": {"solver": "adam"}}
    together = run_script(study, vary, tmp_path / "together.parquet", replicates=2)
    monkeypatch.setattr(
        ascend_conditions, "packs", lambda of: [{name: one} for name, one in of.items()]
    )
    alone = run_script(study, vary, tmp_path / "alone.parquet", replicates=2)
    assert together["condition"].nunique() == 5 and len(together) == 5 * (9 + 6 + 3)
    for name in together:
        pair = together[name], alone[name]
        if name == "embedding":
            np.testing.assert_allclose(*(np.stack(of) for of in pair), rtol=1e-3, atol=1e-4)
        elif together[name].dtype.kind == "f":
            np.testing.assert_allclose(*pair, rtol=1e-3, atol=1e-4, err_msg=name)
        else:
            pd.testing.assert_series_equal(*pair)
