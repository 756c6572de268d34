"""`make ask NEURON=-…`: a neuron's minimum with a study's settings, against the library's."""

import numpy as np
import pytest

import textualization as tx
from paths import DATA
from scripts.commands import ask
from settings import shipped
from study.asked.finished import FinishedStudy
from study.asked.minima import minimum_of
from textualization.errors import SettingsError
from textualization.models.word_activations import all_taps

NEURON = ("output", 2, 3)


@pytest.fixture
def study():
    model = tx.load(DATA / "tiny-deep", device="cpu")
    activations = model.word_activations(
        np.arange(len(model.words)), all_taps(model.transformer(), ["output"])
    )
    study = FinishedStudy.__new__(FinishedStudy)
    study.settings, study.model, study.folder = shipped(), "tiny-deep", "results/a"
    study.settings["ascent"]["singles"] |= {"steps": 20, "restarts": 3}
    study.load = lambda: model
    study.matrices = lambda sites: {"output": np.stack(list(activations.values()))}
    rows = [(layer, index) for layer in (1, 2, 3) for index in range(16)]
    neurons = {
        "site": ["output"] * 48,
        "layer": [r[0] for r in rows],
        "index": [r[1] for r in rows],
    }
    study.document = {"neurons": neurons, "seek": "maximum"}
    return study


def test_a_minimum_is_the_librarys(study):
    found = minimum_of(study, NEURON)
    model = study.load()
    how = {"solver": "lbfgs", "steps": 20, "dtype": "float64", "restarts": 3, "seed": 2023}
    optima = tx.ascend(model, ["-output/2/3"], **how)
    row = optima.table().iloc[0]
    assert found["starts"] == pytest.approx(optima.activation.tolist(), rel=1e-6)
    for name in ("activation", "floor", "explanation", "start_explanation", "taken"):
        assert found[name] == pytest.approx(row[name], rel=1e-4)
    assert found["activation"] < found["start_activation"] and not found["collapsed"]
    nearest = optima.nearest_words(5)
    assert [word for word, _ in found["nearest"]] == nearest["word"][:5].tolist()
    assert found["least"][0][0] == row["best_word"]
    values = [value for _, value in found["least"]]
    assert values == sorted(values) and len(values) == 5


def test_a_minimum_is_said_in_words(study):
    found = minimum_of(study, NEURON)
    title, *lines = ask.ask_neuron(study, "-output/2/3", fresh=False)
    assert title.startswith("-output/2/3, in tiny-deep: not taken from the study; ascended now")
    text = "\n".join(lines)
    share = 100 * found["activation"] / found["floor"]
    assert f"minimum          {found['activation']:.3g} (" in text and "over 3 starts" in text
    assert f"floor            {found['floor']:.3g}, minimum at {share:.3g} %" in text
    word, lowest = found["least"][0]
    assert f"the word that activates it least, {word}, reaches {lowest:.3g}" in text
    assert "ceiling" not in text


def test_in_a_study_of_minima_the_minus_is_part_of_the_name(study, monkeypatch):
    study.document |= {"seek": "minimum", "optima": {"neuron": [19], "activation": [1.0]}}
    monkeypatch.setattr(ask, "neuron_answer", lambda document, row, optimum: [f"row {row}"])
    title, line = ask.ask_neuron(study, "-output/2/3", fresh=False)
    assert title.startswith("-output/2/3, in tiny-deep: from the study") and line == "row 19"
    with pytest.raises(SettingsError, match="seeks minima.*allowed: -output/2/3"):
        ask.ask_neuron(study, "output/2/3", fresh=False)


def test_a_minimum_of_no_neuron_is_refused(study):
    with pytest.raises(SettingsError, match="NEURON: no output/9/3 in tiny-deep"):
        ask.ask_neuron(study, "-output/9/3", fresh=False)
