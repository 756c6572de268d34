"""Print the catalogue's entry of a model: its source, checksum, family and shape.

PYTHONPATH=src python scripts/commands/model_entry.py FOLDER [--name my-bert]
"""

import argparse
import re
import sys
from pathlib import Path

import yaml

from textualization.errors import RequestError, SourceError
from textualization.models.sources.catalogue import entry_of


def name_of(path: str) -> str:
    """Return a name that the settings allow, from the name of a file or folder."""
    name = re.sub(r"[^a-z0-9._-]+", "-", Path(path).resolve().stem.lower())
    return re.sub(r"^[^a-z0-9]+", "", name)[:60] or "model"


def text(name: str, entry: dict) -> str:
    """Return an entry as the YAML of a study's settings."""
    settings = {"models": [name], "catalogue": {name: entry}}
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="a model's folder, or a GGUF file")
    parser.add_argument("--name", help="the model's name in the catalogue")
    chosen = parser.parse_args(arguments)
    if not chosen.path:
        sys.exit("FOLDER is missing: make model FOLDER=/data/my-bert (or a GGUF file)")
    try:
        print(text(chosen.name or name_of(chosen.path), entry_of(chosen.path)), end="")
    except (RequestError, SourceError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
