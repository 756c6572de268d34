"""Edits with old dates, and studies that nothing is remembered of."""

import os
import time

import pytest
import yaml

from study.staleness import ID, check_memory, date_back, date_by_content, mark_memory
from textualization.errors import SettingsError

LONG_AGO = 1_500_000_000


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / name for name in ("a.py", "b.tsv")]
    for path in paths:
        path.write_text(path.name)
        os.utime(path, (LONG_AGO, LONG_AGO))
    return paths, tmp_path / "memory/sources.json"


def dates(paths):
    return [path.stat().st_mtime for path in paths]


def test_a_file_that_is_as_it_was_keeps_its_date(files):
    paths, state = files
    for _ in range(3):
        date_by_content(paths, state)
        assert dates(paths) == [LONG_AGO] * 2
    # Touched, or copied to a later date: the date is the user's own.
    os.utime(paths[0], (LONG_AGO + 5, LONG_AGO + 5))
    date_by_content(paths, state)
    assert dates(paths) == [LONG_AGO + 5, LONG_AGO]


@pytest.mark.parametrize("date", [LONG_AGO - 100, LONG_AGO, LONG_AGO + 100])
def test_an_edit_with_an_old_date_gets_todays(files, date):
    paths, state = files
    date_by_content(paths, state)
    time.sleep(0.05)  # a file system's clock ticks this often
    paths[1].write_text("other")
    os.utime(paths[1], (date, date))
    began = time.time()
    date_by_content(paths, state)
    assert dates(paths)[0] == LONG_AGO and dates(paths)[1] >= began - 2
    # Once: after that it is as it was.
    os.utime(paths[1], (date, date))
    date_by_content(paths, state)
    assert dates(paths)[1] == date


def test_what_is_not_there_or_new_is_left_alone(files):
    paths, state = files
    date_by_content([*paths, paths[0].with_name("gone")], state)
    state.write_text("no json")
    date_by_content(paths, state)
    assert dates(paths) == [LONG_AGO] * 2


def test_an_edit_that_cannot_be_dated_is_named(files, monkeypatch):
    paths, state = files
    date_by_content(paths, state)
    paths[0].write_text("other")
    os.utime(paths[0], (LONG_AGO, LONG_AGO))

    def forbidden(path):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", forbidden)
    with pytest.raises(SettingsError, match=r"a\.py has changed, but has an old date"):
        date_by_content(paths, state)


SETTINGS = {"study": "mine", "seed": 1, "ascent": {"rate": 1001, "steps": 5}}


@pytest.fixture
def study(tmp_path):
    results, memory = tmp_path / "results/mine", tmp_path / "memory"
    check_memory(results, memory, SETTINGS)  # nothing is there yet
    mark_memory(results, memory)
    (results / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    return results, memory


def test_what_is_remembered_may_change(study):
    check_memory(*study, SETTINGS | {"seed": 2})
    mark_memory(*study)
    check_memory(*study, SETTINGS | {"seed": 3})


def test_other_settings_of_a_study_that_is_not_remembered_are_refused(study, tmp_path):
    results, _ = study
    elsewhere = tmp_path / "elsewhere"
    check_memory(results, elsewhere, SETTINGS)
    check_memory(results, elsewhere, SETTINGS | {"ascent": {"steps": 5.0, "rate": 1001.0}})
    other = SETTINGS | {"seed": 2, "ascent": {"rate": 5, "steps": 5}}
    with pytest.raises(
        SettingsError, match=r"mine was made with other settings \(ascent.rate, seed"
    ):
        check_memory(results, elsewhere, other)
    mark_memory(results, elsewhere)
    check_memory(results, elsewhere, other)


def test_a_study_that_is_neither_finished_nor_remembered_is_refused(study, tmp_path):
    results, _ = study
    (results / "config.yaml").unlink()
    with pytest.raises(SettingsError, match="mine is incomplete"):
        check_memory(results, tmp_path / "elsewhere", SETTINGS)


def test_studies_from_before_are_trusted(study):
    results, memory = study
    (results / ID).unlink()
    check_memory(results, memory, SETTINGS | {"seed": 2})


def dated(folder, **seconds):
    """Files by name, dated so many seconds from now."""
    now, paths = time.time(), {}
    for name, offset in seconds.items():
        paths[name] = folder / name
        paths[name].write_text(name)
        os.utime(paths[name], (now + offset, now + offset))
    return paths


def test_files_of_the_future_are_dated_back_in_their_order(tmp_path):
    month = 30 * 24 * 3600
    paths = dated(tmp_path, old=-month, recent=-60, first=5, second=3600, third=month, same=month)
    before = {name: path.stat().st_mtime for name, path in paths.items()}
    began = time.time()
    found = date_back([*paths.values(), tmp_path / "gone"], tmp_path)
    assert {path.name for path in found} == {"first", "second", "third", "same"}
    after = {name: path.stat().st_mtime for name, path in paths.items()}
    assert [after["old"], after["recent"]] == [before["old"], before["recent"]]
    assert after["recent"] < after["first"] < after["second"] < after["third"] == after["same"]
    assert began - 2 < after["first"] and after["third"] < time.time()
    assert date_back(paths.values(), tmp_path) == []


def test_a_link_and_what_it_links_to_are_dated_back(tmp_path):
    paths, link = dated(tmp_path, target=3600), tmp_path / "link"
    link.symlink_to("target")
    later = time.time() + 3600
    os.utime(link, (later, later), follow_symlinks=False)
    assert date_back([link], tmp_path) == [link]
    assert max(link.lstat().st_mtime, paths["target"].stat().st_mtime) < time.time()


def test_the_clock_that_dates_results_counts(tmp_path, monkeypatch):
    paths = dated(tmp_path, module=0)
    # This machine is behind its file server.
    monkeypatch.setattr(time, "time_ns", lambda: int((time.time() - 60) * 1e9))
    assert date_back(paths.values(), tmp_path) == []


def test_a_date_that_cannot_be_set_is_named(tmp_path, monkeypatch):
    paths = dated(tmp_path, theirs=3600)

    def forbidden(path, **_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", forbidden)
    with pytest.raises(SettingsError, match=r"theirs is dated in the future.*not permitted"):
        date_back(paths.values(), tmp_path)
