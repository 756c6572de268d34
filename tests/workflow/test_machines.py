"""The machines of users: homes that cannot be written, clocks that were wrong, other locales."""

import os
import shutil
import subprocess
import time

import pytest

from workflow import COMMAND, copy_of_the_project, environment, snakemake

pytestmark = pytest.mark.workflow


@pytest.fixture
def project(tmp_path):
    return copy_of_the_project(tmp_path)


def test_a_home_that_cannot_be_written_is_not_needed(project):
    # Root may write everywhere, but in no folder below a file.
    variables = environment(project, HOME="/dev/null")
    del variables["XDG_CACHE_HOME"]
    figure = "results/test/tiny-deep/vocabulary.parquet"
    command = [*COMMAND, "--", figure]
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True)
    assert not done.returncode, done.stderr[-4000:]
    assert (project / figure).is_file() and "Traceback" not in done.stderr


def test_inputs_and_results_of_the_future_delete_no_finished_job(project):
    made = "results/test/tiny-deep/vocabulary.parquet"
    fetched = "results/_models/tiny-deep-*/tokenizer.json"
    snakemake(project, made)
    [tokenizer] = project.glob(fetched)
    later = time.time() + 3600
    sources = ["src/study/job.py", "tests/data/tiny-deep/config.json", "tests/data/words.tsv"]
    for path in [*map(project.joinpath, sources), tokenizer]:
        os.utime(path, (later, later))
    (project / made).unlink()
    text = snakemake(project, made)
    assert "Dated in the future, now dated back" in text and "3 more" in text
    assert (project / made).is_file()
    assert tokenizer.stat().st_mtime < time.time()
    assert "Nothing to be done" in snakemake(project, made)


def test_a_name_that_the_locale_lacks_is_refused_in_a_line(project):
    shutil.copy(project / "tests/data/words.tsv", project / "wörter.tsv")
    (project / "own.yaml").write_text("words: {targets: wörter.tsv}\n", encoding="utf-8")
    command = [*COMMAND, "own.yaml", "--dry-run"]
    variables = environment(project, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True)
    text = done.stdout + done.stderr
    assert done.returncode and b"export PYTHONUTF8=1" in text, text
    assert b"Traceback" not in text
    snakemake(project, "--dry-run", "--config", "study=other", PYTHONUTF8="1", LC_ALL="C")
