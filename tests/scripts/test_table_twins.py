"""The tables of twins, from planted optima: two layers of two neurons, three words of two sizes."""

import itertools

import numpy as np
import pandas as pd
import pytest

from scripts.atlas import write_atlas
from scripts.claims.write_findings import _twins
from scripts.commands import show_claims
from scripts.tables import twins
from textualization.analysis.estimates import Intervals
from textualization.analysis.explanation import COLUMNS as EXPLANATION
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import of_twins
from textualization.report.tables import TableFiles
from textualization.report.verdicts import claims_table

INTERVALS = Intervals(resamples=50)
WORDS, SIZES = ("null", "river", "house"), (4, 24)


def singles():
    rows = itertools.product(["output"], [1, 2], [3, 5], [0, 1])
    table = pd.DataFrame(rows, columns=["site", "layer", "index", "restart"])
    table["nearest_cosine"] = 0.1 * (1 + table["layer"]) + 0.01 * table["index"]
    table = table.assign(
        nearest_word="a", best_word="a", activation=2.0, ceiling=4.0, converged=True
    )
    table = table.assign(collapsed=False, finite=True, start_nearest_cosine=0.1)
    table = table.assign(**dict.fromkeys(EXPLANATION, 0.3))
    for kind in ("best_word", "mean_word", "nearest_word"):
        table[f"utilisation_{kind}"], table[f"{kind}_activation"] = 0.5, 1.0
    return table


def groups():
    rows = itertools.product(WORDS, ["absolute"], ["model"], [0], SIZES, [0, 1])
    columns = ["word", "selection", "scope", "scope_layer", "size", "restart"]
    table = pd.DataFrame(rows, columns=columns).assign(nearest_word="a", best_word="a")
    table["recovered"] = table["size"] == 24
    for name in ("target_cosine", "nearest_cosine", "margin", "target_rank", "word_activation"):
        table[name] = 0.5
    table = table.assign(**dict.fromkeys(EXPLANATION, 0.3))
    return table.assign(activation=1.0, converged=True, collapsed=False, finite=True)


def written(folder, own, changed):
    """Files of optima, and of the twins of their first starts, in another order."""
    embeddings = np.eye(len(own), 30, dtype=np.float32)
    first = (own["restart"] == 0).to_numpy()
    moved = changed(own[first].copy(), embeddings[first].copy())
    files = []
    for name, (table, e) in {"own": (own, embeddings), "twins": moved}.items():
        order = np.arange(len(table))[:: 1 if name == "own" else -1]
        table.iloc[order].to_parquet(folder / f"{name}.parquet")
        np.save(folder / f"{name}.npy", e[order])
        files += [folder / f"{name}.parquet", folder / f"{name}.npy"]
    return files


def made(folder, **kinds):
    """The table, and its claims by name."""
    given = {}
    for kind, (own, changed) in kinds.items():
        (folder / kind).mkdir()
        given[kind] = written(folder / kind, own, changed)
    files = TableFiles(*(str(folder / f"twins.{kind}") for kind in ("csv", "md", "tex", "html")))
    sites = {"singles": ["output"], "groups": ["output"]}
    twins.main(None, sites, [0.5], INTERVALS, files, folder / "claims.csv", **given)
    return read_csv(files.csv), read_csv(folder / "claims.csv").set_index("claim")


def same(table, embeddings):
    return table, embeddings


def elsewhere(table, embeddings):
    """The first twin alone is at another word, at a right angle."""
    first = table.index[0]
    table.loc[first, ["nearest_word", "nearest_cosine", "activation"]] = "b", 0.9, 1.0
    if "recovered" in table:
        table.loc[first, "recovered"] = True
    embeddings[0] = np.roll(embeddings[0], 29)
    return table, embeddings


def test_twins_that_end_where_their_own_do_change_nothing(tmp_path):
    table, claims = made(tmp_path, singles=(singles(), same), groups=(groups(), same))
    assert table["twins"].tolist() == [2, 2, 4, 3, 3, 6]
    assert (table["elsewhere"] == 0).all() and (table["largest_change"] == 0).all()
    assert table["smallest_cosine"].tolist() == [1] * 6
    assert (claims["twin_change"] == 0).all()
    assert claims.loc["single.nearest_cosine", "value"] == pytest.approx(0.29)
    assert claims["n"].tolist() == [4] * 7 + [3] * 5
    text = (
        "Of 4 single neurons and 6 groups that ascended again from a start moved by one rounding, "
    )
    assert of_twins([table]) == text + "none ended at another nearest word."


