"""The atlas's parts against the tables that they are made of, and the page that holds them."""

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest

from atlas_page import document, made_up_words, page_of
from paths import ROOT
from textualization.analysis.similarity import nearest_words, several_nearest_words, unit
from textualization.report import atlas

FOLDER = ROOT / "resources/atlas"


def test_several_nearest_words_are_those_of_a_search_through_all():
    rng = np.random.default_rng(0)
    words, optima = rng.normal(size=(50, 6)), rng.normal(size=(9, 6))
    candidates = np.arange(50) % 3 > 0
    ids, cosines = several_nearest_words(optima, words, candidates, 4, chunk=2)
    all_cosines = unit(optima) @ unit(words).T
    for row, own in enumerate(all_cosines):
        order = sorted(np.flatnonzero(candidates), key=lambda word: -own[word])[:4]
        assert list(ids[row]) == order
        np.testing.assert_allclose(cosines[row], own[order], rtol=1e-6)
    first, cosine = nearest_words(optima, words, candidates)
    np.testing.assert_array_equal(ids[:, 0], first)
    np.testing.assert_allclose(cosines[:, 0], cosine, rtol=1e-6)
    assert several_nearest_words(optima, words, np.arange(50) < 2, 4)[0].shape == (9, 2)
    assert several_nearest_words(optima[:0], words, candidates, 4)[0].shape == (0, 4)


def summaries():
    return pd.DataFrame(
        {
            "site": ["output", "intermediate", "output"],
            "layer": [2, 1, 1],
            "index": [0, 3, 1],
            "max": [1.0, 2.0, 3.0],
            "mean": 0.0,
            "std": 1.0,
            "top_words": [[0, 2], [1, 0], [2, 1]],
            "top_activations": [[1.0, 0.5], [2.0, 1.0], [3.0, 2.0]],
        }
    )


WORDS = ["</script>", "b & c", "ד"]


def test_neurons_are_in_order_with_their_words():
    neurons = atlas.neurons_of(summaries(), WORDS)
    assert neurons[atlas.NEURON].to_numpy().tolist() == [
        ["intermediate", 1, 3],
        ["output", 1, 1],
        ["output", 2, 0],
    ]
    assert neurons["top_words"].tolist() == [["b & c", WORDS[0]], ["ד", "b & c"], [WORDS[0], "ד"]]
    assert neurons["max"].tolist() == [2.0, 3.0, 1.0]


def test_an_optimum_is_its_first_starts_and_knows_its_neuron_and_its_curve():
    neurons = atlas.neurons_of(summaries(), WORDS)
    singles = pd.DataFrame(
        {"site": "output", "layer": [2, 2, 1], "index": [0, 0, 1], "restart": [1, 0, 0]}
    )
    for name in atlas.OF_OPTIMA:
        singles[name] = [7.0, 8.0, 9.0]
    curves = pd.DataFrame({"row": [0, 1, 2] * 2, "step": [0] * 3 + [5] * 3, "activation": range(6)})
    vectors = np.eye(3)
    found = np.array([[1.0, 0, 0], [0, 1, 0.5], [0, 0.1, 1]])
    optima, steps = atlas.optima_of(
        singles, curves, found, neurons, WORDS, vectors, np.array([True, True, True]), 2
    )
    assert steps == [0, 5]
    assert optima["neuron"].tolist() == [2, 1]
    assert [list(curve) for curve in optima["curve"]] == [[1, 4], [2, 5]]
    assert optima["nearest_words"].tolist() == [["b & c", "ד"], ["ד", "b & c"]]
    assert optima["activation"].tolist() == [8.0, 9.0]
    assert optima["starts"].tolist() == [[7.0, 8.0], [9.0]]
    with pytest.raises(ValueError, match="summaries: lack neuron output/9/0"):
        atlas.optima_of(
            singles.assign(layer=9, index=0),
            curves,
            found,
            neurons,
            WORDS,
            vectors,
            vectors[0] > 0,
            1,
        )


def test_scatters_share_drawn_candidates_and_many_scatters_have_fewer():
    candidates = np.arange(3000) % 3 > 0
    few = atlas.scatter_words(candidates, 10, seed=1)
    assert len(few) == atlas.SCATTER_WORDS and (np.diff(few) > 0).all() and candidates[few].all()
    many = atlas.scatter_words(candidates, 2500, seed=1)
    assert len(many) * 2500 == atlas.SCATTER_POINTS and set(many) < set(few)
    assert set(atlas.scatter_words(candidates, 10, seed=2)) != set(few)
    assert atlas.scatter_words(candidates[:6], 10, seed=1).tolist() == [1, 2, 4, 5]


