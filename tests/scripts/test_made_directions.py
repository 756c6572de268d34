"""Directions of a study: made and ascended on as in the library, described as naive loops do."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

import textualization as tx
from paths import DATA
from scripts.claims.write_findings import _directions
from scripts.directions import (
    ascend_directions,
    describe_directions,
    make_directions,
    null_model_directions,
)
from scripts.nulls import derive_null
from scripts.tables import directions as table_of_directions
from study.made_directions import find_words, usable_words
from textualization.analysis.estimates import Intervals
from textualization.ascent.protocol import Execution, Protocol
from textualization.models.architecture import metadata
from textualization.models.conversion import convert
from textualization.models.model import Model
from textualization.models.transformer import Tap
from textualization.models.vocabulary import VocabularyError
from textualization.report.csv_tables import read_csv
from textualization.report.tables import TableFiles

SEED, STEPS = 7, 12
PROTOCOL = Protocol(
    "lbfgs", STEPS, {"angle": 1.0, "memory": 10, "power": 1.0}, seed=SEED, dtype="float64"
)
WIDTHS = {"output": 16, "intermediate": 32}
SETS = {
    "features": {"file": "d.safetensors", "site": "output", "layers": [3]},
    "royal": {"words": ["green", "river"], "minus": ["tiger"], "site": "output", "layers": "all"},
    "parts": {"principal": 3, "site": "intermediate", "layers": [1, 2]},
    "chance": {"random": 2, "site": "output", "layers": [2]},
    "back": {"activations_of": ["apple", "river"], "site": "output", "layers": [1]},
}
LAYERS = {name: [1, 2, 3] if of["layers"] == "all" else of["layers"] for name, of in SETS.items()}
NAMED = {
    "royal": {"words": ["green", "river"], "minus": ["tiger"]},
    "back": {"activations_of": ["apple", "river"]},
}


@pytest.fixture(scope="module")
def model():
    loaded = tx.load(DATA / "tiny-deep", device="cpu")
    loaded.dtype = "float64"
    return loaded


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """A study's files, from the weights to the table of directions."""
    path = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(path)
        _study(model)
        yield path


def _study(model):
    rows = np.random.default_rng(0).standard_normal((3, 16)).astype(np.float32)
    save_file({"a": rows, "b": rows[0] + 1}, "d.safetensors")
    tensors, facts = convert(DATA / "tiny-deep")
    save_tensors(tensors, "frozen.safetensors", metadata=metadata(facts))
    model.words.to_parquet("candidates.parquet")
    ids = np.arange(len(model.words))
    for site in WIDTHS:
        found = model.word_activations(ids, [Tap(site, layer) for layer in (1, 2, 3)])
        np.save(f"{site}.npy", np.stack(list(found.values())))
    usable_words(find_words(NAMED, model.lookup), "stop").to_parquet("words.parquet")
    execution, optima = Execution(device="cpu"), []
    for name, of in SETS.items():
        site = of["site"]
        make_directions.main(
            "candidates.parquet", name, of, LAYERS[name], WIDTHS[site], "maximum", SEED,
            f"{name}.parquet", "words.parquet", f"{site}.npy",
        )  # fmt: skip
        for batch in range(3):  # those past the last are empty
            optima.append(f"{name}-{batch}.safetensors")
            ascend_directions.main(
                "frozen.safetensors", f"{name}.parquet", name, batch, 2, "all", 4, PROTOCOL, execution,
                optima[-1],
            )  # fmt: skip
    describe_directions.main(
        optima, [f"{name}.parquet" for name in SETS], [f"{site}.npy" for site in WIDTHS],
        "candidates.parquet", "frozen.safetensors", list(WIDTHS), {"last": 0.1, "tolerance": 0.005},
        0.05, "directions.parquet", "embeddings.npy", "curves.parquet",
    )  # fmt: skip
    reference = pd.DataFrame({"id": np.flatnonzero(model.candidates)[::2]})
    reference.to_parquet("reference.parquet")
    derive_null.main("frozen.safetensors", "permuted", SEED, 0, "null0.safetensors")
    derive_null.main("frozen.safetensors", "permuted", SEED, 1, "null1.safetensors")
    null_model_directions.main(
        ["null0.safetensors", "null1.safetensors"], "candidates.parquet", "reference.parquet",
        "permuted", [0, 1], {name: (of, LAYERS[name]) for name, of in SETS.items()}, WIDTHS, 2, SEED,
        PROTOCOL, execution, "nulls.parquet", "words.parquet", ["d.safetensors"],
    )  # fmt: skip
    table_of_directions.main(
        "directions.parquet", "embeddings.npy", ["nulls.parquet"], Intervals(resamples=100),
        TableFiles("table.csv", "table.md", "table.tex", "table.html"),
    )  # fmt: skip


