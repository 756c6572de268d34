"""What does this neuron, or this word's group, want to read? From a finished study, or climbed now.

python scripts/ask.py --neuron output/3/120 [--study results/default] [--model minilm-l6]
python scripts/ask.py --word music
"""

import argparse
import difflib
import gzip
import json
import logging
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

import ascend_groups
import describe_groups
import describe_singles
import rank_neurons
from climbing import climb
from optima import read_embeddings
from textualization.answers import neuron_answer, neuron_name, printable, word_answer
from textualization.atlas import columns, groups_of, optima_of, ranking_of
from textualization.checksums import DamagedError, check, recorded
from textualization.errors import SettingsError
from textualization.sources import folder_name
from textualization.strict_yaml import check_yaml
from textualization.sweeps import protocol
from tokenizing import load_tokenizer

#: How an answer climbs: on all cores, with no snapshot.
JOB = {"device": "auto", "threads": os.cpu_count(), "memory_mb": 8000, "snapshot_seconds": 1e9}


class Study:
    """A finished study's results of one model, and what it takes to climb as it did."""

    def __init__(self, folder: Path, model: str | None):
        self.folder = folder
        if not (folder / "config.yaml").is_file():
            raise SettingsError(
                f"{folder} holds no finished study (`make demo` makes results/default; STUDY= names "
                "another)"
            )
        check_yaml(folder / "config.yaml")
        check([folder / "config.yaml"])
        self.settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        if not isinstance(self.settings, dict) or "models" not in self.settings:
            raise SettingsError(
                f"{folder}/config.yaml holds no study's settings: run snakemake again"
            )
        models = [name for name in self.settings["models"] if (folder / name).is_dir()]
        if not models:
            raise SettingsError(
                f"{folder} has no model's results: run snakemake for this study again"
            )
        self.model = model or models[0]
        if self.model not in models:
            raise SettingsError(
                f"MODEL: {self.model!r} is not in {folder} (has: {', '.join(models)})"
            )
        self.results = folder / self.model
        atlas = self.results / "atlas.json.gz"
        self._needed(atlas)
        self.document = json.loads(gzip.decompress(atlas.read_bytes()))

    def weights(self) -> Path:
        entry = self.settings["catalogue"][self.model]
        folder = self.folder.parent / "_models" / folder_name(self.model, entry)
        frozen = self._needed(folder / "frozen.safetensors")
        record = json.loads((self.folder / "provenance.json").read_text(encoding="utf-8"))
        if record.get("frozen", {}).get(self.model, recorded(frozen)) != recorded(frozen):
            raise SettingsError(
                f"{frozen} is not what {self.folder} was made of: run snakemake for this study again"
            )
        return frozen

    def path(self, name: str) -> Path:
        return self._needed(self.results / name)

    @staticmethod
    def _needed(path: Path) -> Path:
        if not path.is_file():
            raise SettingsError(
                f"{path} is missing: run snakemake again with this study's options, and `-- {path}` "
                "after them"
            )
        check([path])
        return path

    def summaries(self, sites) -> list[Path]:
        return [self.path(f"neurons-{site}.parquet") for site in sites]

    def describing(self) -> dict:
        """What both describing scripts take."""
        statistics = self.settings["statistics"]
        return {
            "words": self.path("candidates.parquet"),
            "weights": self.weights(),
            "convergence": statistics["convergence"],
            "collapse": statistics["collapse"],
        }


def ask_neuron(study: Study, name: str, fresh: bool) -> list[str]:
    """Lines on a neuron; climbed now if the study did not, or if `fresh`."""
    row = _row_of(study, name)
    optima = study.document.get("optima")
    if optima and row in optima["neuron"] and not fresh:
        place = optima["neuron"].index(row)
        optimum, said = {key: values[place] for key, values in optima.items()}, "from the study"
    else:
        began = time.monotonic()
        optimum = _climb_neuron(study, row)
        said = _climbed(study, began, "singles")
    return [_title(neuron_name(study.document, row), study, said)] + neuron_answer(
        study.document, row, optimum
    )


