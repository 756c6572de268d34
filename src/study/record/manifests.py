"""Manifests: the final files of a study with their sizes and checksums."""

import json
from pathlib import Path

from study.record.checksums import RECORDS
from textualization.files import sha256


class ManifestError(ValueError):
    """A manifest is missing or broken."""


def read_manifest(root: Path) -> dict[str, dict]:
    """Read the files that a study's manifest lists, as `listed` returns them.

    Raises:
        ManifestError: the manifest is missing or broken; the message says what to do.
    """
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
    """Return size and SHA-256 of files, by their path relative to `root`, sorted."""
    names = sorted(Path(path).relative_to(root).as_posix() for path in paths)
    return {name: _facts(root / name) for name in names}


def differences(root: Path, files: dict[str, dict]) -> dict[str, str]:
    """List files that differ from a manifest, by path: `missing`, `unreadable` or `changed`."""
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
    """List unlisted files in the folders for final files: of other settings, or put there by hand."""
    folders = {
        Path(name).parent for name in files if Path(name).parent.name in ("tables", "figures")
    }
    present = {
        path.relative_to(root).as_posix()
        for folder in folders
        if (root / folder).is_dir()
        for path in (root / folder).iterdir()
        if path.name != RECORDS
    }
    return sorted(present - set(files))


def _facts(path: Path) -> dict:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}
