"""The settings `corpus` and `texts`: which file is meant, and what does not go with them."""

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
    ("text", "none"), [(("corpus", "default"), "null"), (("texts.tokens", [1, 4]), "[]")]
)
@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("read", "cls", "read: word"),
        ("read", "sep", "read: word"),
        ("context", "the {} sat", "context: null"),
    ],
)
def test_texts_are_read_at_their_own_tokens_and_stand_alone(text, none, key, value, allowed):
    (line,) = complaints(changed(text, (key, value)))
    assert line.startswith(f"{text[0]}: ")
    assert line.endswith(f"(allowed: {allowed}, or {text[0]}: {none})")
    assert len(line) < 200
    assert complaints(changed((key, value))) == []
    assert complaints(changed(text, ("seek", "minimum"))) == []