def by_the_library(model):
    """Every direction of SETS by name, as a user of the library makes it."""
    found = {f"features/3/{k}": d for k, d in tx.read_directions("d.safetensors", layer=3).items()}
    for layer in (1, 2, 3):
        found[f"royal/{layer}"] = tx.word_difference(model, ["green", "river"], ["tiger"], layer)
    for layer in (1, 2):
        parts = tx.principal_components(model, 3, layer, "intermediate")
        found |= {f"parts/{layer}/pc{k}": d for k, d in enumerate(parts.values(), 1)}
    chance = tx.random_directions(model, 2, 2, seed=SEED)
    found |= {f"chance/2/random{k}": d for k, d in enumerate(chance.values(), 1)}
    return found | {f"back/1/{w}": tx.word_direction(model, w, 1) for w in ("apple", "river")}


def test_a_studys_directions_and_optima_are_the_librarys(folder, model):
    expected = by_the_library(model)
    made = pd.concat([pd.read_parquet(f"{name}.parquet") for name in SETS], ignore_index=True)
    assert set(made["name"]) == set(expected) and len(made) == len(expected)
    for row in made.itertuples():
        site, layer, vector = expected[row.name]
        assert (row.site, row.layer) == (site, layer)
        np.testing.assert_allclose(row.vector, vector, atol=1e-6)
    found = pd.read_parquet("directions.parquet")
    # From the study's own vectors: both ascend from the same starts to the same points.
    directions = {row.name: (row.site, row.layer, row.vector.copy()) for row in made.itertuples()}
    optima = tx.ascend(
        model, directions=directions, restarts=2, seed=SEED, solver="lbfgs", steps=STEPS,
        dtype="float64", angle=1.0, memory=10, power=1.0,
    )  # fmt: skip
    library = optima.table().set_index(["objective", "restart"])
    study = found.set_index(["name", "restart"]).loc[library.index]
    for column in ("activation", "ceiling"):
        np.testing.assert_allclose(study[column], library[column], rtol=1e-5)
    assert (study["nearest_word"] == library["nearest_word"]).mean() > 0.9


def test_a_study_of_minima_has_the_same_directions(folder):
    for name, of in SETS.items():
        np.save("negated.npy", -np.load(f"{of['site']}.npy"))
        make_directions.main(
            "candidates.parquet", name, of, LAYERS[name], WIDTHS[of["site"]], "minimum", SEED,
            "same.parquet", "words.parquet", "negated.npy",
        )  # fmt: skip
        pd.testing.assert_frame_equal(
            pd.read_parquet("same.parquet"), pd.read_parquet(f"{name}.parquet")
        )


def test_optima_are_described_as_naive_loops_do(folder, model):
    found, e = pd.read_parquet("directions.parquet"), np.load("embeddings.npy")
    made = pd.concat([pd.read_parquet(f"{name}.parquet") for name in SETS]).set_index("name")
    matrices = {site: np.load(f"{site}.npy").astype(float) for site in WIDTHS}
    words, ids = model.embeddings.astype(float), np.flatnonzero(model.candidates)
    names = model.words["word"].to_numpy()
    assert len(found) == 2 * len(made) == len(e)
    for row, optimum in zip(found.itertuples(), e.astype(float), strict=True):
        by_word = matrices[row.site][row.layer - 1] @ made.loc[row.name, "vector"]
        best = ids[by_word[ids].argmax()]
        assert row.best_word == names[best] == row.top_words.split()[0]
        assert row.utilisation_best_word == pytest.approx(by_word[best] / row.activation, rel=1e-6)
        cosine = words @ optimum / np.linalg.norm(words, axis=1) / np.linalg.norm(optimum)
        nearest = ids[cosine[ids].argmax()]
        assert row.nearest_word == names[nearest]
        assert row.nearest_word_activation == pytest.approx(by_word[nearest], rel=1e-6)
        assert row.explanation == pytest.approx(
            np.corrcoef(cosine[ids], by_word[ids])[0, 1], abs=1e-5
        )
        assert row.activation <= row.ceiling + 1e-9


