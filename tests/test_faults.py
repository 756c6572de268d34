"""Damaged files and full disks: an error that names the file, and in the end the same study."""

import shutil
import subprocess

import pytest

from test_kills import COMMAND, files
from test_workflow import copy_of_the_project, environment, snakemake

pytestmark = pytest.mark.campaign

OF_MODEL = "results/test/tiny-deep"
#: One file of each kind that a job reads of another's, and how it is damaged.
DAMAGES = {
    "results/_models/tiny-deep-*/frozen.safetensors": "bit",
    f"{OF_MODEL}/vocabulary.parquet": "cut",
    f"{OF_MODEL}/candidates.parquet": "bit",
    f"{OF_MODEL}/activations/output.npy": "bit",
    f"{OF_MODEL}/ascent/singles/*.safetensors": "cut",
    f"{OF_MODEL}/groups_embeddings.npy": "cut",
    f"{OF_MODEL}/tables/recovery.csv": "bit",
    f"{OF_MODEL}/atlas.json.gz": "cut",
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = copy_of_the_project(tmp_path_factory.mktemp("undisturbed"))
    snakemake(folder)
    return folder, files(folder)


def in_normal_view(text: str) -> str:
    assert "Traceback" not in text, text[-4000:]
    return text


def damage(path, kind) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if kind == "bit":
        content[middle] ^= 4
    path.write_bytes(content[:middle] if kind == "cut" else content)


@pytest.mark.parametrize(("pattern", "kind"), DAMAGES.items())
def test_a_damaged_file_is_named_and_not_read(undisturbed, tmp_path, pattern, kind):
    whole, _ = undisturbed
    folder = shutil.copytree(whole, tmp_path / "project")
    path = min(folder.glob(pattern))
    damage(path, kind)
    name = str(path.relative_to(folder))
    text = in_normal_view(snakemake(folder, fails=True))
    assert f"not as written (cut short, changed, or by a failing disk): {name}" in text
    assert f"rm {name}, and run snakemake again" in text


def test_after_what_the_message_says_the_study_is_the_same(undisturbed, tmp_path):
    whole, before = undisturbed
    folder = shutil.copytree(whole, tmp_path / "project")
    path = folder / OF_MODEL / "groups.parquet"
    damage(path, "bit")
    snakemake(folder, fails=True)
    path.unlink()
    snakemake(folder)
    assert files(folder) == before


@pytest.fixture
def small_disk(tmp_path):
    """The project, its results on a disk of their own, and a function that sets what it holds (KiB)."""
    folder = copy_of_the_project(tmp_path / "project")
    results = folder / "results"
    results.mkdir()

    def mount(options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(results)], capture_output=True
        )

    if mount("size=64k").returncode:
        pytest.skip("a small disk can be made by root alone")
    yield folder, lambda options: mount(f"remount,{options}").check_returncode()
    subprocess.run(["umount", "--lazy", str(results)], check=True)


def test_a_disk_that_is_full_at_every_stage_says_so_and_the_study_goes_on(undisturbed, small_disk):
    _, whole = undisturbed
    folder, resize = small_disk
    full, size = 0, 64
    while True:
        done = subprocess.run(COMMAND, cwd=folder, env=environment(folder), capture_output=True)
        if not done.returncode:
            break
        text = in_normal_view((done.stdout + done.stderr).decode())
        assert "No space left on device" in text, text[-4000:]
        full, size = full + 1, size * 2
        resize(f"size={size}k")
    assert full >= 5
    assert files(folder) == whole


def test_results_that_cannot_be_written_are_named(small_disk):
    folder, resize = small_disk
    resize("ro")
    text = in_normal_view(snakemake(folder, fails=True))
    assert "Read-only file system" in text and "results" in text
