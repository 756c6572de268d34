"""Wrong settings, through the Snakefile: each is refused in a line before any job, and in seconds."""

import pytest
import yaml

from settings import WRONG, complaints, merged, shipped
from workflow import copy_of_the_project, snakemake

pytestmark = pytest.mark.campaign


def overlay_of(key: str, text: str) -> dict:
    """A configuration file that sets one key."""
    value = yaml.safe_load(text) if isinstance(text, str) else text
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


# Snakemake merges mappings: those wrong ones that this makes right are left out.
REFUSED = [
    (case[0], overlay, lines)
    for case in WRONG
    if (lines := complaints(merged(shipped(), overlay := overlay_of(case[0], case[1]))))
]
PARTS = 6


def test_there_are_enough():
    assert len(REFUSED) >= 120


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_of_the_project(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize("part", range(PARTS))
def test_a_wrong_setting_is_refused_before_any_job(project, part):
    for key, overlay, lines in REFUSED[part::PARTS]:
        file = project / f"wrong-{part}.yaml"
        file.write_text(yaml.safe_dump(overlay, allow_unicode=True), encoding="utf-8")
        text = snakemake(project, overlay=str(file), fails=True)
        assert "The settings cannot be used." in text, key
        for line in lines:
            assert line in text, (key, line)
        assert "Traceback" not in text and "Building DAG" not in text, key
    assert not (project / "results").exists()


@pytest.mark.parametrize("content", [b"words: [a, b", b"ascent:\n  steps: 5\n bad: 3\n"])
def test_a_file_that_is_no_yaml_is_refused(project, content):
    (project / "broken.yaml").write_bytes(content)
    text = snakemake(project, overlay="broken.yaml", fails=True)
    assert "not valid JSON or YAML" in text and "Traceback" not in text


def test_a_key_given_twice_is_refused(project):
    (project / "twice.yaml").write_text("study: one\nstudy: two\n")
    text = snakemake(project, overlay="twice.yaml", fails=True)
    assert "twice.yaml, line 2: key 'study' is given twice (first in line 1)" in text
    assert "Traceback" not in text and "Building DAG" not in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\nwords: [a, b\n", "not YAML"),
        (b"\n# \xff\n", "byte 0xff is not UTF-8"),
        (b"\nseed: 1\n", "key 'seed' is given twice"),
    ],
)
def test_a_fault_in_the_default_study_is_named_with_its_line(tmp_path, content, says):
    folder = copy_of_the_project(tmp_path)
    with (folder / "config/config.yaml").open("ab") as file:
        file.write(content)
    text = snakemake(folder, fails=True)
    assert "config/config.yaml, line " in text and says in text
    assert "Traceback" not in text and "Building DAG" not in text
