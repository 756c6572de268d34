"""Every wrong setting is one clear line; every shipped one is right."""

import copy
import hashlib
import json

import pytest
import yaml

from paths import DATA, ROOT
from settings import GONE, SCHEMA, WRONG, changed, complaints, merged, shipped
from study.config.schema_faults import problems
from study.config.settings import (
    MOST_JOBS,
    SettingsError,
    differing,
    group_sizes,
    in_order,
    jobs_at_most,
    read_target_rows,
)


def read_targets(path):
    return [row["word"] for row in read_target_rows(path)]


@pytest.mark.parametrize(
    ("key", "text", "begins", "says"), WRONG, ids=[f"{key}={text[:24]}" for key, text, *_ in WRONG]
)
def test_a_wrong_setting_is_one_line_with_its_key_and_what_is_allowed(key, text, begins, says):
    found = complaints(changed((key, yaml.safe_load(text))))
    assert len(found) == 1
    assert found[0].startswith(f"{begins or key}: ")
    assert says in found[0]
    assert len(found[0]) < 200


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("ascent", "config: lacks ascent"),
        ("ascent.groups.per_job", "ascent.groups: lacks per_job"),
        ("ascent.dtype", "ascent: lacks dtype"),
        ("ascent.stop.window", "ascent.stop: lacks window"),
        ("groups.sizes.model", "groups.sizes: lacks model"),
        ("catalogue.minilm-l6.source", "catalogue.minilm-l6: lacks source"),
        ("catalogue.minilm-l6.version", "catalogue.minilm-l6: lacks version"),
        ("catalogue.minilm-l6.sha256", "catalogue.minilm-l6: lacks sha256"),
        ("catalogue.bert-base-uncased.repository", "catalogue.bert-base-uncased: lacks repository"),
        ("catalogue.bert-base-uncased.hidden", "catalogue.bert-base-uncased: lacks hidden"),
    ],
)
def test_a_missing_setting_is_named(key, line):
    assert complaints(changed((key, GONE))) == [line]


@pytest.mark.parametrize("name", ["claims.md", "atlas", "config.yaml", "ro-crate-metadata.json"])
def test_a_model_is_not_called_like_a_studys_files(name):
    settings = shipped()
    settings["catalogue"][name] = settings["catalogue"]["minilm-l6"]
    settings["models"] = [name]
    (line,) = complaints(settings)
    assert line.startswith(f"models: {name!r} is reserved for another part of a study")


def test_a_model_whose_name_is_a_number_is_refused():
    settings = shipped()
    settings["catalogue"][7] = settings["catalogue"]["minilm-l6"]
    assert complaints(settings) == ["catalogue: 7 is not a name (allowed: text; put it in quotes)"]


def test_a_name_that_ends_in_a_line_break_is_none():
    settings = shipped()
    settings["catalogue"]["mine\n"] = settings["catalogue"]["minilm-l6"]
    (line,) = complaints(settings)
    assert line.startswith("catalogue: 'mine\\n' is not valid")


def test_a_wrong_value_is_shown_in_part():
    (line,) = complaints(changed(("ascent", list(range(3000)))))
    assert len(line) < 600


def test_jobs_are_counted_before_they_are_planned():
    words = len(read_targets(ROOT / "config/words.tsv"))
    usual = jobs_at_most(shipped(), words)
    assert 20 < usual < 200
    for changes in (
        [("nulls.replicates", 10**6), ("nulls.per_job", 1)],
        [("ascent.singles.restarts", 10**6), ("ascent.singles.per_job", 1)],
        [("ascent.groups.restarts", 10**6), ("ascent.groups.per_job", 1)],
        [("nulls.replicates", 10**6), ("nulls.per_job", 1), ("corpus", "default")],
    ):
        settings = changed(*changes)
        assert complaints(settings) == []
        assert jobs_at_most(settings, words) > 10**6 > MOST_JOBS
    assert jobs_at_most(merged(shipped(), shipped("paper.yaml")), 208) < 1000
    # A job of twins for each of six layers, and for each of two selections.
    without = changed(("ascent.twins", {"singles": 0, "groups": 0}))
    assert complaints(without) == [] and jobs_at_most(without, words) == usual - 6 - 2
    # Texts of two lengths, for 6 · 16 neurons and 2 · 4 · 28 groups, 16 a job; the nulls of a corpus.
    texts = changed(("texts.tokens", [1, 4]), ("corpus", "default"))
    assert jobs_at_most(texts, words) == usual + 2 * (6 * 16 + 2 * 4 * words) // 16 + 2


