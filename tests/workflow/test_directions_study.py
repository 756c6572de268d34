"""A study of directions through the Snakefile, on a tiny model: what comes out, and what re-runs."""

import os
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from playwright.sync_api import sync_playwright
from safetensors.numpy import load_file, save_file

from browser import CHROMIUM, watched
from scripts.commands import ask
from textualization.report.csv_tables import read_csv
from workflow import copy_of_the_project, jobs_to_run, snakemake

pytestmark = pytest.mark.campaign

SETTINGS = """
run: [directions]
activations: {sites: [output]}
groups: {sites: [output]}
ascent: {singles: {steps: 8}}
nulls: {models: [permuted], replicates: 1, singles: {neurons: 2}}
directions:
  features: {file: rows.safetensors, site: output, layers: [2]}
  green: {words: [green, river], minus: [tiger], site: output, layers: [1, 2]}
  back: {activations_of: [apple, river], site: output, layers: [1]}
"""
RECORD = {"write_atlas", "provenance", "manifest"}
#: What depends on the directions of any set.
DESCRIBED = {"describe_directions", "table_directions", "atlas_part", "write_findings", *RECORD}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = copy_of_the_project(tmp_path_factory.mktemp("directions"))
    path = folder / "config/test.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key, value in yaml.safe_load(SETTINGS).items():
        settings[key] = settings.get(key, {}) | value if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    _write_rows(folder, np.random.default_rng(0).standard_normal((2, 16)))
    snakemake(folder)
    return folder


def _write_rows(folder, rows):
    save_file({"a": rows.astype(np.float32)}, folder / "rows.safetensors")


def results(study, name):
    return study / "results/test/tiny-deep" / name


def test_a_study_of_directions_alone_has_its_results(study):
    found = pd.read_parquet(results(study, "directions.parquet"))
    names = {
        "features/2/a/1",
        "features/2/a/2",
        "green/1",
        "green/2",
        "back/1/apple",
        "back/1/river",
    }
    assert set(found["name"]) == names
    assert found["activation"].between(found["start_activation"], found["ceiling"]).all()
    assert len(np.load(results(study, "directions_embeddings.npy"))) == len(found)
    for kind in ("csv", "md", "tex", "html"):
        assert results(study, f"tables/directions.{kind}").stat().st_size > 0
    table = read_csv(results(study, "tables/directions.csv"))
    assert set(table["of"]) == {"model", "permuted"}
    assert not results(study, "singles.parquet").exists()
    assert jobs_to_run(study) == {}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)")
def test_the_atlas_shows_directions(study):
    found = pd.read_parquet(results(study, "directions.parquet"))
    of = found[(found["restart"] == 0) & (found["name"] == "back/1/river")].iloc[0]
    address = (study / "results/test/atlas/index.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with watched(browser) as page:
            page.goto(f"{address}#/tiny-deep/directions")
            page.wait_for_selector("h1:has-text('Directions')")
            links = page.locator("main td a[href*='/direction/']").all_inner_texts()
            assert sorted(links) == sorted(found["name"].unique())
            page.goto(f"{address}#/tiny-deep/direction/{of['name']}")
            page.wait_for_selector(f"h1:has-text('{of['name']}')")
            text = page.locator("main").inner_text()
            for name in (
                "activation",
                "ceiling",
                "start_activation",
                "nearest_cosine",
                "explanation",
            ):
                assert f"{float(f'{of[name]:.3g}'):g}" in text, name
            assert of["nearest_word"] in text and of["best_word"] in text
            assert "Medians over directions of the same set and layer in null models" in text
            page.locator("#search").fill("green/2")
            page.keyboard.press("Enter")
            page.wait_for_selector("h1:has-text('green/2')")
        browser.close()


def test_a_direction_can_be_asked_for(study, capsys, monkeypatch):
    monkeypatch.chdir(study)
    found = pd.read_parquet(results(study, "directions.parquet"))
    of = found[(found["restart"] == 0) & (found["name"] == "green/2")].iloc[0]
    assert ask.main(["--study", "results/test", "--direction", "green/2"]) == 0
    known = capsys.readouterr().out
    assert known.startswith("direction green/2, in tiny-deep: from the study")
    assert f"{of['activation']:.3g}" in known and of["nearest_word"] in known
    assert "permuted, same set and layer (medians)" in known
    assert ask.main(["--study", "results/test", "--direction", "green/2", "--fresh"]) == 0
    again = capsys.readouterr().out
    assert "ascended now, 8 steps" in again
    assert re.findall(r"^nearest words.*", again, re.M) == re.findall(
        r"^nearest words.*", known, re.M
    )
    assert ask.main(["--study", "results/test", "--direction", "green/3"]) == 2
    assert "DIRECTION: no green/3 in results/test (has: green/" in capsys.readouterr().err


def test_a_changed_file_re_runs_what_depends_on_it_and_nothing_else(study):
    rows = load_file(study / "rows.safetensors")["a"]
    date = (study / "rows.safetensors").stat()
    _write_rows(study, rows[::-1].copy())
    os.utime(study / "rows.safetensors", ns=(date.st_atime_ns, date.st_mtime_ns))
    found = jobs_to_run(study)
    assert (
        set(found) == {"make_directions", "ascend_directions", "null_model_directions"} | DESCRIBED
    )
    assert found["make_directions"] == found["ascend_directions"] == 1
    _write_rows(study, rows)
    # Dated anew, the same content makes nothing again.
    assert jobs_to_run(study) == {}


def test_another_sets_words_leave_the_others_alone(study):
    text = (study / "config/test.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(text)
    settings["directions"]["back"]["activations_of"] = ["apple", "seven"]
    (study / "config/test.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    found = jobs_to_run(study)
    (study / "config/test.yaml").write_text(text, encoding="utf-8")
    assert "word_activations" not in found and "convert_model" not in found
    assert {"find_direction_words", "make_directions", "ascend_directions"} <= set(found)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            np.zeros((2, 16)),
            "directions.features.file: rows.safetensors: a/1 is zero or not finite",
        ),
        (
            np.full((2, 16), np.nan),
            "directions.features.file: rows.safetensors: a/1 is zero or not",
        ),
        (np.ones((2, 15)), "directions.features.file: rows.safetensors: a has rows of 15 numbers"),
    ],
)
def test_rows_that_are_no_directions_are_refused_before_anything_runs(study, rows, says):
    whole = load_file(study / "rows.safetensors")["a"]
    _write_rows(study, rows)
    said = snakemake(study, "--dry-run", fails=True)
    _write_rows(study, whole)
    assert says in said