def _row_of(study: Study, name: str) -> int:
    """The neuron's row in the document; SettingsError, saying what is allowed, if there is none."""
    neurons = study.document["neurons"]
    sites = list(dict.fromkeys(neurons["site"]))
    parts = re.fullmatch(r"\s*(\w+)[/ ]+(\d+)[/ ]+(\d+)\s*", name)
    if not parts:
        raise SettingsError(f"NEURON: {name!r} is not site/layer/index, as in {sites[0]}/3/120")
    site, layer, index = parts[1], int(parts[2]), int(parts[3])
    if site not in sites:
        raise SettingsError(
            f"NEURON: the study has no site {site!r} (has: {', '.join(sites)}; activations.sites "
            "adds others)"
        )
    for row, found in enumerate(
        zip(neurons["site"], neurons["layer"], neurons["index"], strict=True)
    ):
        if found == (site, layer, index):
            return row
    layers = max(la for s, la in zip(neurons["site"], neurons["layer"], strict=True) if s == site)
    width = max(i for s, i in zip(neurons["site"], neurons["index"], strict=True) if s == site)
    raise SettingsError(
        f"NEURON: no {site}/{layer}/{index} in {study.model} (layers 1 to {layers}, index 0 to {width})"
    )


def _climb_neuron(study: Study, row: int) -> dict:
    """The optimum's columns, as the study's own scripts find and describe it."""
    settings, neurons = study.settings, study.document["neurons"]
    site, layer, index = (neurons[part][row] for part in ("site", "layer", "index"))
    starts = range(settings["ascent"]["singles"]["restarts"])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        climb(
            groups=[[(site, layer, index)]] * len(starts),
            identities=[("single", site, layer, index, restart) for restart in starts],
            labels={"index": [index] * len(starts), "restart": list(starts)},
            protocol=protocol(settings, "singles"),
            weights=study.weights(),
            job=JOB,
            optima=folder / f"{site}-{layer}-0.safetensors",
        )
        made = {name: folder / name for name in ("table", "embeddings", "curves")}
        describe_singles.main(
            optima=[folder / f"{site}-{layer}-0.safetensors"],
            activations=[study.path(f"activations/{site}.npy")],
            summaries=study.summaries([site]),
            sites=[site],
            **study.describing(),
            **made,
        )
        words = pd.read_parquet(study.path("candidates.parquet"))
        described, _ = optima_of(
            pd.read_parquet(made["table"]),
            pd.read_parquet(made["curves"]),
            np.load(made["embeddings"]),
            pd.DataFrame({part: neurons[part] for part in ("site", "layer", "index")}),
            words["word"].to_numpy(),
            read_embeddings(study.weights()),
            words["candidate"].to_numpy(),
            settings["statistics"]["nearest_words"],
        )
    return {key: values[0] for key, values in columns(described).items()}


def ask_word(study: Study, word: str, fresh: bool) -> list[str]:
    """Lines on a word's groups; ranked and climbed now if it is no target, or if `fresh`."""
    document = study.document
    if "groups" not in document:
        raise SettingsError(f"WORD: {study.folder} asked for no groups of words (experiments)")
    if word in document["targets"]["word"] and not fresh:
        groups = pd.DataFrame(document["groups"])
        groups, said = groups[groups["word"] == word], "from the study"
        place = document["targets"]["word"].index(word)
        rankings = {name: of[place] for name, of in document["rankings"].items()}
    else:
        _check_word(study, word)
        began = time.monotonic()
        groups, rankings = _climb_word(study, word)
        said = _climbed(study, began, "groups")
    title = _title(printable(word), study, said)
    return [title] + word_answer(document, word, groups, rankings)


