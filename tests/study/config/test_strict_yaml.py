"""YAML files that cannot be meant: each is refused in a line that names the file and where in it."""

import pytest

from study.config.strict_yaml import check_yaml
from textualization.errors import SettingsError

WRONG = {
    "ascent:\n  rate: 1\n  steps: 5\n  rate: 2\n": "line 4: key 'rate' is given twice (first in line 2)",
    "study: a\nwords: {}\nstudy: b\n": "line 3: key 'study' is given twice (first in line 1)",
    "models: [{a: 1, a: 2}]": "line 1: key 'a' is given twice (first in line 1)",
    "a: &x {b: 1, b: 2}\nc: *x\n": "line 1: key 'b' is given twice",
    "words: [a, b\n": "not YAML",
    "ascent:\n\tsteps: 3\n": "line 2: not YAML",
    "a: *nowhere\n": "line 1: not YAML",
    "a: 1\n--- \nb: 2\n": "line 2: not YAML",
    "a: \x07\n": "not YAML",
}


@pytest.mark.parametrize(("text", "says"), WRONG.items())
def test_what_cannot_be_meant_is_refused(tmp_path, text, says):
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"wrong\.yaml") as error:
        check_yaml(tmp_path / "wrong.yaml")
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"study: a\nwords: \xff\n", "line 2: byte 0xff is not UTF-8"),
        ("study: früh\n".encode("latin-1"), "line 1: byte 0xfc is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, content, says):
    if content:
        (tmp_path / "wrong.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"wrong\.yaml") as error:
        check_yaml(tmp_path / "wrong.yaml")
    assert says in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "a: {b: 1}\nc: {b: 1}\n", "a: &x [1, 2]\nb: *x\nc: *x\n", "\ufeffa: 1\n"],
)
def test_what_is_right_passes(tmp_path, text):
    (tmp_path / "right.yaml").write_text(text, encoding="utf-8")
    check_yaml(tmp_path / "right.yaml")


def test_a_list_that_holds_itself_comes_to_an_end(tmp_path):
    (tmp_path / "right.yaml").write_text("a: &x [*x]\n")
    check_yaml(tmp_path / "right.yaml")
