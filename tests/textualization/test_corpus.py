"""The corpus of sentences that comes with the library is what its README says."""

import re
import tomllib
from collections import Counter, defaultdict
from fnmatch import fnmatch
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "src/textualization/corpus"
TEXT = (CORPUS / "sentences.txt").read_bytes().decode("utf-8")
SENTENCES = TEXT.removesuffix("\n").split("\n")
README = " ".join((CORPUS / "README.md").read_text(encoding="utf-8").split())


def spoken(sentence):
    """Words as a reader counts them: "don't", "well-known" and "42" are one each."""
    return re.findall(r"\w+(?:['’-]\w+)*", sentence.lower())


def letters(text):
    return re.findall(r"[^\W\d_]+", text.lower())


WORDS = [spoken(sentence) for sentence in SENTENCES]


def near_duplicates(bags):
    """Find pairs in which all words but two, at most, of the longer one occur in the other."""
    frequency = Counter(word for bag in bags for word in bag)
    # If two words are missing at most, one of the three rarest is shared.
    by_rare_word = defaultdict(set)
    for i, bag in enumerate(bags):
        for word in bag:
            by_rare_word[word].add(i)
    for i, bag in enumerate(bags):
        tokens = sorted(bag.elements(), key=frequency.get)[:3]
        for j in set().union(*(by_rare_word[word] for word in tokens)) - {i}:
            longer = bag.total() >= bags[j].total()
            if longer and (bag - bags[j]).total() <= 2:
                yield i, j


def test_the_file_is_plain_text_with_a_sentence_a_line():
    assert TEXT.endswith("\n") and "\r" not in TEXT and "\t" not in TEXT and "\ufeff" not in TEXT
    assert all(sentence and sentence == " ".join(sentence.split()) for sentence in SENTENCES)


def test_it_is_large_enough_and_no_sentence_is_there_twice():
    assert len(SENTENCES) >= 2800
    assert len({sentence.lower() for sentence in SENTENCES}) == len(SENTENCES)


def test_the_readme_states_the_numbers_of_the_file():
    words = letters(TEXT)
    shortest, longest = min(map(len, WORDS)), max(map(len, WORDS))
    assert f"{len(SENTENCES)} sentences" in README
    assert f"{len(words)} words, {len(set(words))} of them distinct" in README
    assert f"{shortest} to {longest} words" in README


def test_the_sections_are_the_whole_file_without_gaps():
    sections = pd.read_csv(CORPUS / "sections.tsv", sep="\t")
    assert sections.section.is_unique and (sections.last_line - sections.first_line >= 190).all()
    assert sections.first_line.tolist() == [1, *(sections.last_line[:-1] + 1)]
    assert sections.last_line.iloc[-1] == len(SENTENCES)


def test_no_two_sentences_begin_with_the_same_five_words():
    openings = Counter(" ".join(words[:5]) for words in WORDS if len(words) >= 5)
    assert [opening for opening, times in openings.items() if times > 1] == []


def test_no_two_sentences_share_all_but_two_words():
    bags = [Counter(words) for words in WORDS if len(words) >= 5]
    assert [(bags[i], bags[j]) for i, j in near_duplicates(bags)] == []


def test_near_duplicates_are_those_of_all_pairs():
    texts = [
        "a b c d e f",
        "a b c d x y",
        "a b c x y z",
        "g h i j k l m",
        "g h i j k l",
        "g a h b c d",
    ]
    bags = [Counter(text.split()) for text in texts]

    def missing(i, j):
        long, short = sorted((bags[i], bags[j]), key=Counter.total, reverse=True)
        return (long - short).total()

    slow = {frozenset(pair) for pair in combinations(range(len(bags)), 2) if missing(*pair) <= 2}
    assert {frozenset(pair) for pair in near_duplicates(bags)} == slow
    assert frozenset((0, 1)) in slow and frozenset((3, 4)) in slow and frozenset((0, 2)) not in slow


@pytest.mark.parametrize("table", ["words.tsv", "words-60.tsv", "words-paper.tsv"])
def test_every_target_word_occurs_twice(table):
    times = Counter(letters(TEXT))
    targets = pd.read_csv(ROOT / "config" / table, sep="\t", keep_default_na=False).word
    assert [word for word in targets if times[word] < 2] == []


def test_the_corpus_is_installed_with_the_library():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    data = project["tool"]["setuptools"]["package-data"]["textualization"]
    for file in CORPUS.iterdir():
        assert any(fnmatch(f"corpus/{file.name}", pattern) for pattern in data), file.name