def test_null_models_have_their_own_directions(folder):
    nulls = pd.read_parquet("nulls.parquet")
    # Two of every set and layer in each replicate; replicates take others where there are some.
    counts = nulls.groupby(["set", "layer", "draw"]).size()
    assert (counts[["features", "parts", "chance", "back"]] == 2).all() and (
        counts["royal"] == 1
    ).all()
    features = nulls[nulls["set"] == "features"].groupby("draw")["name"].agg(list)
    assert features.tolist() == [
        ["features/3/a/1", "features/3/a/2"],
        ["features/3/a/3", "features/3/b"],
    ]
    reference = pd.read_parquet("reference.parquet")["id"].to_numpy()
    vocabulary = pd.read_parquet("candidates.parquet")
    for draw, of_draw in nulls.groupby("draw"):
        null = Model.open(f"null{draw}.safetensors", vocabulary, dtype="float64")
        expected = tx.word_difference(null, ["green", "river"], ["tiger"], 2)[2]
        by_word = null.word_activations(reference, [Tap("output", 2)])[Tap("output", 2)] @ expected
        (row,) = of_draw[of_draw["name"] == "royal/2"].itertuples()
        assert row.best_word_activation == pytest.approx(by_word.max(), rel=1e-5)
        assert row.mean_word_activation == pytest.approx(np.abs(by_word).mean(), rel=1e-5)


def test_the_table_puts_the_model_beside_its_nulls(folder):
    table, found = read_csv("table.csv"), pd.read_parquet("directions.parquet")
    e = np.load("embeddings.npy").astype(float)
    assert set(table["of"]) == {"model", "permuted"} and set(table["set"]) == set(SETS)
    assert table[table["set"] == "royal"]["layer"].astype(str).drop_duplicates().tolist() == [
        *"123",
        "all",
    ]
    assert table[table["set"] == "chance"]["layer"].astype(str).drop_duplicates().tolist() == ["2"]
    own = found[found["set"] == "features"]
    row = table[(table["set"] == "features") & (table["of"] == "model")].iloc[0]
    assert row["directions"] == row["repeated"] == 4
    means = own.groupby("name")[["nearest_cosine", "explanation"]].mean().mean()
    for column, value in means.items():
        assert row[column] == pytest.approx(value)
        assert row[f"{column}_low"] <= value <= row[f"{column}_high"]
    cosines, same = [], []
    for _, places in own.groupby("name").groups.items():
        for one, other in combinations(places, 2):
            lengths = np.linalg.norm(e[one]) * np.linalg.norm(e[other])
            cosines.append(e[one] @ e[other] / lengths)
            same.append(found["nearest_word"][one] == found["nearest_word"][other])
    assert row["restart_cosine"] == pytest.approx(np.mean(cosines))
    assert row["same_nearest_word"] == pytest.approx(np.mean(same))
    inverted = found[found["set"] == "back"]
    row = table[(table["set"] == "back") & (table["of"] == "model")].iloc[0]
    assert row["recovered"] == pytest.approx((inverted["nearest_word"] == inverted["word"]).mean())
    assert table[table["set"] != "back"]["recovered"].isna().all()


def test_findings_say_the_tables_numbers(folder):
    table = read_csv("table.csv")
    text = "\n".join(_directions(table))
    for name in SETS:
        whole = table[table["set"] == name]
        for row in whole[whole["layer"] == whole["layer"].iloc[-1]].itertuples():
            assert f"{row.of} {row.nearest_cosine:.3f}" in text
            assert f"and {row.explanation:.3f}" in text
    assert "- royal (output, 3 directions): model " in text


@pytest.mark.parametrize(
    ("named", "missing", "says"),
    [
        ({"s": {"words": ["river", "rivers"]}}, "stop", "directions.s.words: not one entry"),
        (
            {"s": {"words": ["rivers"]}},
            "skip",
            "directions.s.words: none of the words is one entry",
        ),
        (
            {"s": {"minus": ["river", "RIVER"]}},
            "stop",
            "directions.s.minus: several words are read as",
        ),
    ],
)
def test_words_that_cannot_be_used_are_named(model, named, missing, says):
    with pytest.raises(VocabularyError) as error:
        usable_words(find_words(named, model.lookup), missing)
    assert str(error.value).startswith(says)


def test_words_that_are_missing_may_be_skipped(model):
    named = {"s": {"words": ["river", "rivers", "RIVER", "tiger"]}}
    assert usable_words(find_words(named, model.lookup), "skip")["word"].tolist() == [
        "river",
        "tiger",
    ]
