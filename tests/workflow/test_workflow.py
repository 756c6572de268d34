"""The whole study through the Snakefile, on a tiny model: what comes out, and what re-runs."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from nbclient import NotebookClient
from playwright.sync_api import sync_playwright
from safetensors.numpy import load_file

from browser import CHROMIUM, watched
from paths import ROOT
from scripts.commands import ask
from textualization.ascent.starts import draw_starts
from textualization.models.transformer import FrozenTransformer, Tap
from textualization.report.verdicts import NULL_VERDICTS
from workflow import (
    FIGURES,
    TABLES,
    copy_of_the_project,
    environment,
    jobs_to_run,
    read_settings,
    snakemake,
    write_settings,
)

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study, and what its run said."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"))
    (folder / "run.log").write_text(snakemake(folder, "--verbose"), encoding="utf-8")
    return folder


@pytest.fixture
def edited(study):
    """The finished study, for edits that are undone afterwards."""
    before = {
        path: path.read_bytes()
        for part in ("config", "scripts", "src", "tests/data")
        for path in (study / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    yield study
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


RECORD = {"write_claims", "write_findings", "write_atlas", "provenance", "figure_nulls", "manifest"}
ATLAS = {"atlas_part", "write_atlas"}
ASCENTS_OF_SINGLES = {"ascend_singles", "twin_singles", "null_model_singles"}
ASCENTS_OF_GROUPS = {"ascend_groups", "twin_groups", "null_model_groups", "random_groups"}
ASCENTS = ASCENTS_OF_SINGLES | ASCENTS_OF_GROUPS
OF_BOTH = {"table_robustness", "table_strata", "table_variance", "figure_projection"}
OF_TWINS = {"table_twins"} | RECORD
OF_DIRECTIONS = {"compare_directions", "table_explanation", "figure_explanation"}
OF_BOTH |= {"figure_curves"} | OF_DIRECTIONS | OF_TWINS | ATLAS
OF_SINGLES = {
    "describe_singles",
    "describe_twin_singles",
    "draw_null_inputs",
    "table_singles",
    "table_neurons",
}
OF_SINGLES |= {
    "table_utilisation",
    "table_nulls_singles",
    "figure_singles",
    "figure_utilisation",
    "figure_nearest",
}
OF_SINGLES |= OF_BOTH
OF_GROUPS = {
    "describe_groups",
    "describe_twin_groups",
    "table_recovery",
    "table_thresholds",
    "table_selections",
}
OF_GROUPS |= {"table_words", "table_nulls_groups", "figure_recovery", "figure_cosine"}
OF_GROUPS |= {"figure_thresholds"}
OF_GROUPS |= {"figure_relative_selection"} | OF_BOTH


OF_NULL_GROUPS = {"figure_recovery", "figure_thresholds"} | ATLAS
OF_MODELS = {"permuted", "rotated_basis"}  # the null models that the test's study asks for


def tiny(study, name):
    return study / "results/test/tiny-deep" / name


def test_every_result_is_there(study):
    for name in TABLES:
        for kind in ("csv", "md", "tex", "html"):
            assert tiny(study, f"tables/{name.removeprefix('table_')}.{kind}").stat().st_size > 0
    for name in FIGURES:
        name = name.removeprefix("figure_")
        assert tiny(study, f"figures/{name}.pdf").read_bytes().startswith(b"%PDF")
        assert tiny(study, f"figures/{name}.png").read_bytes().startswith(b"\x89PNG")
        # In words: the numbers that are drawn.
        assert re.search(r"\d", tiny(study, f"figures/{name}.txt").read_text(encoding="utf-8"))
    results = study / "results/test"
    for name in ("claims.csv", "claims.md", "claims.tex", "config.yaml", "provenance.json"):
        assert (results / name).stat().st_size > 0
    assert (results / "atlas/index.html").stat().st_size > 500_000


def test_the_scheduler_selects_jobs_only_when_others_have_ended(study):
    text = (study / "run.log").read_text(encoding="utf-8")
    jobs = text.count("Finished jobid")
    assert jobs > 60 and jobs / 4 < text.count("Ready jobs: ") < 3 * jobs


def test_no_job_warns(study):
    assert "Warning:" not in (study / "run.log").read_text(encoding="utf-8")


def test_nothing_half_written_is_left(study):
    for kind in ("partial", "snapshot"):
        assert not list((study / "results").rglob(f"*.{kind}"))


def test_tables_between_stages_hold_the_columns_that_others_rely_on(study):
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    names = "site layer index restart activation ceiling converged nearest_word nearest_cosine "
    names += "best_word best_word_activation mean_word_activation nearest_word_activation "
    names += "dead taken largest_entries"
    assert set(names.split()) <= set(singles.columns)
    # 3 layers of 6 neurons, 4 of which have a second start.
    assert len(singles) == 3 * (6 + 4) == len(np.load(tiny(study, "singles_embeddings.npy")))
    assert not singles.duplicated(["site", "layer", "index", "restart"]).any()

    groups = pd.read_parquet(tiny(study, "groups.parquet"))
    names = "word selection scope size restart activation word_activation nearest_word "
    names += "nearest_cosine target_cosine target_rank margin recovered dead taken largest_entries"
    assert set(names.split()) <= set(groups.columns)
    # 6 words, 2 with a second start; 2 selections, 2 sizes over the model and 1 in each of 3 layers.
    assert (
        len(groups) == (6 + 2) * 2 * (2 + 3) == len(np.load(tiny(study, "groups_embeddings.npy")))
    )
    keys = ["word", "selection", "scope", "scope_layer", "size", "restart"]
    assert not groups.duplicated(keys).any()


def test_no_optimum_passes_its_ceiling(study):
    for name in ("singles", "groups"):
        table = pd.read_parquet(tiny(study, f"{name}.parquet"))
        assert (table["activation"] <= table["ceiling"] * (1 + 1e-6)).all()
        assert table["finite"].all() and not table["dead"].any()
        assert (table["taken"] == {"singles": 30, "groups": 20}[name]).all()


def test_the_largest_entries_are_those_of_the_vocabulary_vector(study):
    """x minimises ‖x − x₀‖ among all with xE = e: a pseudo-inverse of E itself."""
    weights = next((study / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    words = load_file(weights)["word_embeddings"].astype(np.float64)
    names = pd.read_parquet(tiny(study, "candidates.parquet"))["word"].to_numpy()
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    embeddings = np.load(tiny(study, "singles_embeddings.npy")).astype(np.float64)
    for row, e in zip(singles.itertuples(), embeddings, strict=True):
        name = ("single", row.site, row.layer, row.index, row.restart)
        x0 = draw_starts(2023, [name], len(words), "normal", 1.0)[0]
        x = x0 + (e - x0 @ words) @ np.linalg.pinv(words)
        assert row.largest_entries.split() == names[np.argsort(-x)[:10]].tolist()


def test_nearest_words_and_utilisation_agree_with_brute_force(study):
    """From the optima's embeddings, the weights and the activations alone, in float64."""
    weights = next((study / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    words = load_file(weights)["word_embeddings"].astype(np.float64)
    vocabulary = pd.read_parquet(tiny(study, "candidates.parquet"))
    a = np.load(tiny(study, "activations/output.npy"), mmap_mode="r")
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    embeddings = np.load(tiny(study, "singles_embeddings.npy")).astype(np.float64)
    for row, e in zip(singles.itertuples(), embeddings, strict=True):
        cosine = {
            i: e @ words[i] / np.linalg.norm(e) / np.linalg.norm(words[i])
            for i in vocabulary.index[vocabulary["candidate"]]
        }
        nearest = max(cosine, key=cosine.get)
        assert row.nearest_word == vocabulary["word"][nearest]
        assert row.nearest_cosine == pytest.approx(cosine[nearest], abs=1e-6)
        over_words = {i: float(a[row.layer - 1, i, row.index]) for i in cosine}
        best = max(over_words, key=over_words.get)
        assert row.best_word == vocabulary["word"][best]
        share = over_words[best] / row.activation
        assert row.utilisation_best_word == pytest.approx(share, rel=1e-6)
        share = over_words[nearest] / row.activation
        assert row.utilisation_nearest_word == pytest.approx(share, rel=1e-6)
        share = np.mean(np.abs(list(over_words.values()))) / row.activation
        assert row.utilisation_mean_word == pytest.approx(share, rel=1e-5)


def test_groups_agree_with_brute_force(study):
    weights = next((study / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    words = load_file(weights)["word_embeddings"].astype(np.float64)
    vocabulary = pd.read_parquet(tiny(study, "candidates.parquet"))
    candidates = list(vocabulary.index[vocabulary["candidate"]])
    ids = {word: i for i, word in vocabulary["word"].items()}
    a = {
        site: np.load(tiny(study, f"activations/{site}.npy")) for site in ("output", "intermediate")
    }
    groups = pd.read_parquet(tiny(study, "groups.parquet"))
    embeddings = np.load(tiny(study, "groups_embeddings.npy")).astype(np.float64)
    for row, e in zip(groups.itertuples(), embeddings, strict=True):
        target = ids[row.word]
        layers = range(1, 4) if row.scope == "model" else [row.scope_layer]
        neurons = [(s, la, i) for s in a for la in layers for i in range(a[s].shape[2])]
        score = {}
        for site, layer, index in neurons:
            values = a[site][layer - 1][:, index].astype(np.float64)
            score[site, layer, index] = values[target]
            if row.selection == "z_score":
                centred = values[target] - values[candidates].mean()
                score[site, layer, index] = centred / values[candidates].std()
        chosen = sorted(neurons, key=score.get, reverse=True)[: row.size]
        means = {
            i: np.mean([a[s][la - 1][i, n] for s, la, n in chosen], dtype=np.float64)
            for i in candidates
        }
        assert row.word_activation == pytest.approx(means[target], rel=1e-5)
        assert row.best_word_activation == pytest.approx(max(means.values()), rel=1e-5)
        cosine = {
            i: e @ words[i] / np.linalg.norm(e) / np.linalg.norm(words[i]) for i in candidates
        }
        nearest = max(cosine, key=cosine.get)
        assert row.nearest_word == vocabulary["word"][nearest]
        assert row.recovered == (nearest == target)
        assert row.target_rank == 1 + sum(c > cosine[target] for c in cosine.values())
        other = max(c for i, c in cosine.items() if i != target)
        assert row.margin == pytest.approx(cosine[target] - other, abs=1e-6)


def test_claims_name_their_rule_and_protocol(study):
    claims = pd.read_csv(study / "results/test/claims.csv")
    names = "claim model statement paper value ci_low ci_high n twin_change null_model null_value "
    names += "excess excess_low excess_high p_adjusted dominance verdict protocol"
    assert list(claims.columns) == names.split()
    own = claims["null_model"].isna()
    for start in ("single.nearest_cosine", "single.utilisation.best_word"):
        assert claims["claim"].str.startswith(start).any()
    assert {"group.recovery.absolute.24", "group.threshold.z_score.67"} <= set(claims["claim"])
    # Random weights are not the paper's model.
    assert set(claims["verdict"][own]) == {"not comparable"}
    assert claims["protocol"].str.contains("20 steps").any()
    assert not set(claims["verdict"][~own]) - set(NULL_VERDICTS)
    assert not claims[own].duplicated(["claim", "model"]).any()


def test_every_headline_number_stands_beside_its_nulls(study):
    claims = pd.read_csv(study / "results/test/claims.csv")
    nulls = claims.groupby("claim")["null_model"].agg(lambda names: set(names.dropna()))
    for claim, found in nulls.items():
        if claim.startswith("group."):
            # Another word has the same optima, which explain the same group.
            other = set() if claim.startswith("group.explanation.") else {"other_word"}
            assert found == {*OF_MODELS, *other, "random_group", "matched_activation"}
        elif claim in ("single.nearest_cosine", "single.explanation"):
            others = {"start", "random_word", "random_direction", "embedding_covariance"}
            assert found == {*OF_MODELS, *others}
        elif claim.startswith("single.utilisation."):
            assert found > OF_MODELS
    text = (study / "results/test/findings.md").read_text(encoding="utf-8")
    for null in OF_MODELS:
        assert null.replace("_", " ") in text


def test_null_tables_agree_with_brute_force(study):
    """From the derived weights alone, in float64: nearest words, ranks, word activations."""
    vocabulary = pd.read_parquet(tiny(study, "candidates.parquet"))
    candidates = list(vocabulary.index[vocabulary["candidate"]])
    ids = {word: i for i, word in vocabulary["word"].items()}
    folder = next((study / "results/_models").glob("tiny-deep-*/nulls"))
    for null in OF_MODELS:
        groups = pd.read_parquet(tiny(study, f"nulls/groups-{null}-0.parquet"))
        singles = pd.read_parquet(tiny(study, f"nulls/singles-{null}-0.parquet"))
        for draw in (0, 1):
            path = folder / f"{null}-2023-{draw}.safetensors"
            model = FrozenTransformer.load(path, dtype=torch.float64)
            taps = [Tap(s, la) for s in ("output", "intermediate") for la in (1, 2, 3)]
            a = model.activations(model.word_embeddings, taps)
            chosen = groups[(groups["draw"] == draw) & (groups["selection"] == "absolute")]
            whole = torch.cat([a[tap] for tap in taps], dim=1)
            assert len(chosen) == 3 * 2
            for row in chosen.itertuples():
                strongest = whole[ids[row.word]].sort(descending=True).values[: row.size]
                assert row.word_activation == pytest.approx(float(strongest.mean()), rel=1e-4)
            for row in singles[singles["draw"] == draw].itertuples():
                nearest = a[Tap(row.site, row.layer)][ids[row.nearest_word], row.index]
                assert row.nearest_word_activation == pytest.approx(float(nearest), abs=1e-4)
                assert row.nearest_word in set(vocabulary["word"][candidates])


def test_excesses_agree_with_brute_force(study):
    """Word by word and layer by layer, from the optima's tables alone."""
    claims = pd.read_csv(study / "results/test/claims.csv")
    claims = claims[claims["null_model"].notna()].set_index(["claim", "null_model"])
    own = pd.read_parquet(tiny(study, "groups.parquet"))
    own = own[own["scope"] == "model"]
    for null in (*OF_MODELS, "random_group", "matched_activation"):
        of_null = pd.read_parquet(tiny(study, f"nulls/groups-{null}-0.parquet"))
        for (selection, size), chosen in of_null.groupby(["selection", "size"]):
            same = own[(own["selection"] == selection) & (own["size"] == size)]
            words = {word: rows["recovered"].mean() for word, rows in same.groupby("word")}
            value = np.mean([words[word] for word in set(chosen["word"])])
            row = claims.loc[f"group.recovery.{selection}.{size}", null]
            assert row["value"] == pytest.approx(value)
            assert row["null_value"] == pytest.approx(chosen["recovered"].mean())
            assert row["excess"] == pytest.approx(value - chosen["recovered"].mean())
            assert row["excess_low"] <= row["excess"] <= row["excess_high"]
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    neurons = singles.groupby(["layer", "index"])["utilisation_nearest_word"].mean()
    for null in OF_MODELS:
        of_null = pd.read_parquet(tiny(study, f"nulls/singles-{null}-0.parquet"))
        row = claims.loc["single.utilisation.nearest_word", null]
        assert row["value"] == pytest.approx(neurons.median())
        assert row["null_value"] == pytest.approx(of_null["utilisation_nearest_word"].median())
    a = np.load(tiny(study, "activations/output.npy"))
    reference = pd.read_parquet(tiny(study, "nulls/reference.parquet"))["id"]
    best = [a[row.layer - 1, reference, row.index].max() for row in singles.itertuples()]
    singles["share"] = best / singles["activation"]
    value = singles.groupby(["layer", "index"])["share"].mean().median()
    row = claims.loc["single.utilisation.best_word", "permuted"]
    assert row["value"] == pytest.approx(value, rel=1e-6)


def test_random_groups_have_the_composition_of_a_words_own(study):
    """Two draws of three words each, dealt out: all six words, each once per selection and size."""
    for null in ("random_group", "matched_activation"):
        table = pd.read_parquet(tiny(study, f"nulls/groups-{null}-0.parquet"))
        assert len(table) == 6 * 2 * 2
        assert not table.duplicated(["word", "selection", "size"]).any()
        own = pd.read_parquet(tiny(study, "groups.parquet"))
        own = own[(own["scope"] == "model") & (own["restart"] == 0)]
        both = table.merge(own, on=["word", "selection", "size"], suffixes=("_null", ""))
        assert len(both) == len(table)
        # They were not chosen by the word, and so say less of it.
        assert (both["word_activation_null"] < both["word_activation"]).mean() > 0.9


def answered(study, capsys, *words, code=0):
    assert ask.main(["--study", str(study / "results/test"), *words]) == code
    said = capsys.readouterr()
    return said.err if code else said.out


def test_a_neuron_is_answered_from_the_study_and_the_same_when_ascended_now(study, capsys):
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    of = singles[singles["restart"] == 0].iloc[2]
    name = f"{of['site']}/{of['layer']}/{of['index']}"
    kept = answered(study, capsys, "--neuron", name)
    assert kept.startswith(f"{name}, in tiny-deep: from the study")
    assert f"activation       {of['activation']:.3g} " in kept
    fresh = answered(study, capsys, "--neuron", name, "--fresh")
    assert "ascended now, 30 steps" in fresh
    # The study may have ascended from fewer starts.
    numbers = [re.sub(r"\(.*?\)", "()", text.split("\n", 2)[2]) for text in (kept, fresh)]
    assert numbers[0] == numbers[1]


def test_a_neuron_that_the_study_left_out_is_ascended_now(study, capsys):
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    drawn = set(singles["index"][singles["layer"] == 2])
    left = next(index for index in range(16) if index not in drawn)
    text = answered(study, capsys, "--neuron", f"output/2/{left}")
    assert "not taken from the study" in text and "ceiling" in text
    # At a site where the study ascends on groups alone.
    assert "nearest words" in answered(study, capsys, "--neuron", "intermediate 1 3")


def test_a_word_is_answered_from_the_study_and_the_same_when_ascended_now(study, capsys):
    groups = pd.read_parquet(tiny(study, "groups.parquet"))
    word = groups["word"].iloc[0]
    own = groups[(groups["word"] == word) & (groups["restart"] == 0)]
    text = answered(study, capsys, "--word", word)
    assert text.count("yes") == own["recovered"].sum()
    fresh = answered(study, capsys, "--word", word, "--fresh")
    assert "ascended now, 20 steps" in fresh
    whole = own[own["scope"] == "model"]
    for row in whole.itertuples():
        assert f"{row.target_cosine:.3f}" in text and f"{row.target_cosine:.3f}" in fresh
        assert ", ".join(row.nearest_words.split(" ")) in fresh


def test_a_word_that_the_study_does_not_target_is_ascended_now(study, capsys):
    words = pd.read_parquet(tiny(study, "candidates.parquet"))
    targets = set(pd.read_parquet(tiny(study, "targets.parquet"))["word"])
    word = next(
        w for w, c in zip(words["word"], words["candidate"], strict=True) if c and w not in targets
    )
    assert "not taken from the study" in answered(study, capsys, "--word", word)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--neuron", "output/9/0"], "layers 1 to 3, index 0 to 15"),
        (["--neuron", "output/1/16"], "layers 1 to 3, index 0 to 15"),
        (["--neuron", "outputs/1/1"], "no site 'outputs' (has: intermediate, output"),
        (["--neuron", "music"], "not site/layer/index"),
        (["--neuron", "output/1/-2"], "not site/layer/index"),
        (["--word", "tigre"], "near to it: tiger"),
        (["--word", "[CLS]"], "is special, no word of its own"),
        (["--word", "apple", "--model", "gpt"], "'gpt' is not in"),
        (["--word", "apple", "--study", "nowhere"], "`make demo` makes results/default"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_in_a_line_why(study, capsys, words, says):
    text = answered(study, capsys, *words, code=2)
    assert says in text and text.count("\n") == 1


def verified(study, code=0):
    command = [
        sys.executable,
        "scripts/commands/verify.py",
        "results/test",
        "--configfile",
        "config/test.yaml",
    ]
    done = subprocess.run(
        command,
        cwd=study,
        env=environment(study, PYTHONPATH="src"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_a_changed_and_a_missing_file_are_listed_with_their_rules_and_made_again(study):
    files = json.loads((study / "results/test/manifest.json").read_text())["files"]
    assert len(files) == 4 * len(TABLES) + 3 * len(FIGURES) + 21
    assert f"{len(files)} files" in verified(study)
    crate = json.loads((study / "results/test/ro-crate-metadata.json").read_text())["@graph"]
    of_crate = {t["name"]: t["sha256"] for t in crate if t["@type"] == "File"}
    assert of_crate == {name: facts["sha256"] for name, facts in files.items()}
    changed, missing = tiny(study, "figures/cosine.png"), tiny(study, "tables/words.tex")
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    missing.unlink()
    tiny(study, "tables/older.csv").write_text("")
    text = verified(study, code=1)
    folder = "results/test/tiny-deep"
    assert f"changed     {folder}/figures/cosine.png (rule figure_cosine)" in text
    assert f"missing     {folder}/tables/words.tex (rule table_words)" in text
    assert f"not listed  {folder}/tables/older.csv" in text and text.count("(rule ") == 2
    command = text.split("To make them again: ")[1].replace(
        "snakemake", f"{shlex.quote(sys.executable)} -m snakemake"
    )
    subprocess.run(
        command, shell=True, cwd=study, env=environment(study), check=True, capture_output=True
    )
    tiny(study, "tables/older.csv").unlink()
    assert f"{len(files)} files" in verified(study)


def test_settings_that_were_edited_by_hand_are_not_the_studys(study, capsys):
    path = study / "results/test/config.yaml"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"rate: 1001", b"rate: 3"))
    try:
        text = answered(study, capsys, "--neuron", "output/1/0", code=2)
        assert "wrong checksum" in text and "results/test/config.yaml" in text
    finally:
        path.write_bytes(before)


def test_an_edit_that_comes_with_an_old_date_re_runs_what_it_changes(edited):
    module = edited / "src/textualization/analysis/similarity.py"
    module.write_text(module.read_text() + "\n\n#: Another.\n")
    os.utime(module, (1e9, 1e9))
    assert {"describe_singles", "describe_groups"} <= set(jobs_to_run(edited))


def test_braces_in_a_word_are_no_wildcard(edited):
    words = edited / "tests/data/words.tsv"
    words.write_text(words.read_text() + "{model}\tnoun\tlow\n\\input{x}\tnoun\tlow\n")
    requested = "results/braces/tiny-deep/asked.parquet"
    settings = ["study=braces", "missing={words: skip}"]
    command = ["--configfile", "config/test.yaml", "--config", *settings, "--", requested]
    snakemake(edited, *command, overlay=None)
    found = pd.read_parquet(edited / requested)["word"].tolist()
    assert found[-2:] == ["{model}", "\\input{x}"]


def test_the_study_is_planned_in_its_own_folder_only(study, tmp_path):
    text = snakemake(
        tmp_path, "-n", "--snakefile", str(study / "Snakefile"), overlay=None, fails=True
    )
    assert f"cd {study}" in text and "Traceback" not in text


def test_the_notebook_runs_on_the_study(study, monkeypatch):
    monkeypatch.setenv("STUDY", str(study / "results/test"))
    notebook = nbformat.read(ROOT / "notebooks/study.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, resources={"metadata": {"path": str(ROOT)}}).execute()
    kinds = [
        kind
        for cell in notebook.cells
        for o in cell.get("outputs", [])
        for kind in o.get("data", [])
    ]
    assert kinds.count("image/png") == 1 and kinds.count("text/html") >= 3


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (apt-get install chromium)")
def test_the_atlas_says_what_the_tables_say(study):
    singles = pd.read_parquet(tiny(study, "singles.parquet"))
    of = singles[singles["restart"] == 0].iloc[-1]
    groups = pd.read_parquet(tiny(study, "groups.parquet"))
    word = groups["word"].iloc[0]
    own = groups[(groups["word"] == word) & (groups["restart"] == 0)]
    address = (study / "results/test/atlas/index.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with watched(browser) as page:
            page.goto(f"{address}#/tiny-deep/neuron/{of['site']}/{of['layer']}/{of['index']}")
            page.wait_for_selector("h1")
            text = page.locator("main").inner_text()
            names = ["activation", "ceiling", "start_activation", "nearest_cosine", "explanation"]
            for name in names:
                assert f"{float(f'{of[name]:.3g}'):g}" in text, name
            assert of["nearest_word"] in text
            page.goto(f"{address}#/tiny-deep/word/{word}")
            page.wait_for_selector("h1:has-text('Word')")
            table = page.locator(
                "table", has=page.locator("caption", has_text="Optima of its groups")
            )
            place = table.locator("thead th").all_inner_texts().index("rank") + 1
            ranks = table.locator(f"tbody tr > :nth-child({place})").all_inner_texts()
            assert sorted(map(int, ranks)) == sorted(own["target_rank"])
        browser.close()


def in_report(page, what):
    """One of the variables that Snakemake writes into its report."""
    of = "rulegraph_spec" if what == "rulegraph" else what
    found = re.search(rf'<script id="{what}">\s*var {of} = (.*);\s*</script>', page)
    return json.loads(found[1])


def test_the_report_is_one_page_with_every_table_and_figure(study):
    snakemake(study, "--report", "report.html")
    page = (study / "report.html").read_text(encoding="utf-8")
    results, categories = in_report(page, "results"), in_report(page, "categories")
    shown = {"results/test/claims.html", "results/test/findings.html"}
    for names, folder, kinds in (
        (TABLES, "tables", ["html"]),
        (FIGURES, "figures", ["png", "txt"]),
    ):
        for name in names:
            path = f"results/test/tiny-deep/{folder}/{name.split('_', 1)[1]}"
            shown |= {f"{path}.{kind}" for kind in kinds}
    assert set(results) == shown
    for result in results.values():
        caption = re.sub(r"<[^>]*>", "", result["caption"]).strip()
        # A sentence or two, the rule, and what it was made of: all inside the page.
        assert len(caption) > 20 and caption.endswith((".", ").")) and "{{" not in caption
        assert result["job_properties"]["rule"] in in_report(page, "rules")
        assert result["data_uri"].startswith("data:")
    # Snakemake sorts by name.
    assert [name.split(" ", 1)[1] for name in sorted(categories)] == [
        "Claims",
        "Single neurons",
        "Groups of words",
        "Relative against absolute selection",
        "Explanation",
        "Nulls",
        "Robustness",
    ]
    # It opens on its text, not on the graph.
    assert in_report(page, "metadata") and "The study in short, tiny-deep" in page
    nodes = in_report(page, "rulegraph")["data"][0]["values"]
    assert {"ascend_groups", "write_claims"} <= {node["rule"] for node in nodes}


def test_the_report_asks_nothing_of_the_network(study):
    snakemake(study, "--report", "report.zip")
    with zipfile.ZipFile(study / "report.zip") as folder:
        names = folder.namelist()
        page = folder.read("report/report.html").decode()
        uris = {result["data_uri"] for result in in_report(page, "results").values()}
        assert {f"report/{uri}" for uri in uris} | {"report/report.html"} == set(names)
        pages = [page] + [folder.read(name).decode() for name in names if name.endswith(".html")]
    asks = (
        r"""<(script|link|img|iframe)\b[^>]*(src|href)=["']?(https?:)?//|@import|url\(["']?http"""
    )
    assert not any(re.search(asks, text) for text in pages)
    assert jobs_to_run(study) == {}


def test_a_finished_study_has_nothing_to_do(study):
    assert jobs_to_run(study) == {}


def test_touching_files_re_runs_nothing(study):
    for folder in ("scripts", "src", "config", "envs", "tests", "rules", "resources"):
        for path in (study / folder).rglob("*"):
            path.touch()
    weights = next((study / "results/_models").glob("tiny-deep-*/frozen.safetensors"))
    for path in (weights, tiny(study, "activations/output.npy"), tiny(study, "singles.parquet")):
        path.touch()
    assert jobs_to_run(study) == {}


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("src/textualization/report/plotting.py", FIGURES | {"provenance", "manifest"}),
        ("src/textualization/report/verdicts.py", RECORD),
        ("src/textualization/ascent/loop.py", ASCENTS | OF_SINGLES | OF_GROUPS),
        ("src/textualization/ascent/solvers.py", ASCENTS | OF_SINGLES | OF_GROUPS),
        ("scripts/ascent/ascend_groups.py", {"ascend_groups", "twin_groups"} | OF_GROUPS),
        ("scripts/tables/twins.py", OF_TWINS),
        ("scripts/nulls/random_groups.py", {"random_groups", "table_nulls_groups"} | RECORD
         | OF_NULL_GROUPS),
        ("scripts/figures/recovery.py", {"figure_recovery", "provenance", "manifest"}),
        ("src/textualization/report/tables.py", TABLES | RECORD | ATLAS
         | FIGURES - {"figure_projection", "figure_curves", "figure_nearest"}),
        ("scripts/commands/show_claims.py", set()),
    ],
)  # fmt: skip
def test_editing_a_module_re_runs_exactly_its_dependants(edited, module, rules):
    with (edited / module).open("a") as file:
        file.write("\n# an edit\n")
    assert set(jobs_to_run(edited)) == rules


@pytest.mark.parametrize(
    ("key", "value", "rules"),
    [
        ("ascent.groups.steps", 21, ASCENTS_OF_GROUPS | OF_GROUPS),
        ("ascent.singles.steps", 31, ASCENTS_OF_SINGLES | OF_SINGLES),
        ("ascent.solver", "lbfgs", ASCENTS | OF_SINGLES | OF_GROUPS),
        ("ascent.dtype", "float64", ASCENTS | OF_SINGLES | OF_GROUPS
         | {"word_activations", "neuron_summaries", "rank_neurons"}),
        ("context", "river {} green", ASCENTS | OF_SINGLES | OF_GROUPS
         | {"read_context", "word_activations", "neuron_summaries", "rank_neurons"}),
        ("seek", "minimum", ASCENTS | OF_SINGLES | OF_GROUPS
         | {"word_activations", "neuron_summaries", "rank_neurons"}),
        ("statistics.thresholds", [0.4], {"table_thresholds", "table_nulls_groups"} | OF_TWINS
         | OF_NULL_GROUPS),
        ("statistics.permutations", 3000, {"table_nulls_singles", "table_nulls_groups"} | RECORD
         | OF_NULL_GROUPS),
        ("statistics.removed_directions", 2, {"table_robustness", "write_findings", "provenance"}
         | {"manifest"}),
        ("nulls.replicates", 1, {"null_model_singles", "draw_null_inputs", "table_nulls_singles"}
         | {"null_model_groups", "random_groups", "table_nulls_groups", "table_variance"}
         | OF_NULL_GROUPS | {"table_utilisation", "figure_utilisation", "figure_nearest"} | RECORD
         | {"table_explanation", "figure_explanation"}),
        ("nulls.objectives", ["other_word"], {"table_nulls_groups"} | OF_NULL_GROUPS | RECORD),
        ("statistics.leading_directions", 4, {"figure_projection", "provenance", "manifest"}),
        ("statistics.nearest_words", 3, OF_GROUPS - OF_DIRECTIONS),
        ("words.candidates", "all", {"mark_candidates", "list_targets", "neuron_summaries"}
         | {"rank_neurons", "draw_reference", "null_model_singles"} | ASCENTS_OF_GROUPS
         | OF_SINGLES | OF_GROUPS),
        ("groups.sizes.model", [4, 12], ASCENTS_OF_GROUPS | OF_GROUPS),
        ("ascent.twins.singles", 1, {"twin_singles", "describe_twin_singles"} | OF_TWINS),
        ("ascent.twins.groups", 1, {"twin_groups", "describe_twin_groups"} | OF_TWINS),
        ("ascent.twins", {"singles": 0, "groups": 0}, OF_TWINS - {"table_twins"}),
    ],
)  # fmt: skip
def test_editing_a_setting_re_runs_exactly_its_dependants(edited, key, value, rules):
    path = edited / "config/test.yaml"
    settings = yaml.safe_load(path.read_text())
    *parents, last = key.split(".")
    inner = settings
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[last] = value
    path.write_text(yaml.safe_dump(settings))
    found = jobs_to_run(edited)
    assert set(found) == rules


def test_a_further_group_size_runs_no_job_of_the_others(study, tmp_path):
    edited = shutil.copytree(study, tmp_path / "project")
    path = edited / "config/test.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["groups"]["sizes"]["model"] += [12]
    # Jobs as small as one size of six words, two of which start twice: no sizes share one.
    settings["ascent"]["groups"]["per_job"] = 8
    path.write_text(yaml.safe_dump(settings))
    snakemake(edited, "--until", "ascend_groups")
    settings["groups"]["sizes"]["model"] += [16]
    path.write_text(yaml.safe_dump(settings))
    assert jobs_to_run(edited, "--until", "ascend_groups") == {"ascend_groups": 2}


def test_editing_the_words_re_runs_the_groups_and_no_single_neuron(edited):
    with (edited / "tests/data/words.tsv").open("a") as file:
        file.write("music\tnoun\thigh\n")
    found = {"list_targets", "rank_neurons"} | ASCENTS_OF_GROUPS | OF_GROUPS
    assert set(jobs_to_run(edited)) == found - {"figure_nearest"}


def test_a_words_category_is_needed_by_the_strata_and_the_atlas_alone(edited):
    words = edited / "tests/data/words.tsv"
    words.write_text(words.read_text().replace("\tnoun\t", "\tother\t"))
    assert set(jobs_to_run(edited)) == {"table_strata", "provenance", "manifest"} | ATLAS


def test_what_cannot_change_a_result_re_runs_nothing(edited):
    path = edited / "config/test.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["activations"]["words_per_pass"] = 7
    settings["ascent"]["device"] = "auto"
    settings["ascent"]["snapshot_seconds"] = 7
    # Of a solver that this study does not use.
    settings["ascent"]["lbfgs"] = {"memory": 7}
    path.write_text(yaml.safe_dump(settings))
    # The record has all settings.
    assert jobs_to_run(edited) == {"provenance": 1, "manifest": 1}


def test_an_edited_model_folder_is_noticed(edited):
    path = edited / "tests/data/tiny-deep/config.json"
    path.write_text(path.read_text().replace("1e-12", "1e-10"))
    assert {"fetch_model", "convert_model"} <= set(jobs_to_run(edited))


def test_a_second_study_shares_the_model_and_leaves_the_first_alone(study):
    found = jobs_to_run(study, "--config", "study=other")
    assert not {"fetch_model", "convert_model"} & set(found)
    assert "word_activations" in found
    assert jobs_to_run(study) == {}


def test_the_papers_study_is_some_hundred_jobs(study):
    found = jobs_to_run(study, overlay="config/paper.yaml")
    assert 100 < sum(found.values()) < 1000
    assert found["ascend_singles"] == 12 * 8  # 768 neurons x 5 restarts in batches of 512


def test_the_default_study_is_planned_without_a_configfile(study):
    found = jobs_to_run(study, overlay=None)
    assert found["ascend_singles"] == 6 and found["fetch_model"] == 1


def test_bad_settings_are_refused_in_a_line_before_any_job(edited):
    text = snakemake(edited, "--config", "seeed=1", fails=True)
    assert "unknown key 'seeed'; did you mean 'seed'?" in text
    assert "Traceback" not in text


def test_other_weights_than_the_checksum_says_are_refused(edited):
    path = edited / "config/test.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["catalogue"]["tiny-deep"]["sha256"] = "0" * 64
    path.write_text(yaml.safe_dump(settings))
    text = snakemake(edited, fails=True)
    assert "these are not the requested weights" in text
    assert "Traceback" not in text


def test_a_model_that_cannot_be_reached_is_looked_for_first_where_it_may_be_skipped(edited):
    overlay = edited / "config/skipping.yaml"
    settings = yaml.safe_load((edited / "config/test.yaml").read_text())
    ghost = settings["catalogue"]["tiny-deep"] | {"path": "nowhere", "sha256": "0" * 64}
    settings["models"], settings["study"] = ["tiny-deep", "ghost"], "skipping"
    settings["catalogue"]["ghost"] = ghost
    settings["missing"] = {"models": "skip"}
    overlay.write_text(yaml.safe_dump(settings))
    assert jobs_to_run(edited, overlay=overlay)["find_models"] == 1
    models = "results/skipping/comparison/models.csv"
    snakemake(edited, models, overlay=overlay)
    table = pd.read_csv(edited / models).set_index("model")
    assert table["studied"].to_dict() == {"tiny-deep": True, "ghost": False}
    assert table.loc["ghost", "missing"].startswith("nowhere has no model.safetensors")
    # What was found is then planned, and nothing of the other.
    planned = jobs_to_run(edited, overlay=overlay)
    assert planned["describe_groups"] == planned["figure_models"] == 1
    settings["missing"]["models"] = "stop"
    overlay.write_text(yaml.safe_dump(settings))
    assert "nowhere" in snakemake(edited, "--dry-run", overlay=overlay, fails=True)


def test_a_changed_family_converts_again_what_is_of_it_alone(edited):
    bert = edited / "src/textualization/models/families/bert.py"
    bert.write_text(bert.read_text() + "\n# changed\n")
    assert "convert_model" in jobs_to_run(edited)
    bert.write_text(bert.read_text().removesuffix("\n# changed\n"))
    other = edited / "src/textualization/models/families/gpt2.py"
    other.write_text(other.read_text() + "\n# changed\n")
    assert jobs_to_run(edited) == {}


#: Rules that a corpus, and short texts, add to a study.
READ = {"read_corpus", "null_model_sentences", "table_utilisation", "figure_utilisation"}
SOUGHT = {"ascend_texts", "collect_texts"}
SHOWN = {"table_sentences", "provenance", "manifest"} | ATLAS
CORPUS = [
    "the river is green",
    "",
    "<b>tiger</b> & apple",
    "суп 年 é",
    "river " * 600,
    "music seven",
]


@pytest.fixture(scope="module")
def with_sentences(study, tmp_path_factory):
    """A copy of the finished study that reads a corpus and seeks short texts too; what it ran for it."""
    folder = shutil.copytree(study, tmp_path_factory.mktemp("sentences") / "project")
    settings = read_settings(folder)
    settings["corpus"] = "corpus.txt"
    settings["texts"] = {"tokens": [2], "steps": 2, "candidates": 8, "sweeps": 0, "per_job": 64}
    settings["nulls"]["sentences"] = 3
    write_settings(folder, settings)
    (folder / "corpus.txt").write_text("\n".join(CORPUS), encoding="utf-8")
    planned = jobs_to_run(folder)
    snakemake(folder)
    return folder, planned


def test_a_corpus_runs_its_readers_alone(with_sentences):
    folder, planned = with_sentences
    assert set(planned) == READ | SOUGHT | SHOWN
    # 18 single neurons, and 6 words in 2 selections and 2 + 3 groups, 64 a job.
    assert planned["ascend_texts"] == 2 and planned["null_model_sentences"] == 2
    assert jobs_to_run(folder) == {}
    files = json.loads((folder / "results/test/manifest.json").read_text())["files"]
    names = {"sentences.parquet", "sentences_summary.parquet", "texts.parquet"}
    assert {f"tiny-deep/{name}" for name in names} <= set(files)
    record = json.loads((folder / "results/test/provenance.json").read_text())["corpus"]
    content = (folder / "corpus.txt").read_bytes()
    assert record == {"file": "corpus.txt", "sha256": hashlib.sha256(content).hexdigest()}


def test_shares_of_sentences_agree_with_brute_force(with_sentences):
    folder, _ = with_sentences
    summary = pd.read_parquet(tiny(folder, "sentences_summary.parquet"))
    reached = summary.set_index("objective")["activation"]
    texts = pd.read_parquet(tiny(folder, "texts.parquet")).set_index("objective")["activation"]
    singles = pd.read_parquet(tiny(folder, "singles.parquet"))
    of = {}
    for row in singles.itertuples():
        name = f"{row.site}/{row.layer}/{singles['index'][row.Index]}"
        shares = of.setdefault((row.layer, name), [])
        shares.append((reached[name] / row.activation, texts[name] / row.activation))
    table = pd.read_csv(tiny(folder, "tables/sentences.csv"))
    utilisation = pd.read_csv(tiny(folder, "tables/utilisation.csv"))
    for layer in (1, 2, 3):
        means = [np.mean(shares, axis=0) for (own, _), shares in of.items() if own == layer]
        row = table[table["of"] == f"output, layer {layer}"].iloc[0]
        assert row["objectives"] == 6
        expected = np.median(means, axis=0)
        assert [row["best_sentence"], row["text_2"]] == pytest.approx(list(expected))
        model = utilisation[(utilisation["layer"] == layer) & (utilisation["of"] == "model")]
        assert model["best_sentence_of_optimum"].item() == pytest.approx(expected[0])
        for null in OF_MODELS:
            found = pd.read_parquet(tiny(folder, f"nulls/sentences-{null}-0.parquet"))
            found = found[found["layer"] == layer]
            share = (found["drawn_activation"] / found["optimum"]).groupby(found["index"]).mean()
            own = utilisation[(utilisation["layer"] == layer) & (utilisation["of"] == null)]
            assert own["drawn_sentence_of_optimum"].item() == pytest.approx(share.median())
            assert own["best_sentence_of_optimum"].isna().all()
    row = table[table["of"] == "output, all layers"].iloc[0]
    medians = np.median([np.mean(shares, axis=0) for shares in of.values()], axis=0)
    assert [row["best_sentence"], row["text_2"]] == pytest.approx(list(medians))
    assert set(table["kind"]) == {"singles", "groups"}
    groups = pd.read_parquet(tiny(folder, "groups.parquet"))
    own = groups[(groups["size"] == 24) & (groups["selection"] == "absolute")]
    shares = [
        (row.word, reached[f"absolute/model/0/24/{row.word}"] / row.activation)
        for row in own.itertuples()
    ]
    means = pd.DataFrame(shares).groupby(0)[1].mean()
    row = table[table["of"] == "absolute, model, 24 neurons"].iloc[0]
    assert row["best_sentence"] == pytest.approx(means.median()) and row["objectives"] == 6


def test_sentences_are_answered_from_the_study_or_read_now(with_sentences, capsys, monkeypatch):
    folder, _ = with_sentences
    monkeypatch.chdir(folder)
    singles = pd.read_parquet(tiny(folder, "singles.parquet"))
    tokens = pd.read_parquet(tiny(folder, "sentences.parquet"))
    of = singles.iloc[0]
    name = f"{of['site']}/{of['layer']}/{of['index']}"
    text = answered(folder, capsys, "--neuron", name)
    own = tokens[tokens["objective"] == name].iloc[0]
    assert f"[{own['text'][own['start'] : own['end']]}]" in text and "short texts " in text
    left = next(i for i in range(16) if i not in set(singles["index"][singles["layer"] == 2]))
    text = answered(folder, capsys, "--neuron", f"output/2/{left}")
    assert re.search(
        r"^sentences        of \d+ tokens, read now; the token in brackets$", text, re.M
    )
    (folder / "corpus.txt").rename(folder / "gone.txt")
    text = answered(folder, capsys, "--neuron", f"output/2/{left}")
    (folder / "gone.txt").rename(folder / "corpus.txt")
    assert "sentences        not read: corpus: corpus.txt cannot be read" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"good\n\xff bad\n", "corpus: corpus.txt, line 2: byte 0xff is not UTF-8"),
        ("a sentence".encode("utf-16"), "corpus: corpus.txt, line 1: it has a zero byte"),
        (b"\n  \n", "corpus: corpus.txt has no sentence"),
        (None, "corpus: corpus.txt cannot be read (No such file or directory)"),
    ],
)
def test_a_corpus_that_is_no_text_is_refused_in_a_line(with_sentences, content, says):
    folder, _ = with_sentences
    path = folder / "corpus.txt"
    before = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    text = snakemake(folder, "--dry-run", fails=True)
    path.write_bytes(before)
    assert says in text and "Traceback" not in text


def test_an_edited_corpus_re_runs_its_readers_alone(with_sentences):
    folder, _ = with_sentences
    path = folder / "corpus.txt"
    before = path.read_bytes()
    path.write_bytes(before + b"\none more\n")
    assert set(jobs_to_run(folder)) == READ | SHOWN
    path.write_bytes(before)
    assert jobs_to_run(folder) == {}
    settings = read_settings(folder)
    settings["texts"]["steps"] = 3
    write_settings(folder, settings)
    assert set(jobs_to_run(folder)) == SOUGHT | SHOWN
