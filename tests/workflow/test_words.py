"""A study of words that look like numbers, truth values or nothing, of a model named like a number."""

import gzip
import json

import pandas as pd
import pytest
import yaml

from paths import DATA
from textualization.report.csv_tables import TEXT, read_csv
from workflow import copy_of_the_project, read_settings, snakemake, write_settings

pytestmark = pytest.mark.workflow

HEADER = "word\tcategory\tfrequency_band\n"
#: Of two words, the spelling in the word list (decomposed; in upper case), and the entry.
OTHERS = {"u\u0308ber": "über", "Piano": "piano"}
#: The rows of two lists: one of numbers only, so that a column of words looks like one of numbers.
LISTS = {
    name: [*(DATA / f"cases/{case}.tsv").read_text("utf-8").splitlines()[1:], *more]
    for name, case, more in (
        ("numbers", "numbers", ["1e5\tnumber\tlow"]),
        (
            "others",
            "look-like-nothing",
            ['"\tsign\thigh', *(f"{word}\tverb\tlow" for word in OTHERS)],
        ),
    )
}
WORDS = {name: [row.split("\t")[0] for row in rows] for name, rows in LISTS.items()}
ENTRIES = {name: [OTHERS.get(word, word) for word in words] for name, words in WORDS.items()}
#: What is made of the second list.
ATLAS = ("results/others/007/atlas.json.gz", "results/others/007/tables/words.md")
CUTS = {
    "study": "numbers",
    "models": ["007"],
    "run": ["groups"],
    "activations": {"sites": ["output"], "threads": 1},
    "groups": {
        "sites": ["output"],
        "selections": ["absolute", "z_score"],
        "sizes": {"model": [2, 4]},
    },
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = copy_of_the_project(tmp_path_factory.mktemp("words"))
    names = [*ENTRIES["numbers"], *ENTRIES["others"]]
    path = folder / "tests/data/tiny-wide/tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    entries = list(tokenizer["model"]["vocab"])
    entries[-len(names) :] = names  # the last entries are invented words
    tokenizer["model"]["vocab"] = {entry: row for row, entry in enumerate(entries)}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    for name, rows in LISTS.items():
        (folder / f"{name}.tsv").write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    settings = read_settings(folder)
    settings["catalogue"]["007"] = settings["catalogue"].pop("tiny-wide")
    settings["ascent"]["groups"] |= {"steps": 4, "restarts": 1, "per_job": 100}
    settings["nulls"] |= {"models": [], "objectives": []}
    settings["statistics"] |= {"resamples": 100, "permutations": 100}
    settings["words"]["targets"] = "numbers.tsv"
    write_settings(folder, settings | CUTS)
    snakemake(folder)
    changes = ["--config", "study=others", "words={targets: others.tsv}"]
    snakemake(folder, "--configfile", "config/test.yaml", *changes, "--", *ATLAS, overlay=None)
    return folder / "results"


@pytest.mark.parametrize("name", LISTS)
def test_words_are_text_in_every_table(results, name):
    folder, entries = results / name / "007", sorted(ENTRIES[name])
    for table in ("words", "thresholds_by_word"):
        assert sorted(set(read_csv(folder / f"tables/{table}.csv")["word"])) == entries
    assert sorted(pd.read_parquet(folder / "groups.parquet")["word"].unique()) == entries
    document = json.loads(gzip.decompress((folder / "atlas.json.gz").read_bytes()))
    assert sorted(set(document["thresholds"]["word"])) == entries
    assert set(entries) <= set(document["words"])
    targets = document["targets"]
    categories = dict(zip(targets["word"], targets["category"], strict=True))
    assert categories == {
        entry: row.split("\t")[1] for entry, row in zip(ENTRIES[name], LISTS[name], strict=True)
    }


def test_the_model_is_named_as_in_the_settings(results):
    study = results / "numbers"
    assert set(read_csv(study / "claims.csv")["model"]) == {"007"}
    assert "Groups: output neurons" in (study / "findings.md").read_text(encoding="utf-8")
    assert yaml.safe_load((study / "config.yaml").read_text())["models"] == ["007"]


def test_how_a_word_is_read_is_said(results):
    folder = results / "others/007"
    read_as = pd.read_parquet(folder / "asked.parquet").set_index("word")["read_as"]
    log = (folder / "logs/list_targets.log").read_text(encoding="utf-8")
    assert read_as[read_as != read_as.index].to_dict() == OTHERS
    assert r"'u\u0308ber' is read as '\xfcber'" in log and "'Piano' is read as 'piano'" in log
    assert log.count("is read as") == len(OTHERS)


def test_every_column_of_text_is_known_to_its_reader(results):
    # `layer` and `value` hold numbers in most tables, and names of this study's own in one.
    inferred = set()
    for path in (path for path in results.rglob("*.csv") if ".sha256" not in path.parts):
        table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=["", "True", "False"])
        for name in table.columns.difference([*TEXT, "layer", "value"]):
            if pd.to_numeric(table[name].dropna(), errors="coerce").isna().any():
                inferred.add(name)
    assert {name for name in inferred if not name.endswith(" neurons")} == set()
