"""Contexts are read in their order, faults are told by line, and the shipped ones are complete."""

import subprocess
import sys
from collections import Counter

import pytest

from paths import ROOT
from study.config.settings import SettingsError
from study.experiments.context_table import Context, read_contexts

SHIPPED = ROOT / "config/contexts.tsv"
HEADER = "kind\titem\tlabel\tword\tsentence\n"
RIVER = "sense\tbank\triver\tbank\tthe {} of the stream\n"
MONEY = "sense\tbank\tmoney\tbank\tmoney in the {}\n"
PHRASE = "phrase\thot dog\tfixed\thot dog\t{}\n"
GOOD = HEADER + RIVER + MONEY


def contexts_file(tmp_path, content):
    path = tmp_path / "contexts.tsv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def complaints(path):
    with pytest.raises(SettingsError) as error:
        read_contexts(path)
    return str(error.value).splitlines()


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_contexts_are_read_in_their_order(tmp_path, mark, end):
    content = mark + GOOD + "\n" + PHRASE
    assert read_contexts(contexts_file(tmp_path, content.replace("\n", end))) == [
        Context("sense", "bank", "river", "bank", "the bank of the stream", 4, 8),
        Context("sense", "bank", "money", "bank", "money in the bank", 13, 17),
        Context("phrase", "hot dog", "fixed", "hot dog", "hot dog", 0, 7),
    ]


def test_a_row_of_several_words_is_a_sentence_per_word(tmp_path):
    content = (
        "pattern\tnumber\tsingular\tdog|mouse\tone {} sleeps\n"
        "pattern\tnumber\tplural\tdogs|mice\ttwo {} sleep\n"
    )
    found = read_contexts(contexts_file(tmp_path, HEADER + content))
    assert [(c.label, c.word, c.sentence) for c in found] == [
        ("singular", "dog", "one dog sleeps"),
        ("singular", "mouse", "one mouse sleeps"),
        ("plural", "dogs", "two dogs sleep"),
        ("plural", "mice", "two mice sleep"),
    ]
    assert [(c.start, c.end) for c in found] == [(4, 7), (4, 9), (4, 8), (4, 8)]


def test_a_word_is_found_where_its_place_was_not_where_it_comes_first(tmp_path):
    content = "phrase\tso so\tfixed\tso\tso good and so {} é\n"
    (context,) = read_contexts(contexts_file(tmp_path, HEADER + content))
    assert context.sentence == "so good and so so é"
    assert (context.start, context.end) == (15, 17)


def test_quotes_mean_nothing(tmp_path):
    content = 'phrase\tx\ty\t"z\tthe {} "here\n'
    (context,) = read_contexts(contexts_file(tmp_path, HEADER + content))
    assert (context.word, context.sentence) == ('"z', 'the "z "here')


FIELDS = "(allowed: 5, kind item label word sentence)"
WORDS = "is empty or has spaces around it (allowed: a word, or several words separated by |)"
# (the rows below the good ones, which are lines 2 and 3, and what line 4 is told).
WRONG = {
    "a field too few": ("phrase\tred car\tx\tred car\n", f"4 tab-separated fields {FIELDS}"),
    "a field too many": (PHRASE[:-1] + "\tx\n", f"6 tab-separated fields {FIELDS}"),
    "spaces for tabs": ("phrase x y z {}\n", f"1 tab-separated fields {FIELDS}"),
    "no kind": ("\tx\ty\tz\tthe {}\n", f"lacks kind {FIELDS}"),
    "no item": ("phrase\t\ty\tz\tthe {}\n", f"lacks item {FIELDS}"),
    "no label": ("phrase\tx\t\tz\tthe {}\n", f"lacks label {FIELDS}"),
    "no sentence": ("phrase\tx\ty\tz\t\n", f"lacks sentence {FIELDS}"),
    "little": ("phrase\t\t\tz\t\n", f"lacks item, label, sentence {FIELDS}"),
    "kind": (
        "senses\tx\ty\tz\tthe {}\n",
        "'senses' is not a kind of context (allowed: one of sense, phrase, pattern)",
    ),
    "no place": (
        "phrase\tx\ty\tz\tthe z\n",
        "'the z' has 0 places for the word (allowed: {} exactly once)",
    ),
    "two places": (
        "phrase\tx\ty\tz\t{} {}\n",
        "'{} {}' has 2 places for the word (allowed: {} exactly once)",
    ),
    "no word": ("phrase\tx\ty\t\tthe {}\n", f"the word '' of '' {WORDS}"),
    "a gap": ("phrase\tx\ty\ta||b\tthe {}\n", f"the word '' of 'a||b' {WORDS}"),
    "gaps at the ends": ("phrase\tx\ty\t|a|\tthe {}\n", f"the word '' of '|a|' {WORDS}"),
    "spaces": ("phrase\tx\ty\ta| b\tthe {}\n", f"the word ' b' of 'a| b' {WORDS}"),
    "a space alone": ("phrase\tx\ty\t \tthe {}\n", f"the word ' ' of ' ' {WORDS}"),
    "the same row": (
        RIVER,
        "'the bank of the stream' is the same context as in line 2 (allowed: every context once)",
    ),
    "the same word": (
        "phrase\tx\ty\ta|a\tthe {}\n",
        "'the a' is the same context as in line 4 (allowed: every context once)",
    ),
    "a lonely sense": (
        "sense\tbat\tanimal\tbat\tthe {}\nsense\tbat\tanimal\tbat\ta {}\n",
        "sense 'bat' has 1 label: animal (allowed: exactly two labels)",
    ),
    "a lonely pattern": (
        "pattern\tbank\tx\ty\tthe {}\n",
        "pattern 'bank' has 1 label: x (allowed: exactly two labels)",
    ),
    "three labels": (
        "".join(f"pattern\ttense\t{label}\ty\tthe {{}}\n" for label in ("x", "y", "z")),
        "pattern 'tense' has 3 labels: x, y, z (allowed: exactly two labels)",
    ),
}


