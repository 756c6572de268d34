"""What counts as a word."""

import json

import numpy as np
import pandas as pd
import pytest
from tokenizers import AddedToken, Tokenizer

import textualization as tx
from make_tiny_families import FAMILIES, SPLIT, write_family
from make_tiny_models import TARGETS
from scripts.model import convert_model, list_vocabulary
from scripts.words import list_targets
from study.targets import reference_words
from textualization.models.vocabulary import (
    CANDIDATES,
    VocabularyError,
    convention,
    vocabulary_table,
    with_candidates,
)

ENTRIES = ["[PAD]", "[unused0]", "[CLS]", "apple", "##ing", "river", "!", "é"]
WORDPIECE = {"model": {"type": "WordPiece"}}
BYTES = {"model": {"type": "BPE"}, "decoder": {"type": "ByteLevel"}}
PIECES = {"model": {"type": "Unigram"}, "decoder": {"type": "Metaspace"}}


def table_of(entries, tokenizer=WORDPIECE, rows=None):
    ids = {entry: row for row, entry in enumerate(entries)}
    return vocabulary_table(tokenizer, ids, len(entries) if rows is None else rows)


def words_of(candidates):
    return with_candidates(table_of(ENTRIES), candidates)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("apple", "word"),
        ("é", "word"),
        ("年", "word"),
        ("!", "word"),
        ("1984", "word"),
        ("[", "word"),
        ("]", "word"),
        ("#", "word"),
        ("##", "word"),  # nothing is continued
        ("a##b", "word"),
        ("unused1", "word"),
        ("[word]", "word"),
        ("[unused]", "word"),
        ("[unused7]s", "word"),
        ("[CLS]s", "word"),
        ("a[CLS]", "word"),
        ("##ing", "wordpiece"),
        ("##!", "wordpiece"),
        ("###", "wordpiece"),
        ("##[CLS]", "wordpiece"),
        ("[unused0]", "unused"),
        ("[unused993]", "unused"),
        ("[CLS]", "special"),
        ("[PAD]", "special"),
        ("[MASK]", "special"),
    ],
)
def test_an_entrys_kind_is_read_from_its_form(entry, expected):
    (row,) = table_of([entry]).itertuples(index=False)
    assert (row.word, row.entry, row.kind) == (entry, entry, expected)


@pytest.mark.parametrize(
    ("candidates", "barred"),
    [
        ("whole_words", {"[PAD]", "[unused0]", "[CLS]", "##ing"}),
        ("with_wordpieces", {"[PAD]", "[unused0]", "[CLS]"}),
        ("all", set()),
    ],
)
def test_candidates_are_what_the_settings_name_says(candidates, barred):
    table = words_of(candidates)
    assert table["word"].tolist() == ENTRIES  # in the order of ids
    assert set(table["word"][~table["candidate"]]) == barred


def test_every_entry_is_a_candidate_of_some_definition_and_definitions_widen():
    narrow, wider, widest = (set(CANDIDATES[key]) for key in CANDIDATES)
    assert narrow < wider < widest
    assert set(table_of(ENTRIES)["kind"]) == widest


# --- other tokenizers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokenizer", "entry", "word", "kind"),
    [
        (BYTES, "Ġapple", "apple", "word"),
        (BYTES, "apple", "##apple", "wordpiece"),
        (BYTES, "ĠÃ©t", "ét", "word"),
        (BYTES, "Ã©", "##é", "wordpiece"),
        (BYTES, "Ã", r"##\xc3", "wordpiece"),
        (BYTES, "Ċ", r"##\n", "wordpiece"),
        (BYTES, "Ġ", "##␣", "wordpiece"),
        (BYTES, "ĠĠ", "##␣␣", "wordpiece"),
        (BYTES, "ĠĠif", "␣if", "word"),
        (BYTES, "Ġ,", ",", "word"),
        (BYTES, "a b", "##a␣b", "wordpiece"),  # not written in bytes
        (PIECES, "▁apple", "apple", "word"),
        (PIECES, "apple", "##apple", "wordpiece"),
        (PIECES, "▁", "##␣", "wordpiece"),
        (PIECES, "▁▁", "##␣␣", "wordpiece"),
        (PIECES, "▁of▁the", "of␣the", "word"),
        (PIECES, "<0x0A>", "##<0x0A>", "wordpiece"),
    ],
)
def test_names_are_readable_and_say_what_begins_a_word(tokenizer, entry, word, kind):
    (row,) = table_of([entry], tokenizer).itertuples(index=False)
    assert (row.word, row.entry, row.kind) == (word, entry, kind)


