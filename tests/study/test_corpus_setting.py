"""The setting `corpus`: which file it means, and what does not go with it."""

from pathlib import Path

import pytest

from paths import ROOT
from settings import changed, complaints
from study.config.corpus import LIBRARY_CORPUS, corpus_file
from textualization.corpora import check_corpus


def test_null_is_no_file_a_path_is_itself_and_default_is_the_librarys_corpus():
    assert corpus_file(changed(("corpus", None)), ROOT) is None
    assert corpus_file(changed(("corpus", "texts/mine.txt")), ROOT) == Path("texts/mine.txt")
    assert corpus_file(changed(("corpus", "./default")), ROOT) == Path("default")
    library = corpus_file(changed(("corpus", "default")), ROOT)
    assert library == ROOT / LIBRARY_CORPUS
    check_corpus(library)


@pytest.mark.parametrize("value", [None, "default", "a folder/text.txt", "/tmp/Übung.txt"])
def test_a_corpus_is_null_or_a_path(value):
    assert complaints(changed(("corpus", value))) == []


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("read", "cls", "read: word, or corpus: null"),
        ("read", "sep", "read: word, or corpus: null"),
        ("context", "the {} sat", "context: null, or corpus: null"),
    ],
)
def test_sentences_are_read_at_their_own_tokens_and_stand_alone(key, value, allowed):
    (line,) = complaints(changed(("corpus", "default"), (key, value)))
    assert line.startswith("corpus: ") and line.endswith(f"(allowed: {allowed})")
    assert len(line) < 200
    assert complaints(changed((key, value))) == []
    assert complaints(changed(("corpus", "default"), ("seek", "minimum"))) == []
