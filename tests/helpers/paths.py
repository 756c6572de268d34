"""Folders that tests read: the repository, and the data that comes with the tests."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"