@pytest.mark.parametrize("tokenizer", [WORDPIECE, BYTES, PIECES])
def test_what_was_added_is_special(tokenizer):
    entries = ["<s>", "  ", "<extra_id_0>", "[unused7]", "[PAD]"]
    added = [{"content": entry} for entry in entries]
    table = table_of(entries, tokenizer | {"added_tokens": added})
    assert table["kind"].tolist() == ["special", "special", "special", "unused", "special"]
    assert table["word"].tolist() == ["<s>", "␣␣", "<extra_id_0>", "[unused7]", "[PAD]"]


@pytest.mark.parametrize("tokenizer", [WORDPIECE, BYTES, PIECES])
def test_a_word_that_was_added_is_a_word_as_written(tokenizer):
    kinds = {"covid": "word", "covid-19": "word", "New York": "word", "😀": "word", "Ab": "word"}
    kinds |= {"  ": "special", "<extra_id_0>": "special", "[CLS]": "special", "[E1]": "special"}
    kinds |= {"<|im_end|>": "special", "|||EMAIL|||": "special", "[unused7]": "unused"}
    added = [{"content": entry, "special": False} for entry in kinds]
    added += [{"content": "START", "special": True}]
    table = table_of([*kinds, "START"], tokenizer | {"added_tokens": added})
    assert table["kind"].tolist() == [*kinds.values(), "special"]
    assert table["word"].tolist() == [entry.replace(" ", "␣") for entry in [*kinds, "START"]]


@pytest.mark.parametrize("tokenizer", [WORDPIECE, BYTES, PIECES])
@pytest.mark.parametrize("special", [True, False, None])
def test_what_stands_around_x_is_special_whatever_the_tokenizer_lists(tokenizer, special):
    entries = {"begin": 0, "[unused0]": 1, "<s>": 2, "end": 3}
    added = [] if special is None else [{"content": e, "special": special} for e in entries]
    table = vocabulary_table(tokenizer | {"added_tokens": added}, entries, 4, (0, 1, 2))
    assert table["kind"].tolist()[:3] == ["special"] * 3
    assert table["word"].tolist()[:3] == ["begin", "[unused0]", "<s>"]
    assert (table["kind"][3] == "special") == bool(special)


@pytest.mark.parametrize("flag", [None, "single_word", "lstrip", "rstrip", "normalized"])
@pytest.mark.parametrize("family", ["bert", "gpt2", "t5", "llama"])
def test_an_added_word_is_a_target_whatever_its_flags(family, flag, tmp_path):
    entry = write_family(tmp_path, family)
    tokenizer, table = tmp_path / "tokenizer.json", tmp_path / "vocabulary.parquet"
    read = Tokenizer.from_file(str(tokenizer))
    row = read.get_vocab_size()
    read.add_tokens([AddedToken("covid", **({flag: True} if flag else {}))])
    read.save(str(tokenizer))
    list_vocabulary.main(str(tokenizer), max(entry["words"], row + 1), str(table))
    marked = with_candidates(pd.read_parquet(table), "whole_words")
    assert marked.loc[row].tolist() == ["covid", "covid", "word", True]
    marked.to_parquet(table)
    out = [str(tmp_path / f"{name}.parquet") for name in ("targets", "requested")]
    list_targets.main(str(table), str(tokenizer), ["covid", "apple"], "stop", *out)
    assert pd.read_parquet(out[0])["id"].tolist()[0] == row


def test_the_entries_around_x_of_a_converted_model_are_no_words(tmp_path):
    entry = write_family(tmp_path, "gpt2")
    contents = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    word = next(e for e in contents["model"]["vocab"] if e == "Ġapple")
    out, table = str(tmp_path / "out.safetensors"), str(tmp_path / "table")
    kinds = []
    for frame in (None, {"before": word}):
        weights = str(tmp_path / "model.safetensors")
        convert_model.main(weights, "gpt2", {"layers": 3}, out, frame)
        list_vocabulary.main(str(tmp_path / "tokenizer.json"), entry["words"], table, out)
        found = pd.read_parquet(table).set_index("entry")["kind"]
        kinds.append((found[word], found["<|endoftext|>"]))
        loaded = tx.load(tmp_path, frame=frame, device="cpu").words.set_index("entry")["kind"]
        assert loaded.equals(found)
    assert kinds == [("word", "special"), ("special", "special")]


