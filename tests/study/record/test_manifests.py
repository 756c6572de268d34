"""A study's files against their list: whole, changed by a bit, cut short, gone, or too many."""

import hashlib

import pytest

from study.record.manifests import differences, left_over, listed


@pytest.fixture
def study(tmp_path):
    for name in ("claims.csv", "m/tables/a.csv", "m/figures/b.png", "m/logs/c.log"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 50)
    return tmp_path


@pytest.fixture
def files(study):
    return listed(
        study, [study / "m/tables/a.csv", study / "claims.csv", study / "m/figures/b.png"]
    )


def test_files_are_listed_in_order_with_size_and_checksum(study, files):
    assert list(files) == ["claims.csv", "m/figures/b.png", "m/tables/a.csv"]
    content = (study / "claims.csv").read_bytes()
    assert files["claims.csv"] == {"bytes": 500, "sha256": hashlib.sha256(content).hexdigest()}
    assert differences(study, files) == {} and left_over(study, files) == []


def test_every_difference_is_found(study, files):
    content = bytearray((study / "claims.csv").read_bytes())
    content[7] ^= 4
    (study / "claims.csv").write_bytes(content)
    (study / "m/tables/a.csv").unlink()
    (study / "m/figures/b.png").unlink()
    (study / "m/figures/b.png").mkdir()
    assert differences(study, files) == {
        "claims.csv": "changed",
        "m/figures/b.png": "unreadable",
        "m/tables/a.csv": "missing",
    }


def test_what_is_cut_short_has_changed(study, files):
    with (study / "m/tables/a.csv").open("r+b") as file:
        file.truncate(10)
    assert differences(study, files) == {"m/tables/a.csv": "changed"}


def test_what_other_settings_left_is_named_where_only_results_are(study, files):
    (study / "m/tables/old.csv").write_text("")
    (study / "m/logs/old.log").write_text("")
    assert left_over(study, files) == ["m/tables/old.csv"]
