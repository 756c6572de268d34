"""Frozen studies: what is copied of a finished study, how it is checked, what the overview says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from paths import ROOT
from study.published.frozen import (
    Published,
    PublishingError,
    check,
    freeze,
    overview,
    publish,
    read_published,
    redrawable,
    sources,
)
from study.published.redraw import redraw, settings_over
from study.published.study_list import published_studies
from study.record import checksums
from textualization.report.csv_tables import read_csv, write_csv

NUMBERS = pd.DataFrame({"condition": ["neurons", "=random"], "value": [0.1, 0.2]})
#: One study of tables, two that have the same experiment.
TABLES = Published(
    "tables", ["claims.csv", "m/tables/recovery.csv"], {"shown": "m/figures/recovery"}
)
FIRST, SECOND = (
    Published(study, ["m/experiments/*/*.csv", "m/experiments/*/optima/*.parquet"], figures)
    for study in ("first", "second")
    for figures in [{"answers/basis": "m/experiments/basis/figure"}]
)


def finish(folder, files):
    """A finished study of these tables, with checksums, as jobs leave it."""
    record = {"study": folder.name, "commit": "abc"}
    texts = {"config.yaml": f"study: {folder.name}\n", "provenance.json": json.dumps(record)}
    for name, content in (files | texts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            (write_csv if path.suffix == ".csv" else pd.DataFrame.to_parquet)(content, path)
        else:
            path.write_text(content, encoding="utf-8")
        checksums.record([path])
    return folder


def finish_tables(results):
    names = ("claims.csv", "m/tables/recovery.csv", "m/tables/singles.csv")
    figures = {"m/figures/recovery.png": "pixels", "m/figures/recovery.txt": "What it shows.\n"}
    return finish(results / "tables", dict.fromkeys(names, NUMBERS) | figures)


def finish_experiment(results, study):
    optima = pd.DataFrame({"activation": [1.0, 2.0], "embedding": list(np.eye(2))})
    place = "m/experiments/basis"
    files = {f"{place}/numbers.csv": NUMBERS, f"{place}/optima/neurons-model.parquet": optima}
    files |= {
        f"{place}/figure.png": f"pixels of {study}",
        f"{place}/figure.txt": f"{study} shows.\n",
    }
    return finish(results / study, files)


def test_only_what_is_listed_is_copied_and_embeddings_are_not(tmp_path):
    freeze(TABLES, finish_tables(tmp_path / "results"), tmp_path / "data")
    copied = {
        p.relative_to(tmp_path / "data/tables").as_posix() for p in tmp_path.glob("data/**/*.*")
    }
    expected = {"claims.csv", "m/tables/recovery.csv", "config.yaml", "provenance.json"}
    assert copied == expected | {"manifest.json"}
    assert read_csv(tmp_path / "data/tables/claims.csv").equals(NUMBERS)
    manifest = json.loads((tmp_path / "data/tables/manifest.json").read_text())
    assert manifest["commit"] == "abc" and set(manifest["files"]) == expected
    freeze(FIRST, finish_experiment(tmp_path / "results", "first"), tmp_path / "data")
    optima = pd.read_parquet(
        tmp_path / "data/first/m/experiments/basis/optima/neurons-model.parquet"
    )
    assert optima.to_dict("list") == {"activation": [1.0, 2.0]}


def test_what_a_study_no_longer_has_does_not_stay(tmp_path):
    results = finish_experiment(tmp_path / "results", "first")
    freeze(FIRST, results, tmp_path / "data")
    (results / "m/experiments/basis/optima/neurons-model.parquet").unlink()
    freeze(FIRST, results, tmp_path / "data")
    assert not list(tmp_path.glob("data/**/*.parquet"))


def test_a_changed_or_missing_file_is_named(tmp_path):
    freeze(TABLES, finish_tables(tmp_path / "results"), tmp_path / "data")
    check(tmp_path / "data/tables")
    table = tmp_path / "data/tables/m/tables/recovery.csv"
    table.write_text(table.read_text().replace("0.1", "0.9"))
    with pytest.raises(PublishingError, match=r"recovery\.csv \(changed\)"):
        check(tmp_path / "data/tables")
    table.unlink()
    with pytest.raises(PublishingError, match=r"recovery\.csv \(missing\)"):
        check(tmp_path / "data/tables")
    (tmp_path / "data/tables/manifest.json").unlink()
    with pytest.raises(PublishingError, match=r"manifest\.json is missing"):
        check(tmp_path / "data/tables")


def test_a_study_without_a_listed_table_or_with_a_damaged_one_is_refused(tmp_path):
    results = finish_tables(tmp_path / "results")
    (results / "claims.csv").write_text("claim\n")
    with pytest.raises(checksums.DamagedError, match=r"claims\.csv"):
        freeze(TABLES, results, tmp_path / "data")
    (results / "claims.csv").unlink()
    with pytest.raises(PublishingError, match=r"tables/claims\.csv is missing"):
        freeze(TABLES, results, tmp_path / "data")


def test_a_figure_is_from_the_first_study_that_has_it(tmp_path):
    results, docs, everything = tmp_path / "results", tmp_path / "docs", [FIRST, SECOND]
    docs.mkdir()
    finish_experiment(results, "second")
    assert publish(everything, results, docs) == {"answers/basis": "second shows."}
    finish_experiment(results, "first")
    assert publish(everything, results, docs) == {"answers/basis": "first shows."}
    assert sources(everything, docs / "data") == {"answers/basis": "first"}
    assert (docs / "answers/basis.png").read_text() == "pixels of first"
    # A later run without the first study's results keeps what is published of it.
    (results / "first/provenance.json").unlink()
    assert publish(everything, results, docs) == {}
    assert (docs / "answers/basis.txt").read_text() == "first shows.\n"


def test_an_unfinished_study_is_not_published(tmp_path):
    (finish_tables(tmp_path / "results") / "provenance.json").unlink()
    (tmp_path / "docs").mkdir()
    assert publish([TABLES], tmp_path / "results", tmp_path / "docs") == {}
    assert not (tmp_path / "docs/data").exists()


def test_the_overview_says_which_figures_cannot_be_drawn_again(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    publish([TABLES, FIRST], finish_tables(tmp_path / "results").parent, docs)
    (docs / "answers").mkdir()
    for name in ("atlas", "answers/basis"):
        (docs / f"{name}.png").write_text("pixels")
    lines = overview([TABLES, FIRST], docs).splitlines()
    assert "| shown.png | yes, from tables |" in lines
    assert "| answers/basis.png | no: its tables (of first) are not published |" in lines
    assert "| atlas.png | no: it is not drawn from a study's tables |" in lines
    (docs / "data/tables/m/tables/recovery.csv").unlink()
    assert redrawable(TABLES, docs / "data") == {}


def test_the_published_studies_are_as_in_their_manifests():
    everything, docs = read_published(ROOT / "docs/published.yaml"), ROOT / "docs"
    frozen = sorted(path.name for path in (docs / "data").iterdir() if path.is_dir())
    assert set(frozen) <= {published.study for published in everything} and len(frozen) >= 5
    for study in frozen:
        check(docs / "data" / study)
    assert (docs / "data/README.md").read_text(encoding="utf-8") == overview(everything, docs)
    assert all((docs / f"{name}.png").is_file() for name in sources(everything, docs / "data"))


def test_conditions_that_an_experiment_got_later_are_not_drawn_again():
    defaults = {"experiments": {"basis": {"vary": {"neurons": {}, "later": {"steps": 3}}}}}
    study = {"seed": 1, "experiments": {"basis": {"reference": "neurons", "vary": {"neurons": {}}}}}
    found = settings_over(defaults, study)
    assert found["experiments"]["basis"]["vary"] == {"neurons": {}, "later": None}
    assert found["seed"] == 1 and found["experiments"]["basis"]["reference"] == "neurons"
    assert settings_over(defaults, {"seed": 1}) == {"seed": 1, "experiments": {}}


def test_figures_are_drawn_with_the_studys_settings_or_with_those_named(tmp_path, monkeypatch):
    publish([TABLES], finish_tables(tmp_path / "results").parent, tmp_path / "docs")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("experiments: {basis: {vary: {z: {}, a: {}}}}\n")
    basis = "experiments: {basis: {vary: {a: {steps: 3}, z: {}}}}"
    (tmp_path / "config/later.yaml").write_text(f"seed: 3\n{basis}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("study.published.redraw.subprocess.run", lambda *args, **kwargs: None)
    drawn = Path("results/redrawn-tables/m/figures/recovery.png")
    for settings, expected in ((None, {"study": "tables"}), ("config/later.yaml", {"seed": 3})):
        assert redraw(replace(TABLES, settings=settings), Path("docs/data")) == {"shown": drawn}
        found = yaml.safe_load(Path("results/redrawn-tables/config.yaml").read_text())
        experiments = found.pop("experiments")
        assert found == expected
    # In the order of the defaults, not of a file that was sorted by name.
    assert list(experiments["basis"]["vary"].items()) == [("z", {}), ("a", {"steps": 3})]


def test_every_published_study_is_listed_with_its_words():
    table = published_studies(ROOT / "docs/data").set_index("study")
    assert sorted(table.index) == sorted(
        p.parent.name for p in ROOT.glob("docs/data/*/config.yaml")
    )
    default = table.loc["default"]
    assert (default["about"], default["models"]) == ("the claims", "minilm-l6")
    claims = (ROOT / "docs/data/default/claims.csv").read_text(encoding="utf-8")
    assert "105 steps of lbfgs in float64" in claims
    assert default["ascent"] == "105 steps of lbfgs, float64"
    assert table.loc["minimum", "ascent"].endswith("minima")
    numbers = pd.read_csv(ROOT / "docs/data/basis/minilm-l6/experiments/basis/numbers.csv")
    of_groups = numbers[(numbers["of"] == "group") & (numbers["statistic"] == "recovered")]
    assert table.loc["basis", "about"] == "basis"
    assert table.loc["basis", "words"] == str(of_groups["n"].max())
