"""Corpora are read as they are, and what is no text is refused by its line."""

import pytest

import textualization as tx
from textualization import corpora
from textualization.corpora import check_corpus, sentences


def written(tmp_path, content: bytes):
    path = tmp_path / "corpus.txt"
    path.write_bytes(content)
    return path


def test_lines_are_read_unchanged_and_empty_ones_keep_their_numbers(tmp_path):
    text = "\ufeff<b>One</b>\r\n\n  \nпривет, 世界 \u2028 still\r inside\nlast"
    path = written(tmp_path, text.encode())
    expected = ["<b>One</b>", "", "  ", "привет, 世界 \u2028 still\r inside", "last"]
    assert list(sentences(path)) == expected and list(sentences(str(path))) == expected
    assert list(sentences(iter(expected))) == expected


def test_a_file_is_read_line_by_line(tmp_path, monkeypatch):
    path = written(tmp_path, b"one\ntwo\nthree")
    reading = sentences(path)
    assert next(reading) == "one"
    path.write_bytes(b"one\n" + b"x" * 20)
    monkeypatch.setattr(corpora, "LONGEST", 10)
    with pytest.raises(tx.RequestError, match=r"corpus.txt, line 2: it is longer than 10 bytes"):
        check_corpus(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"good\nb\xe4d\n", r"line 2: byte 0xe4 is not UTF-8 \(allowed: text saved as UTF-8\)"),
        (b"good\n\nb\x00d\n", "line 3: it has a zero byte"),
        ("good\n".encode("utf-16"), "line 1: it has a zero byte"),
        (b"", "has no sentence"),
        (b"\n \n\t\r\n", "has no sentence"),
    ],
)
def test_what_is_no_text_is_refused_before_any_work(tmp_path, content, says):
    path = written(tmp_path, content)
    with pytest.raises(tx.RequestError, match=f"^corpus: .*corpus.txt.*{says}") as error:
        check_corpus(path)
    assert "\n" not in str(error.value)


def test_what_is_no_corpus_is_refused(tmp_path):
    with pytest.raises(tx.RequestError, match="nowhere.txt cannot be read .No such file"):
        check_corpus(tmp_path / "nowhere.txt")
    with pytest.raises(tx.RequestError, match="is not a file"):
        check_corpus(tmp_path)
    for wrong in (7, b"bytes", None):
        with pytest.raises(tx.RequestError, match="corpus: .* is not valid .allowed: the path of"):
            check_corpus(wrong)
    with pytest.raises(tx.RequestError, match="corpus: item 2, 5, is not a string"):
        list(sentences(["fine", 5]))
    with pytest.raises(tx.RequestError, match="corpus: item 1 has half a character"):
        list(sentences(["\ud800"]))