def test_settings_that_differ_are_named():
    one = {"a": 1, "b": {"c": [1, 2], "d": 3}, "e": None}
    other = {"a": 1, "b": {"c": [1], "f": 3}, "e": {"g": 1}}
    assert differing(one, other) == ["b.c", "b.d", "b.f", "e"]
    assert differing(one, one) == []


def test_where_the_source_lacks_nothing_is_said_of_what_it_would_need():
    entry = "catalogue.minilm-l6"
    taken = changed((f"{entry}.source", GONE), (f"{entry}.version", GONE))
    assert complaints(taken) == [f"{entry}: lacks source"]
    misspelt = changed((f"{entry}.source", "pipy"), (f"{entry}.version", GONE))
    assert [line.split(" ")[0] for line in complaints(misspelt)] == [f"{entry}.source:"]


def test_several_missing_settings_of_one_place_are_one_line():
    taken = [(f"ascent.{name}", GONE) for name in ("rate", "device", "dtype")]
    assert complaints(changed(*taken)) == ["ascent: lacks rate, dtype, device"]


def test_an_entry_with_the_keys_of_another_source_says_what_is_too_much_and_what_lacks():
    found = complaints(changed(("catalogue.minilm-l6.source", "path")))
    assert len(found) == 2
    assert all(line.startswith("catalogue.minilm-l6: ") for line in found)
    assert "catalogue.minilm-l6: lacks path" in found
    (unknown,) = (line for line in found if "unknown" in line)
    assert "'package'" in unknown
    assert "'version'" in unknown


def test_every_wrong_setting_gets_its_line():
    wrong = [("seed", -1), ("read", "x"), ("ascent.rate", "1e3"), ("groups.sizes.model", [])]
    found = complaints(changed(*wrong))
    assert sorted(line.split(":")[0] for line in found) == sorted(key for key, _ in wrong)


def test_keys_that_are_no_text_are_refused_like_any_other():
    found = complaints(changed(("singles", shipped()["singles"] | {7: 1, "x": 2, True: 3})))
    assert len(found) == 1
    assert "unknown key 7" in found[0]
    assert "unknown key 'x'" in found[0]


@pytest.mark.parametrize("settings", [None, [], "default", 3])
def test_settings_that_are_no_mapping_are_refused(settings):
    (line,) = complaints(settings)
    assert line.startswith("config: ")


def test_a_layer_beyond_a_model_names_the_model_that_lacks_it():
    found = complaints(changed(("models", ["bert-base-uncased"]), ("singles.layers", [12, 13])))
    assert found == ["singles.layers: 13 is not a layer of bert-base-uncased (allowed: 1 to 12)"]
    both = changed(("models", ["minilm-l6", "bert-base-uncased"]), ("singles.layers", [12]))
    assert complaints(both) == ["singles.layers: 12 is not a layer of minilm-l6 (allowed: 1 to 6)"]


def test_with_two_models_a_site_that_is_not_kept_is_said_once():
    both = ("models", ["minilm-l6", "bert-base-uncased"])
    found = complaints(changed(both, ("groups.sites", ["intermediate"])))
    assert found == ["groups.sites: 'intermediate' is not among activations.sites"]


def test_a_group_may_hold_all_neurons_of_its_scope_and_no_more():
    pooled = [(f"{part}.sites", ["output", "intermediate"]) for part in ("activations", "groups")]
    per_layer, layers = 384 + 1536, 6
    fits = [("groups.sizes.model", [per_layer * layers]), ("groups.sizes.layer", [per_layer])]
    assert complaints(changed(*pooled, *fits)) == []
    more = [(key, [size + 1]) for key, (size,) in fits]
    assert [line.split(":")[0] for line in complaints(changed(*pooled, *more))] == [
        "groups.sizes.model",
        "groups.sizes.layer",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 0),
        ("models", ["bert-base-uncased", "minilm-l6"]),
        ("singles.layers", [6, 1]),
        ("singles.neurons", 384),
        ("singles.neurons", 1),
        ("groups.sizes.model", [1]),
        ("groups.sizes.layer", [384]),
        ("groups.sizes.layer", GONE),
        ("ascent.rate", 1),
        ("ascent.rate", 0.5),
        ("ascent.lbfgs.memory", 1),
        ("ascent.lbfgs.power", 0),
        ("ascent.stop.tolerance", 0.0003),
        ("ascent.stop.window", 1),
        ("ascent.entries", 1),
        ("ascent.dtype", "float64"),
        ("ascent.snapshot_seconds", 0),
        ("statistics.thresholds", [1]),
        ("statistics.resamples", 100),
        ("catalogue.mine", {"source": "path", "path": "x", "sha256": "0" * 64, "layers": 1}
         | {"family": "bert", "hidden": 1, "intermediate": 1, "words": 1}),
        ("catalogue.bert-base-uncased.sha256", GONE),
        ("catalogue.bert-base-uncased.pickled", True),
        ("missing", {"models": "skip", "words": "skip", "neurons": "skip"}),
    ],
)  # fmt: skip
def test_what_is_just_allowed_passes(key, value):
    assert complaints(changed((key, value))) == []