@pytest.mark.parametrize("tokenizer", [WORDPIECE, BYTES, PIECES])
def test_names_are_told_apart_and_have_no_blanks(tokenizer):
    dice = np.random.default_rng(0)
    letters = list("Ġ▁#ab Ċ\n\t\u00a0") + ["##", "é"]
    entries = {"".join(dice.choice(letters, dice.integers(1, 6))) for _ in range(3000)}
    table = table_of(sorted(entries), tokenizer)
    assert table["word"].is_unique and table["entry"].is_unique
    assert not table["word"].str.contains(r"\s").any()
    assert (table["word"].str.split().str.len() == 1).all()


def test_of_entries_that_look_alike_the_one_that_begins_a_word_keeps_its_name():
    table = table_of(["ing", "Ġ##ing"], BYTES)
    assert table["word"].tolist() == ["##ing[row0]", "##ing"]
    assert table["kind"].tolist() == ["wordpiece", "word"]


def test_a_name_told_apart_is_not_another_entrys_name():
    entries = ["ing", "Ġ##ing", "Ġ##ing[row0]"]
    table = table_of(entries, BYTES)
    assert table["word"].tolist() == ["##ing[row0][row0]", "##ing", "##ing[row0]"]


@pytest.mark.parametrize("tokenizer", [WORDPIECE, BYTES, PIECES])
def test_an_empty_entry_is_unused_and_has_a_name(tokenizer):
    empty, _ = table_of(["", "a"], tokenizer).itertuples(index=False)
    assert (empty.word, empty.kind) == ("[row0]", "unused")


def test_rows_without_an_entry_are_unused_and_entries_without_a_row_refused():
    table = vocabulary_table(WORDPIECE, {"apple": 0, "river": 3}, 5)
    assert table["kind"].tolist() == ["word", "unused", "unused", "word", "unused"]
    assert table["word"].tolist() == ["apple", "[row1]", "[row2]", "river", "[row4]"]
    with pytest.raises(
        VocabularyError, match="up to id 3, but the model's embedding matrix has 3 rows"
    ):
        vocabulary_table(WORDPIECE, {"apple": 0, "river": 3}, 3)


def test_a_model_with_too_few_rows_is_refused_with_the_tokenizers_file(tmp_path):
    entry = write_family(tmp_path, "bert")
    tokenizer, table = str(tmp_path / "tokenizer.json"), tmp_path / "vocabulary.parquet"
    with pytest.raises(VocabularyError, match=f"^{tokenizer}: the tokenizer has entries up to id"):
        list_vocabulary.main(tokenizer, entry["words"] - 1, str(table))
    assert not table.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_older_tokenizers_that_do_not_name_their_kind_are_read_like_the_newer(family, tmp_path):
    entry = write_family(tmp_path, family)
    newer, older = tmp_path / "tokenizer.json", tmp_path / "older.json"
    contents = json.loads(newer.read_text(encoding="utf-8"))
    del contents["model"]["type"]
    older.write_text(json.dumps(contents), encoding="utf-8")
    tables = []
    for tokenizer in (newer, older):
        list_vocabulary.main(str(tokenizer), entry["words"], str(tmp_path / "table"))
        tables.append(pd.read_parquet(tmp_path / "table"))
    pd.testing.assert_frame_equal(*tables)


def test_a_tokenizer_without_marks_is_refused():
    with pytest.raises(VocabularyError, match="'WordLevel' .* is not known"):
        convention({"model": {"type": "WordLevel"}, "pre_tokenizer": {"type": "Whitespace"}})


