"""What a study consists of: its final files with their sizes and checksums, and whether they are so."""

import json
from pathlib import Path

from textualization.checksums import RECORDS
from textualization.files import sha256


class ManifestError(ValueError):
    """A manifest is missing, or is none."""


def read_manifest(root: Path) -> dict[str, dict]:
    """The files that a study's manifest lists. Raises ManifestError that says what to do."""
    path = root / "manifest.json"
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        whole = bool(files) and all({"bytes", "sha256"} <= set(facts) for facts in files.values())
    except FileNotFoundError:
        raise ManifestError(f"{path} is missing: run snakemake for this study") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise ManifestError(f"{path} is broken: delete it and run snakemake")
    return files


def listed(root: Path, paths) -> dict[str, dict]:
    """Size and SHA-256 of files, by their path below `root`, in order."""
    names = sorted(Path(path).relative_to(root).as_posix() for path in paths)
    return {name: _facts(root / name) for name in names}


def differences(root: Path, files: dict[str, dict]) -> dict[str, str]:
    """Files that are not as listed, by path: `missing`, `unreadable` or `changed`."""
    found = {}
    for name, facts in files.items():
        try:
            same = _facts(root / name) == facts
        except FileNotFoundError:
            found[name] = "missing"
        except OSError:
            found[name] = "unreadable"
        else:
            if not same:
                found[name] = "changed"
    return found


def left_over(root: Path, files: dict[str, dict]) -> list[str]:
    """Files beside listed ones that are not listed: of other settings, or put there by hand.

    Looked for in the folders that hold nothing but final files.
    """
    folders = {
        Path(name).parent for name in files if Path(name).parent.name in ("tables", "figures")
    }
    beside = {
        path.relative_to(root).as_posix()
        for folder in folders
        if (root / folder).is_dir()
        for path in (root / folder).iterdir()
        if path.name != RECORDS
    }
    return sorted(beside - set(files))


def _facts(path: Path) -> dict:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}