STUDIES = sorted({path.name for path in (ROOT / "config").glob("*.yaml")} - {"config.schema.yaml"})


#: A shipped config that changes another one.
UPON = {"test-questions.yaml": "test.yaml", "mpnet-basis.yaml": "questions.yaml"}
UPON |= {"mpnet-contexts.yaml": "questions.yaml"}


@pytest.mark.parametrize("name", STUDIES)
def test_the_shipped_settings_are_valid(name):
    below = merged(shipped(), shipped(UPON[name])) if name in UPON else shipped()
    settings = merged(below, shipped(name))
    assert problems(settings, SCHEMA) == []
    assert complaints(settings) == []


@pytest.mark.parametrize("name", STUDIES)
def test_settings_are_merged_here_as_snakemake_merges_them(name):
    update_config = pytest.importorskip("snakemake.utils").update_config
    settings = shipped()
    update_config(settings, shipped(name))
    assert settings == merged(shipped(), shipped(name))


@pytest.mark.parametrize("name", ["tiny-wide", "tiny-deep"])
def test_the_catalogue_of_the_test_study_describes_the_tiny_models(name):
    entry = shipped("test.yaml")["catalogue"][name]
    folder = ROOT / entry["path"]
    weights = (folder / "model.safetensors").read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert entry["sha256"] == hashlib.sha256(weights).hexdigest()
    assert [entry[key] for key in ("layers", "hidden", "intermediate", "words")] == [
        config[f"{key}_size" if key != "num_hidden_layers" else key]
        for key in ("num_hidden_layers", "hidden", "intermediate", "vocab")
    ]


def test_the_order_in_which_settings_were_written_means_nothing():
    settings = {"b": [{"d": 1, "c": [3, 1]}], "a": {"z": None, "y": {"2": 0, "1": 0}}}
    before = copy.deepcopy(settings)
    ordered = in_order(settings)
    assert json.dumps(ordered) == json.dumps(settings, sort_keys=True)
    assert settings == before
    assert list(settings) == ["b", "a"]
    assert list(in_order({"b": 0, 2023: 0, "a": 0})) == [2023, "a", "b"]


HEADER = "word\tcategory\tfrequency_band\n"


def words_file(tmp_path, content):
    path = tmp_path / "words.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_target_words_are_read_in_their_order(tmp_path, mark, end):
    content = mark + HEADER + "river\tnoun\thigh\né\tnoun\tlow\napple\t\t\n"
    path = words_file(tmp_path, content.replace("\n", end).encode())
    assert read_targets(path) == ["river", "é", "apple"]