def _check_word(study: Study, word: str) -> None:
    """SettingsError with the nearest words, or the pieces, if it is no candidate of the vocabulary."""
    words = pd.read_parquet(study.path("candidates.parquet"))
    own = words[words["word"] == word]
    if len(own) and own["candidate"].iloc[0]:
        return
    if len(own):
        raise SettingsError(
            f"WORD: {printable(word)!r} is {own['kind'].iloc[0]}, no word of its own"
        )
    tokens = load_tokenizer(str(study.weights().parent / "tokenizer.json"))
    pieces = tokens.encode(word, add_special_tokens=False).tokens
    near = difflib.get_close_matches(word, words["word"][words["candidate"]], n=3)
    told = f"; near to it: {', '.join(map(printable, near))}" if near else ""
    raise SettingsError(
        f"WORD: {printable(word)!r} is not one entry of {study.model}'s vocabulary "
        f"(in pieces: {' '.join(map(printable, pieces))}){told}"
    )


def _climb_word(study: Study, word: str):
    """The rows of its groups, and their rankings, as the study's own scripts make them."""
    settings, neurons = study.settings, pd.DataFrame(study.document["neurons"])
    sites, selections = settings["groups"]["sites"], settings["groups"]["selections"]
    asked = settings["groups"]["sizes"].get("model") or []
    sizes = sorted(s for s in asked if s <= neurons["site"].isin(sites).sum())
    if not sizes:
        raise SettingsError("WORD: the study has no groups over all layers (groups.sizes.model)")
    words = pd.read_parquet(study.path("candidates.parquet"))
    activations = [study.path(f"activations/{site}.npy") for site in sites]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        targets = folder / "targets.parquet"
        words[words["word"] == word].rename_axis("id").reset_index()[["word", "id"]].to_parquet(
            targets
        )
        rankings, optima = {}, []
        for selection in selections:
            rankings[selection] = folder / f"{selection}-model.parquet"
            rank_neurons.main(
                activations,
                study.summaries(sites) if selection != "absolute" else [],
                targets,
                sites,
                selection,
                "model",
                rankings[selection],
            )
            optima.append(folder / f"{selection}-model-{'_'.join(map(str, sizes))}-0.safetensors")
            ascend_groups.main(
                weights=study.weights(),
                targets=targets,
                ranking=rankings[selection],
                selection=selection,
                scope="model",
                sizes=sizes,
                number=0,
                restarts=1,
                repeated="all",
                batch=len(sizes),
                protocol=protocol(settings, "groups"),
                job=JOB,
                optima=optima[-1],
            )
        made = {name: folder / name for name in ("table", "embeddings", "curves")}
        describe_groups.main(
            optima=optima,
            rankings=list(rankings.values()),
            activations=activations,
            sites=sites,
            shown=settings["statistics"]["nearest_words"],
            **study.describing(),
            **made,
        )
        own = {
            name: ranking_of(pd.read_parquet(path), [word], neurons, sizes[-1])[0]
            for name, path in rankings.items()
        }
        return groups_of(pd.read_parquet(made["table"])), own


def _title(name: str, study: Study, said: str) -> str:
    return f"{name}, in {study.model}: {said}\n"


def _climbed(study: Study, began: float, kind: str) -> str:
    steps = study.settings["ascent"][kind]["steps"]
    return (
        f"not taken from the study; climbed now, {steps} steps with the study's settings, "
        f"in {time.monotonic() - began:.1f} s"
    )


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--neuron", metavar="SITE/LAYER/INDEX")
    what.add_argument("--word")
    parser.add_argument("--study", type=Path, default=Path("results/default"))
    parser.add_argument("--model", help="if the study has several")
    parser.add_argument("--fresh", action="store_true", help="climb now, whatever the study has")
    asked = parser.parse_args(arguments)
    # How far a climb is.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        study = Study(asked.study, asked.model)
        answer = ask_word if asked.neuron is None else ask_neuron
        lines = answer(study, asked.word if asked.neuron is None else asked.neuron, asked.fresh)
    except (SettingsError, DamagedError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
