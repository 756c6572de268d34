"""Files and their checksums: any change is found and named, and what was never recorded passes."""

import shutil
import subprocess

import pytest

from study.record import checksums
from study.record.checksums import DamagedError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a table.csv"
    path.write_bytes(b"word,value\nmusic,1\n")
    checksums.record([path])
    return path


def test_what_is_as_written_passes_and_so_does_what_was_never_recorded(file, tmp_path):
    (tmp_path / "other").write_text("other")
    checksums.check([file, tmp_path / "other"])


@pytest.mark.parametrize("place", [0, 9, 18])
def test_every_bit_counts(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=f"rm {file}"):
        checksums.check([file])


@pytest.mark.parametrize("content", [b"", b"word,value\n", b"word,value\nmusic,1\n\n"])
def test_what_is_cut_short_or_grew_is_named(file, content, tmp_path):
    file.write_bytes(content)
    (tmp_path / "whole").write_text("whole")
    with pytest.raises(DamagedError) as error:
        checksums.check([tmp_path / "whole", file])
    assert str(file) in str(error.value) and "whole" not in str(error.value)


def test_what_is_written_anew_is_recorded_anew(file):
    checksums.forget([file])
    file.write_text("new")
    checksums.check([file])
    checksums.record([file])
    checksums.check([file])


def test_the_standards_tool_reads_the_record(file):
    command = ["sha256sum", "--check", f".sha256/{file.name}"]
    assert subprocess.run(command, cwd=file.parent, capture_output=True).returncode == 0
    file.write_text("changed")
    assert subprocess.run(command, cwd=file.parent, capture_output=True).returncode == 1


def test_a_link_that_leads_elsewhere_is_another_file(file, tmp_path):
    (tmp_path / "cache").mkdir()
    kept = tmp_path / "cache/3fb1"
    shutil.move(file, kept)
    file.symlink_to(kept)
    kept.write_text("of other settings")
    assert not checksums.has_record(file)
    checksums.check([file])
    checksums.record([file])
    kept.write_text("changed")
    with pytest.raises(DamagedError):
        checksums.check([file])


def test_records_move_with_their_folder(file, tmp_path):
    moved = shutil.move(tmp_path, tmp_path.with_name("moved"))
    checksums.check([f"{moved}/{file.name}"])
    assert checksums.has_record(f"{moved}/{file.name}")