def test_a_twin_that_ends_elsewhere_is_counted_in_its_layer_and_size_and_in_all(tmp_path):
    table, claims = made(tmp_path, singles=(singles(), elsewhere), groups=(groups(), elsewhere))
    assert table["elsewhere"].tolist() == [1, 0, 1, 1, 0, 1]
    assert table["share"].tolist() == pytest.approx([1 / 2, 0, 1 / 4, 1 / 3, 0, 1 / 6])
    assert table["smallest_cosine"].tolist() == pytest.approx([0, 1, 0, 0, 1, 0])
    assert table["largest_change"].tolist() == pytest.approx([0.5, 0, 0.5, 0, 0, 0])
    change = claims["twin_change"]
    assert change["single.nearest_cosine"] == pytest.approx((0.9 - 0.23) / 4)
    assert change["single.nearest_is_best_word"] == pytest.approx(-1 / 4)
    assert change["group.recovery.absolute.4"] == pytest.approx(1 / 3)
    assert change["group.recovery.absolute.24"] == 0
    assert change["group.threshold.absolute.50"] < 0
    assert "6 groups" in of_twins([table]) and "1 and 1 ended" in of_twins([table])


def test_a_study_of_one_kind_has_its_twins_alone(tmp_path):
    table, claims = made(tmp_path, groups=(groups(), elsewhere))
    assert set(table["of"]) == {"groups"} and claims.index.str.startswith("group.").all()
    text = "Of 6 groups that ascended again from a start moved by one rounding, 1 ended at"
    assert of_twins([table]).startswith(text)
    assert of_twins([table, table]).startswith("Of 12 groups") and of_twins([]) == ""


def test_a_threshold_that_twins_do_not_reach_has_no_change(tmp_path):
    def never(table, embeddings):
        return table.assign(recovered=False), embeddings

    _, claims = made(tmp_path, groups=(groups(), never))
    row = claims.loc["group.threshold.absolute.50"]
    assert row["value"] > 0 and np.isnan(row["twin_value"]) and np.isnan(row["twin_change"])


def changes(**by_claim):
    rows = [{"claim": name.replace("__", "."), "twin_change": by} for name, by in by_claim.items()]
    return claims_table(rows)


def test_findings_say_which_share_or_cosine_moves_most_and_that_optima_are_of_rounding(tmp_path):
    table, _ = made(tmp_path, singles=(singles(), elsewhere))
    found = changes(single__a=0.1, group__recovery__b=-0.25, group__threshold__c=90, single__d=None)
    [_, text] = _twins(table, found)
    assert "the claim that moves most is group.recovery.b, by -0.25." in text
    assert "Nobody can reproduce single optima" in text


def test_findings_claim_nothing_of_optima_whose_twins_stay(tmp_path):
    table, _ = made(tmp_path, singles=(singles(), same))
    [_, text] = _twins(table, changes(single__a=0.0, group__threshold__c=None))
    assert text == of_twins([table])


def test_the_atlas_and_the_shown_claims_have_the_line(tmp_path, capsys):
    table, _ = made(tmp_path, singles=(singles(), elsewhere))
    line = of_twins([table])
    (tmp_path / "index.html").write_text("<!-- data -->")
    row = {"claim": "single.converged", "model": "tiny", "value": 0.5, "protocol": "5 steps"}
    claims = tmp_path / "claims.csv"
    claims_table([row]).to_csv(claims, index=False)
    given = {"template": tmp_path / "index.html", "files": [], "parts": [], "models": []}
    given |= {"claims": claims, "null_models": []}
    page = tmp_path / "page.html"
    for paths, says in (([tmp_path / "twins.csv"], line), ([], "")):
        write_atlas.main(**given, twins=paths, about={"study": "a"}, html=page)
        assert f'"twins": "{says}"' in page.read_text()

    study = tmp_path / "study"
    (study / "tiny/tables").mkdir(parents=True)
    (tmp_path / "twins.csv").rename(study / "tiny/tables/twins.csv")
    claims.rename(study / "claims.csv")
    show_claims.main(str(study))
    assert f"  twins: {line}" in capsys.readouterr().out
