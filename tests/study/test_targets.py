"""Which entry a target word is: by its spelling, or else as the tokenizer reads it."""

from types import SimpleNamespace

import pandas as pd
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from paths import DATA
from scripts.words import list_targets
from study.config.settings import read_target_rows
from study.targets import check_targets, described_targets, find_targets
from textualization.models.vocabulary import (
    VocabularyError,
    WordLookup,
    vocabulary_table,
    with_candidates,
)

ENTRIES = ["[PAD]", "[unused0]", "[CLS]", "apple", "##ing", "river", "!", "é"]


class Tokens:
    """A tokenizer that makes of each word, after another one, the given ids."""

    def __init__(self, tokens):
        self.tokens = {"the": [0]} | {f"the {word}": [0, *ids] for word, ids in tokens.items()}

    def encode(self, text, add_special_tokens):
        assert not add_special_tokens
        return SimpleNamespace(ids=self.tokens[text])


def words_of(candidates, entries=ENTRIES):
    ids = {entry: row for row, entry in enumerate(entries)}
    table = vocabulary_table({"model": {"type": "WordPiece"}}, ids, len(entries))
    return with_candidates(table, candidates)


def targets_of(candidates, **tokens):
    return find_targets(list(tokens), words_of(candidates), Tokens(tokens))


def test_targets_become_their_ids_in_the_order_given():
    found = targets_of("whole_words", river=[5], apple=[3], é=[7])
    assert found["id"].tolist() == [5, 3, 7] and found["used"].all()
    assert found["read_as"].tolist() == ["river", "apple", "é"]
    check_targets(found)
    assert not len(targets_of("whole_words"))


def test_a_target_that_is_several_entries_is_named_with_them():
    found = targets_of("all", apple=[3], rivering=[5, 4], Xyz=[2])
    assert found["used"].tolist() == [True, False, False]
    assert found["tokens"].tolist() == [1, 2, 1]
    assert found["pieces"].tolist() == ["apple", "river ##ing", "[CLS]"]
    with pytest.raises(VocabularyError) as error:
        check_targets(found)
    assert "'rivering' (river ##ing), 'Xyz' ([CLS]); set missing.words: skip" in str(error.value)
    assert "'apple'" not in str(error.value)


def test_every_target_that_is_no_candidate_is_named():
    tokens = {"##ing": [4], "apple": [3], "[CLS]": [2]}
    with pytest.raises(VocabularyError, match=r"not candidates .*: '##ing', '\[CLS\]'$"):
        check_targets(targets_of("whole_words", **tokens))
    found = targets_of("with_wordpieces", **{"##ing": [4]})
    assert found["used"].all() and found["id"].tolist() == [4]


def test_an_accent_may_be_spelt_in_either_way():
    found = find_targets(["e\u0301"], words_of("whole_words"), Tokens({"é": [1]}))
    assert found[["id", "read_as", "used"]].iloc[0].tolist() == [7, "é", True]
    only, both = (words_of("all", entries) for entries in (["a", "e\u0301"], ["e\u0301", "é"]))
    for word in ("é", "e\u0301"):
        assert WordLookup(only).find(word) == WordLookup(both).find(word) == 1


def test_a_word_that_is_no_entry_is_the_one_that_the_tokenizer_makes_of_it():
    found = targets_of("whole_words", Âpple=[3], River=[5])
    assert found["read_as"].tolist() == ["apple", "river"] and found["used"].all()
    check_targets(found)
    # Not so a piece, a special entry, or several.
    found = targets_of("all", ing=[4], Xyz=[2], Apples=[3, 4])
    assert found["id"].tolist() == [-1] * 3 and found["read_as"].tolist() == [""] * 3


def test_of_words_that_are_read_as_one_the_one_spelt_like_it_is_used_or_all_are_refused():
    found = targets_of("whole_words", Apple=[3], river=[5], apple=[3])
    assert found["used"].tolist() == [False, True, True]
    with pytest.raises(VocabularyError) as error:
        check_targets(found)
    assert "as one entry: 'Apple' (apple), 'apple' (apple); set missing.words" in str(error.value)
    assert targets_of("whole_words", Apple=[3], APPLE=[3])["used"].tolist() == [True, False]


def test_targets_keep_what_their_list_says_of_them():
    rows = [
        {"word": word, "category": category, "frequency_band": "low"}
        for word, category in (("Apple", "1"), ("x", ""))
    ]
    found = described_targets(pd.DataFrame({"word": ["apple"], "listed": ["Apple"]}), rows)
    assert found.to_dict("records") == [rows[0] | {"word": "apple"}]


@pytest.mark.parametrize("strips", [True, False], ids=["strips accents", "keeps accents"])
def test_a_list_in_decomposed_unicode_is_read_as_the_tokenizer_reads_it(tmp_path, caplog, strips):
    words = [row["word"] for row in read_target_rows(DATA / "cases/decomposed.tsv")]
    assert words[0] == "cafe\u0301"
    expected = ["cafe", "naive", "uber"] if strips else ["café", "naïve", "über"]
    expected.append("piano")
    entries = ["[UNK]", "the", *expected]
    tokenizer = Tokenizer(WordPiece({e: i for i, e in enumerate(entries)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(strip_accents=strips)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    words_of("whole_words", entries).to_parquet(tmp_path / "marked")
    paths = [str(tmp_path / n) for n in ("marked", "tokenizer.json", "targets", "requested")]
    with caplog.at_level("INFO"):
        list_targets.main(*paths[:2], words, "stop", *paths[2:])
    targets, requested = (pd.read_parquet(path) for path in paths[2:])
    assert targets["word"].tolist() == requested["read_as"].tolist() == expected
    assert targets["listed"].tolist() == requested["word"].tolist() == words
    # Two that look alike are told apart by the codes of their letters.
    said = "'cafe\u0301' is read as 'cafe'" if strips else r"'cafe\u0301' is read as 'caf\xe9'"
    assert said in caplog.text and "piano" not in caplog.text