@pytest.mark.parametrize(("rows", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_named_with_its_file_line_and_fault(tmp_path, rows, says):
    path = contexts_file(tmp_path, GOOD + rows)
    assert complaints(path) == [f"words.contexts: {path}, line 4: {says}"]


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(tmp_path):
    rows = "\nsens\tx\ty\t\tthe z\n" + RIVER + "sense\tbat\tsport\tbat\tthe {}\nphrase\n"
    path = contexts_file(tmp_path, GOOD + rows)
    found = [line.removeprefix(f"words.contexts: {path}, line ") for line in complaints(path)]
    assert [line.partition(":")[0] for line in found] == ["5", "5", "5", "6", "7", "8"]


def test_a_faulty_row_still_counts_as_its_label(tmp_path):
    path = contexts_file(tmp_path, HEADER + RIVER + MONEY.replace("{}", "bank"))
    (line,) = complaints(path)
    assert "line 3: 'money in the bank' has 0 places" in line


def test_the_same_sentence_may_stand_for_different_words_or_items(tmp_path):
    rows = "phrase\tx\ty\ta\t{} a\nphrase\tx\ty\ta\ta {}\nphrase\tz\ty\ta\ta {}\n"
    found = read_contexts(contexts_file(tmp_path, HEADER + rows))
    assert [c.sentence for c in found] == ["a a"] * 3


@pytest.mark.parametrize(
    ("content", "line", "header"),
    [
        ("", 1, "missing"),
        ("\n\n", 1, "missing"),
        (RIVER + MONEY, 1, "sense bank river bank the {} of the stream"),
        (GOOD.replace("\tword", ""), 1, "kind item label sentence"),
        ("\n" + GOOD.replace("item\tlabel", "label\titem"), 2, "kind label item word sentence"),
    ],
    ids=["empty", "blank", "none", "a column too few", "another order"],
)
def test_a_wrong_header_is_told_the_right_one(tmp_path, content, line, header):
    path = contexts_file(tmp_path, content)
    assert complaints(path) == [
        f"words.contexts: {path}, line {line}: the header is {header!r} "
        "(allowed: tab-separated kind item label word sentence)"
    ]


@pytest.mark.parametrize("content", [HEADER, HEADER[:-1], HEADER + "\n\n"])
def test_a_file_without_contexts_is_named(tmp_path, content):
    path = contexts_file(tmp_path, content)
    assert complaints(path) == [
        f"words.contexts: {path}, line 1: no contexts below the header (allowed: one or more)"
    ]


@pytest.mark.parametrize("name", ["nowhere.tsv", "."])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    (line,) = complaints(tmp_path / name)
    assert line.startswith(f"words.contexts: {tmp_path / name} cannot be read (")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            (GOOD + "phrase\tcafé\tx\tcafé\t{}\n").encode("latin-1"),
            ", line 4: byte 0xe9 is not UTF-8",
        ),
        (GOOD.encode("utf-16"), " is in UTF-16"),
        (GOOD.replace("\t", ",").encode(), " is separated by commas (allowed: tabs)"),
        ((GOOD + 'phrase\tx\ty\tz\t"a "b" {}"\n').encode(), ", line 4: quotes of "),
    ],
    ids=["latin-1", "utf-16", "commas", "quotes"],
)
def test_a_file_that_is_no_tab_separated_utf8_is_named(tmp_path, content, says):
    path = contexts_file(tmp_path, content)
    (line,) = complaints(path)
    assert line.startswith(f"words.contexts: {path}{says}")