def test_a_scatter_has_the_cosines_of_drawn_and_of_top_words_and_activations():
    vectors = np.array([[1.0, 0], [0, 2], [3, 3], [-1, 0]])
    found = np.array([[2.0, 0], [np.nan, 0]])
    made = atlas.scatter_of(
        found,
        np.array([0, 2]),
        np.array([[0.12345, -7], [1, 2]]),
        [[3], [1]],
        list("abcd"),
        vectors,
    )
    assert made == {
        "words": ["a", "c"],
        "cosines": [[1.0, 0.707], [None, None]],
        "activations": [[0.123, -7.0], [1.0, 2.0]],
        "top_cosines": [[-1.0], [None]],
    }


def test_groups_keep_their_first_start_and_count_all():
    groups = pd.DataFrame(
        {
            "word": "a",
            "selection": "absolute",
            "scope": "model",
            "scope_layer": 0,
            "size": [4, 4, 8],
        }
    ).assign(restart=[0, 1, 0])
    for name in atlas.OF_GROUPS:
        groups[name] = [1.0, 2.0, 3.0]
    groups["recovered"] = [False, True, True]
    found = atlas.groups_of(groups)
    assert found["size"].tolist() == [4, 8] and found["activation"].tolist() == [1.0, 3.0]
    assert found["starts"].tolist() == [2, 1] and found["recovery"].tolist() == [0.5, 1.0]


def test_rankings_name_neurons_by_their_row():
    neurons = atlas.neurons_of(summaries(), WORDS)
    ranking = pd.DataFrame(
        {
            "word": pd.Categorical(["x", "x", "x", "y", "y", "y"]),
            "rank": [2, 1, 3, 1, 2, 3],
            "site": pd.Categorical(["output", "output", "intermediate"] * 2),
            "layer": [2, 1, 1] * 2,
            "index": [0, 1, 3] * 2,
        }
    )
    assert atlas.ranking_of(ranking, ["y", "x"], neurons, 2) == [[2, 1], [1, 2]]


def test_nulls_are_medians_by_layer():
    nulls = pd.DataFrame({"null": "p", "site": "output", "layer": [1, 1, 1, 2]})
    nulls = nulls.assign(activation=[1.0, 2.0, 6.0, 1.0], ceiling=[2.0, 2.0, 6.0, np.nan])
    nulls = nulls.assign(nearest_cosine=[0.1, 0.2, 0.4, 0.5], utilisation_best_word=1.0)
    nulls = nulls.assign(explanation=[0.1, np.nan, 0.5, np.nan])
    found = atlas.nulls_by_layer(nulls)
    assert found["nearest_cosine"].tolist() == [0.2, 0.5]
    assert found["neurons"].tolist() == [3, 1]
    assert atlas.columns(found)["share_of_ceiling"] == [1.0, None]
    assert atlas.columns(found)["explanation"] == [0.3, None]


def test_values_become_json_without_nan():
    values = [
        np.float32(1 / 3),
        np.nan,
        np.inf,
        True,
        np.int32(4),
        [np.float64(2.00001)],
        pd.NA,
        "x",
    ]
    assert atlas.plain(values) == [0.3333, None, None, 1, 4, [2.0], None, "x"]
    assert atlas.plain([[1 / 3]], 3) == [[0.333]]


def test_a_page_holds_its_files_and_data_and_nothing_ends_a_script_too_soon():
    template = '<link rel="stylesheet" href="a.css">\n<!-- data -->\n<script src="a.js"></script>'
    files = {"a.css": "p {}\n", "a.js": "'</script>'"}
    model = {"words": WORDS}
    page = atlas.page(template, files, {"study": "</script>"}, {"m": atlas.packed(model)})
    assert "<style>\np {}\n</style>" in page and r"<script>'<\/script>'</script>" in page
    assert page.count("</script>") == 3
    about = re.search(r'id="about">(.*?)</script>', page)[1]
    assert json.loads(about) == {"study": "</script>"}
    part = re.search(r'data-model="m">(.*?)</script>', page)[1]
    assert json.loads(gzip.decompress(base64.b64decode(part))) == model
    with pytest.raises(KeyError, match="a.js"):
        atlas.page(template, {"a.css": ""}, {}, {})


def test_the_same_numbers_give_the_same_page():
    pages = [
        page_of({"m": document(np.random.default_rng(0), WORDS * 9, 2, 2, 4, [2])}) for _ in "12"
    ]
    assert pages[0] == pages[1]


def test_the_papers_page_stays_under_15_mb():
    rng = np.random.default_rng(0)
    page = page_of({"bert-base-uncased": document(rng, made_up_words(rng))})
    assert len(page.encode()) < 15e6


def test_the_page_carries_the_libraries_that_are_named():
    listed = re.findall(
        r"^\| (\S+) \|.* (\w{64}) \|$", (FOLDER / "vendor/README.md").read_text(), re.M
    )
    carried = {path.name: path for path in (FOLDER / "vendor").glob("*.js")}
    assert {name for name, _ in listed} == set(carried)
    for name, digest in listed:
        assert hashlib.sha256(carried[name].read_bytes()).hexdigest() == digest
