"""What counts as a word."""

import numpy as np
import pytest

from textualization.vocabulary import (
    CANDIDATES,
    VocabularyError,
    kind,
    reference_words,
    target_ids,
    vocabulary_table,
    with_candidates,
)

ENTRIES = ["[PAD]", "[unused0]", "[CLS]", "apple", "##ing", "river", "!", "é"]


def words_of(candidates):
    return with_candidates(vocabulary_table(ENTRIES), candidates)


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
    assert kind(entry) == expected


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
    assert {kind(entry) for entry in ENTRIES} == widest


def test_targets_become_their_ids_in_the_order_given():
    table = words_of("whole_words")
    ids = target_ids(table, ["river", "apple", "é"])
    assert ids == [5, 3, 7]
    assert all(type(i) is int for i in ids)
    assert target_ids(table, []) == []


def test_every_target_that_is_no_entry_is_named():
    table = words_of("all")
    with pytest.raises(VocabularyError) as error:
        target_ids(table, ["apple", "Apple", "icecream", "river "])
    assert "'Apple', 'icecream', 'river '" in str(error.value)
    assert "'apple'" not in str(error.value)


def test_every_target_that_is_no_candidate_is_named():
    with pytest.raises(VocabularyError, match=r"not candidates .*: '##ing', '\[CLS\]'$"):
        target_ids(words_of("whole_words"), ["##ing", "apple", "[CLS]"])
    assert target_ids(words_of("with_wordpieces"), ["##ing"]) == [4]


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