def test_quotes_around_fields_are_none_of_their_text(tmp_path):
    rows = [line.split("\t") for line in (GOOD + PHRASE).splitlines()]
    quoted = "".join("\t".join(f'"{field}"' for field in row) + "\n" for row in rows)
    read = [read_contexts(contexts_file(tmp_path, text)) for text in (quoted, GOOD + PHRASE)]
    assert read[0] == read[1]


def test_the_spellings_of_an_accent_are_one(tmp_path, caplog):
    rows = "phrase\tx\ty\tcafe\u0301\tthe {} e\u0301\n"
    with caplog.at_level("INFO"):
        (context,) = read_contexts(contexts_file(tmp_path, HEADER + rows))
    assert (context.word, context.sentence) == ("café", "the café é")
    assert context.sentence[context.start : context.end] == "café"
    assert "line 2: read in composed Unicode" in caplog.text
    twice = contexts_file(tmp_path, HEADER + rows + "phrase\tx\ty\tcafé\tthe {} é\n")
    assert "is the same context as in line 2" in complaints(twice)[0]


def test_reading_contexts_imports_nothing_heavy():
    code = (
        "import sys, study.experiments.context_table\n"
        "print({'numpy', 'pandas', 'torch', 'tokenizers'} & set(sys.modules))"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT / "src", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture(scope="module")
def shipped():
    return read_contexts(SHIPPED)


def by_label(contexts, kind):
    """{item: {label: its contexts}}."""
    found = {}
    for c in contexts:
        if c.kind == kind:
            found.setdefault(c.item, {}).setdefault(c.label, []).append(c)
    return found


def test_the_shipped_contexts_are_plain_sentences_around_their_words(shipped):
    for c in shipped:
        assert c.sentence[c.start : c.end] == c.word
        assert c.sentence == " ".join(c.sentence.split())
        assert c.sentence.isascii() and c.sentence.replace(" ", "").isalpha()
        assert c.sentence.islower()
        if c.kind != "phrase":
            assert 6 <= len(c.sentence.split()) <= 14
            assert f" {c.word} " in f" {c.sentence} "


def test_the_shipped_senses_are_words_in_three_sentences_per_sense(shipped):
    senses = by_label(shipped, "sense")
    assert len(senses) >= 40
    for item, labels in senses.items():
        assert len(labels) == 2
        for contexts in labels.values():
            assert len(contexts) >= 3
            assert {c.word for c in contexts} == {item}
            assert all(c.sentence.split().count(item) == 1 for c in contexts)
            places = {c.sentence.split().index(item) for c in contexts}
            assert len(places) == len(contexts)


def test_no_shipped_sentence_stands_for_two_senses(shipped):
    sentences = Counter(c.sentence for c in shipped if c.kind == "sense")
    assert set(sentences.values()) == {1}


def test_the_shipped_phrases_are_twelve_of_each_label(shipped):
    phrases = [c for c in shipped if c.kind == "phrase"]
    assert Counter(c.label for c in phrases) == {"compositional": 12, "fixed": 12}
    for c in phrases:
        assert c.item == c.word == c.sentence
        assert len(c.word.split()) == 2


# The labels of an item, and how many words of a sentence differ between them (none: one is added).
PATTERNS = {
    "number": (["singular", "plural"], {2, 3}),
    "tense": (["present", "past"], {2}),
    "negation": (["affirmative", "negated"], set()),
    "agreement": (["agreeing", "violating"], {1}),
}


@pytest.mark.parametrize("item", PATTERNS)
def test_the_shipped_patterns_are_minimal_pairs(shipped, item):
    names, changes = PATTERNS[item]
    labels = by_label(shipped, "pattern")[item]
    assert list(labels) == names
    for a, b in zip(*labels.values(), strict=True):
        assert (a.word == b.word) == (item in ("negation", "agreement"))
        assert a.word[0] == b.word[0] or (a.word, b.word) == ("goes", "went")
        one, other = a.sentence.split(), b.sentence.split()
        if item == "negation":
            unsaid = [b.sentence.replace(no, yes) for no, yes in (("not ", ""), ("no ", "a "))]
            assert a.sentence in unsaid and a.sentence != b.sentence
        else:
            assert one.index(a.word) == other.index(b.word)
            assert sum(x != y for x, y in zip(one, other, strict=True)) in changes


def test_the_shipped_patterns_are_the_known_ones(shipped):
    assert set(by_label(shipped, "pattern")) == set(PATTERNS)


def test_the_shipped_templates_have_six_words_each(shipped):
    for labels in by_label(shipped, "pattern").values():
        for contexts in labels.values():
            templates = Counter(c.sentence[: c.start] + c.sentence[c.end :] for c in contexts)
            assert list(templates.values()) == [6] * 4
            assert len({c.sentence for c in contexts}) == 24
