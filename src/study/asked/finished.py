"""The results of a finished study for one model, and new ascents with its settings."""

import gzip
import json
from pathlib import Path

import pandas as pd
import yaml

from study.config.reading import reading
from study.config.strict_yaml import check_yaml
from study.models import open_model
from study.record.checksums import check, recorded
from study.results import read_matrices
from textualization.errors import SettingsError
from textualization.models.model import Model
from textualization.models.sources import folder_name
from textualization.models.tokenizer import load_tokenizer


class FinishedStudy:
    """The results of a finished study for one model; its first model if none is named."""

    def __init__(self, folder: Path, model: str | None):
        self.folder = folder
        if not (folder / "config.yaml").is_file():
            raise SettingsError(
                f"{folder} is not a finished study (`make demo` makes results/default; STUDY= names "
                "another)"
            )
        check_yaml(folder / "config.yaml")
        check([folder / "config.yaml"])
        self.settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        if not isinstance(self.settings, dict) or "models" not in self.settings:
            raise SettingsError(
                f"{folder}/config.yaml has no settings of a study: run snakemake again"
            )
        models = [name for name in self.settings["models"] if (folder / name).is_dir()]
        if not models:
            raise SettingsError(
                f"{folder} has no results of any model: run snakemake for this study again"
            )
        self.model = model or models[0]
        if self.model not in models:
            raise SettingsError(
                f"MODEL: {self.model!r} is not in {folder} (allowed: {', '.join(models)})"
            )
        self.results = folder / self.model
        atlas = self.results / "atlas.json.gz"
        self._needed(atlas)
        self.document = json.loads(gzip.decompress(atlas.read_bytes()))

    def weights(self) -> Path:
        """Return the path of the converted weights that the study used."""
        entry = self.settings["catalogue"][self.model]
        folder = self.folder.parent / "_models" / folder_name(self.model, entry)
        frozen = self._needed(folder / "frozen.safetensors")
        record = json.loads((self.folder / "provenance.json").read_text(encoding="utf-8"))
        if record.get("frozen", {}).get(self.model, recorded(frozen)) != recorded(frozen):
            raise SettingsError(
                f"{frozen} is not the file that {self.folder} used: run snakemake for this study again"
            )
        return frozen

    def path(self, name: str) -> Path:
        """Return the path of one of the model's results, after checking that it is there and intact."""
        return self._needed(self.results / name)

    @staticmethod
    def _needed(path: Path) -> Path:
        if not path.is_file():
            raise SettingsError(
                f"{path} is missing: run snakemake again with this study's options, followed by "
                f"`-- {path}`"
            )
        check([path])
        return path

    def words(self) -> pd.DataFrame:
        """Read the vocabulary: `word`, `kind`, `candidate`."""
        return pd.read_parquet(self.path("candidates.parquet"))

    def matrices(self, sites) -> dict:
        """Read the word activations of the given sites."""
        return read_matrices(sites, [self.path(f"activations/{site}.npy") for site in sites])

    def summaries(self, sites) -> pd.DataFrame:
        """Read the summaries over words of the neurons of the given sites."""
        return pd.concat([pd.read_parquet(self.path(f"neurons-{site}.parquet")) for site in sites])

    def load(self) -> Model:
        """Load the model with its words and tokenizer."""
        weights = self.weights()
        return open_model(
            weights,
            reading(self.settings),
            self.words(),
            self.path("context.json") if self.settings.get("context") else (),
            tokenizer=load_tokenizer(weights.parent / "tokenizer.json"),
            name=self.model,
            device="auto",
        )