def test_columns_may_stand_in_any_order_against_others(tmp_path):
    content = "note\tfrequency_band\tword\tcategory\nx\tlow\triver\tnoun\n"
    assert read_targets(words_file(tmp_path, content)) == ["river"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEADER + "b\tn\tl\na\tn\tl\na\tn\tl\nb\tn\tl\nc\tn\tl\n", "lists twice: 'a', 'b'"),
        (HEADER + "a\tn\tl\n\tn\tl\n\tn\tl\n", "has no word in row 3: ''"),
        (HEADER + "a\tn\tl\ntiger \tn\tl\n", "has no word in row 3: 'tiger '"),
        (HEADER + "a\tn\tl\nb\tn\n", "has 2 fields in row 3 (allowed: 3"),
        (HEADER.replace("category", "word"), "needs rows of words below"),
        (HEADER + "a\x00b\tn\tl\n", "no word in row 2"),
        (HEADER, "needs rows of words below the tab-separated header word category"),
        ("", "needs rows of words"),
        ("river\tnoun\thigh\n", "needs rows of words"),
        ("river\tnoun\thigh\napple\tnoun\tlow\n", "header word category frequency_band"),
        ("word\tcategory\nriver\tnoun\n", "header word category frequency_band"),
        ("word,category,frequency_band\nriver,noun,low\n", "separated by commas (allowed: tabs)"),
        ('"word";"category";"frequency_band"\n', "separated by semicolons (allowed: tabs)"),
        ("word category frequency_band\n", "separated by spaces (allowed: tabs)"),
        ((HEADER + "café\tnoun\tlow\n").encode("latin-1"), "line 2: byte 0xe9 is not UTF-8"),
        ((HEADER + "river\tnoun\tlow\n").encode("utf-16"), "is in UTF-16, as Excel's"),
        ((HEADER + "river\tnoun\tlow\n").encode("utf-16-le"), "is in UTF-16, as Excel's"),
        (HEADER + 'a\tn\tl\n"\\""\tn\tl\n', "line 3: quotes of "),
    ],
    ids=[
        "twice",
        "gaps",
        "spaces",
        "fields",
        "columns",
        "nul",
        "no rows",
        "empty",
        "no header",
        "no header, two rows",
    ]
    + [
        "no band",
        "commas",
        "semicolons",
        "blanks",
        "latin-1",
        "utf-16",
        "utf-16 without a mark",
        "quotes",
    ],
)
def test_a_words_file_that_cannot_be_used_is_named_with_its_fault(tmp_path, content, says):
    path = words_file(tmp_path, content)
    with pytest.raises(SettingsError) as error:
        read_targets(path)
    assert str(error.value).startswith(f"words.targets: {path}")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("case", "words", "categories"),
    [
        ("quoted-by-r", ["music", "river", "doctor"], {"noun"}),
        ("quoted-by-excel", ["music", "river"], {"noun, common", "noun"}),
        ("numbers", ["1", "7", "12", "100", "2020", "007"], {"number"}),
        ("look-like-nothing", ["null", "nan", "na", "true", "inf", "none"], {"noun"}),
    ],
)
def test_words_are_read_as_spreadsheets_write_them(case, words, categories):
    rows = read_target_rows(DATA / f"cases/{case}.tsv")
    assert [row["word"] for row in rows] == words
    assert {row["category"] for row in rows} == categories
    assert {row["frequency_band"] for row in rows} <= {"low", "high"}


@pytest.mark.parametrize(
    ("field", "word"), [('"', '"'), ('""""', '"'), ('"5"""', '5"'), ('"z', '"z')]
)
def test_a_quotation_mark_is_a_word_too(tmp_path, field, word):
    assert read_targets(words_file(tmp_path, HEADER + field + "\tsign\tlow\n")) == [word]


def test_both_spellings_of_a_word_are_one_word_given_twice():
    path = DATA / "cases/both-spellings.tsv"
    with pytest.raises(SettingsError, match="lists twice: 'café'$"):
        read_targets(path)


def test_categories_have_one_spelling(tmp_path):
    rows = read_target_rows(words_file(tmp_path, HEADER + "a\te\u0301\tlow\nb\té\tlow\n"))
    assert {row["category"] for row in rows} == {"é"}


def test_rows_are_counted_with_those_that_are_blank(tmp_path):
    with pytest.raises(SettingsError, match="2 fields in row 4"):
        read_targets(words_file(tmp_path, HEADER + "\n\na\tn\n"))


def test_a_field_without_an_end_is_named(tmp_path):
    path = words_file(tmp_path, HEADER + "a" * 200_000 + "\tn\tl\n")
    with pytest.raises(SettingsError, match=r"cannot be read \(field larger"):
        read_targets(path)


def test_whole_numbers_are_whole_however_they_are_written():
    # As parameters of jobs they are compared as written.
    assert repr(in_order({"b": [1001.0, 0.5], "a": 1.0})) == "{'a': 1, 'b': [1001, 0.5]}"


@pytest.mark.parametrize("name", ["nowhere.tsv", "."])
def test_a_words_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(SettingsError, match=r"^words\.targets: .* cannot be read \(.*\)$"):
        read_targets(tmp_path / name)