@pytest.mark.parametrize("family", FAMILIES)
def test_words_of_every_family_are_found_by_the_same_names(family, tmp_path):
    entry = write_family(tmp_path, family)
    tokenizer, vocabulary = tmp_path / "tokenizer.json", tmp_path / "vocabulary.parquet"
    list_vocabulary.main(str(tokenizer), entry["words"], str(vocabulary))
    table = pd.read_parquet(vocabulary)
    assert len(table) == entry["words"] and table["word"].is_unique
    marked = tmp_path / "candidates.parquet"
    with_candidates(table, "whole_words").to_parquet(marked)

    def listed(words, missing):
        out = [str(tmp_path / f"{name}.parquet") for name in ("targets", "requested")]
        list_targets.main(str(marked), str(tokenizer), words, missing, *out)
        return [pd.read_parquet(path) for path in out]

    targets, requested = listed(TARGETS, "skip")
    expected = TARGETS[:-1] if family in SPLIT else TARGETS
    assert targets["word"].tolist() == expected and requested["word"].tolist() == TARGETS
    assert (table["word"][targets["id"]].to_numpy() == targets["word"]).all()
    assert set(table["entry"][targets["id"]]) == {
        mark + word
        for word in expected
        for mark in ("", "Ġ", "▁")
        if mark + word in set(table["entry"][targets["id"]])
    }
    assert ((requested["tokens"] == 1) == requested["used"]).all()
    with pytest.raises(VocabularyError, match="not one entry .*'nonesuchword'"):
        listed(["apple", "nonesuchword"], "stop")
    with pytest.raises(VocabularyError, match="none of the words"):
        listed(["nonesuchword"], "skip")


def test_a_target_that_is_an_entry_only_behind_another_piece_is_not_used(tmp_path):
    entry = write_family(tmp_path, "gpt2")
    tokenizer = tmp_path / "tokenizer.json"
    contents = json.loads(tokenizer.read_text(encoding="utf-8"))
    model = contents["model"]
    made = ["tig", "tige", "tiger"]
    model["vocab"] |= {piece: len(model["vocab"]) + i for i, piece in enumerate(made)}
    # Before all others, so that the mark of the word's beginning stays by itself.
    first = [["t", "i"], ["ti", "g"], ["tig", "e"], ["tige", "r"]]
    model["merges"] = first + [pair for pair in model["merges"] if pair not in first]
    tokenizer.write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")
    table, marked = (str(tmp_path / f"{name}.parquet") for name in ("vocabulary", "candidates"))
    list_vocabulary.main(str(tokenizer), entry["words"] + len(made), table)
    with_candidates(pd.read_parquet(table), "all").to_parquet(marked)
    targets, requested = (str(tmp_path / f"{name}.parquet") for name in ("targets", "requested"))
    list_targets.main(marked, str(tokenizer), ["apple", "tiger"], "skip", targets, requested)
    row = pd.read_parquet(requested).set_index("word").loc["tiger"]
    assert (row["id"], row["tokens"], row["pieces"]) == (-1, 2, "##␣ ##tiger")
    assert not row["used"]
    assert pd.read_parquet(targets)["word"].tolist() == ["apple"]
    with pytest.raises(VocabularyError, match=r"'tiger' \(##␣ ##tiger\)"):
        list_targets.main(marked, str(tokenizer), ["apple", "tiger"], "stop", targets, requested)


CANDIDATE = np.random.default_rng(0).random(60) < 0.5


@pytest.mark.parametrize("count", [0, 1, 7, 1000, "all"])
def test_reference_words_are_so_many_candidates_in_the_order_of_ids(count):
    every = np.flatnonzero(CANDIDATE).tolist()
    found = reference_words(CANDIDATE, count, 7).tolist()
    assert found == sorted(set(found))
    assert set(found) <= set(every)
    assert len(found) == (len(every) if count == "all" else min(count, len(every)))


def test_reference_words_follow_the_seed_and_a_larger_sample_keeps_the_smaller():
    found = [set(reference_words(CANDIDATE, count, 7)) for count in (5, 12, "all")]
    assert found[0] < found[1] < found[2]
    assert found[0] == set(reference_words(CANDIDATE, 5, 7))
    assert found[0] != set(reference_words(CANDIDATE, 5, 8))


def test_every_candidate_is_a_reference_word_equally_often():
    table = words_of("with_wordpieces")
    draws = [reference_words(table["candidate"], 2, seed) for seed in range(600)]
    counts = np.bincount(np.concatenate(draws), minlength=len(ENTRIES))
    assert (counts[~table["candidate"]] == 0).all()
    # Binomial: 240 expected of each, deviation 12.
    assert np.abs(counts[table["candidate"]] - 240).max() < 5 * 12