@pytest.mark.parametrize("path", ["config/words.tsv", "config/words-paper.tsv"])
def test_the_shipped_word_lists_can_be_read(path):
    assert len(read_targets(ROOT / path)) > 20


def test_an_unknown_family_is_told_the_known_ones_and_where_one_is_added():
    (line,) = complaints(changed(("catalogue.minilm-l6.family", "mamba")))
    assert line.startswith(
        "catalogue.minilm-l6.family: 'mamba' is not known (known: albert, bert, "
    )
    assert line.endswith("see docs/families.md") and (ROOT / "docs/families.md").is_file()


@pytest.mark.parametrize("family", [GONE, 7])
def test_a_family_is_a_name(family):
    (line,) = complaints(changed(("catalogue.minilm-l6.family", family)))
    assert "family" in line


def test_a_policy_is_stop_or_skip():
    for key in ("models", "words", "neurons"):
        (line,) = complaints(changed((f"missing.{key}", "warn")))
        assert line == f"missing.{key}: 'warn' is not valid (allowed: one of stop, skip)"


def test_what_a_model_lacks_may_be_skipped_unless_nothing_is_left():
    beyond = [("singles.layers", [2, 7]), ("singles.neurons", 400)]
    beyond += [("groups.sizes", {"model": [25, 9999], "layer": [500]})]
    assert len(complaints(changed(*beyond))) == 4
    skip = ("missing.neurons", "skip")
    assert complaints(changed(*beyond, skip)) == []
    none = [("singles.layers", [7, 8]), ("groups.sizes", {"model": [9999], "layer": []})]
    assert complaints(changed(*none, skip)) == [
        "singles.layers: minilm-l6 has none of these",
        "groups.sizes.model: minilm-l6 has none of these",
    ]


def test_only_a_hubs_revision_stands_in_for_a_checksum_and_only_there_may_weights_be_pickled():
    lacks = complaints(changed(("catalogue.minilm-l6.sha256", GONE)))
    assert lacks == ["catalogue.minilm-l6: lacks sha256"]
    (line,) = complaints(changed(("catalogue.minilm-l6.pickled", True)))
    assert line.startswith("catalogue.minilm-l6: unknown key 'pickled'")
    folder = {"source": "path", "path": "x", "layers": 1, "hidden": 1, "intermediate": 1}
    folder |= {"family": "bert", "words": 1}
    found = complaints(changed(("catalogue.mine", folder | {"pickled": True})))
    assert sorted(line.split("'")[0] for line in found) == [
        "catalogue.mine: lacks sha256",
        "catalogue.mine: unknown key ",
    ]
    on_hub = ("catalogue.bert-base-uncased.pickled", "yes please")
    (line,) = complaints(changed(on_hub))
    assert line == f"{on_hub[0]}: 'yes please' is not valid (allowed: true or false)"


def test_of_several_models_the_one_with_nothing_left_is_named():
    both = ("models", ["minilm-l6", "bert-base-uncased"])
    asked = [both, ("singles.layers", [7, 12]), ("groups.sizes.model", [25, 5000])]
    assert complaints(changed(*asked, ("missing.neurons", "skip"))) == [
        "singles.layers: minilm-l6 has none of these"
    ]
    stopped = complaints(changed(*asked))
    assert len(stopped) == 3 and all("minilm-l6" in line for line in stopped)


def test_the_family_of_a_model_that_is_not_studied_does_not_matter():
    assert complaints(changed(("catalogue.bert-base-uncased.family", "mamba"))) == []


@pytest.mark.parametrize("key", ["models", "words", "neurons"])
def test_what_to_do_about_what_is_missing_must_be_said(key):
    assert complaints(changed((f"missing.{key}", GONE))) == [f"missing: lacks {key}"]
    assert complaints(changed(("missing", GONE))) == ["config: lacks missing"]
    (line,) = complaints(changed(("missing", "skip")))
    assert line == "missing: 'skip' is not valid (allowed: the keys models, words, neurons)"


def test_a_group_size_below_1_is_a_share_of_the_scopes_neurons():
    assert group_sizes([250, 0.5, 0.001, 25], 400) == [1, 25, 200, 250]
    assert group_sizes([500, 0.05, 5], 100) == [5]
    assert complaints(changed(("groups.sizes", {"model": [0.2, 25], "layer": [0.01]}))) == []
