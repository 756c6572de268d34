"""The atlas at the size of the paper's study, of made-up numbers: bytes, time to open, time per key.

9,216 neurons with five starts each; 210 words, 13 group sizes, 3 selections; BERT's number of words.
Needs a Chromium: python benchmarks/atlas_page.py [folder for the page]
"""

import shutil
import string
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from textualization.report import atlas

ROOT = Path(__file__).parent.parent
STARTS = 5
SIZES = [10, 50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 750, 1000]
SELECTIONS = ["absolute", "ratio_to_max", "z_score"]
STEPS = np.unique(np.geomspace(1, 5000, 45).astype(int) - 1)
NULLS = ["permuted", "permuted_keep_embeddings", "untrained", "rotated_basis"]


def made_up_words(rng: np.random.Generator, count: int = 30_522) -> list[str]:
    letters = np.array(list(string.ascii_lowercase))
    return ["".join(rng.choice(letters, n)) for n in rng.integers(2, 10, count)]


def document(rng, words, targets=210, layers=12, width=768, sizes=SIZES, dimensions=16) -> dict:
    """A model's part, made by the functions that make the real one; the first words are its targets."""
    layer, index = np.repeat(range(1, layers + 1), width), np.tile(range(width), layers)
    n = layers * width
    summaries = pd.DataFrame(
        {
            "site": "output",
            "layer": layer,
            "index": index,
            **{name: rng.normal(size=n) for name in ("max", "mean", "std")},
            "top_words": list(rng.integers(0, len(words), (n, 10))),
            "top_activations": list(rng.normal(size=(n, 10))),
        }
    )
    neurons = atlas.neurons_of(summaries, words)
    singles = summaries[atlas.NEURON].loc[summaries.index.repeat(STARTS)].reset_index(drop=True)
    singles["restart"] = np.tile(range(STARTS), n)
    for name in atlas.OF_OPTIMA:
        singles[name] = rng.random(len(singles))
    singles["largest_entries"] = _sentences(rng, words, len(singles), 10)
    curves = pd.DataFrame(
        {
            "row": np.repeat(singles.index, len(STEPS)),
            "step": np.tile(STEPS, len(singles)),
            "activation": rng.normal(size=len(singles) * len(STEPS)),
        }
    )
    vectors = rng.normal(size=(len(words), dimensions)).astype(np.float32)
    found = rng.normal(size=(len(singles), dimensions)).astype(np.float32)
    optima, steps = atlas.optima_of(
        singles, curves, found, neurons, words, vectors, np.ones(len(words), bool), 5
    )
    first = np.arange(0, len(singles), STARTS)
    drawn = atlas.scatter_words(np.ones(len(words), bool), n, 0)
    by_words = rng.normal(size=(n, len(drawn)))
    top = summaries["top_words"]
    scatter = atlas.scatter_of(found[first], drawn, by_words, top, words, vectors)
    targets = words[:targets]
    groups = pd.MultiIndex.from_product(
        [targets, SELECTIONS, ["model"], [0], sizes, range(STARTS)], names=[*atlas.GROUP, "restart"]
    ).to_frame(index=False)
    for name in atlas.OF_GROUPS:
        groups[name] = rng.random(len(groups))
    groups["recovered"] = rng.random(len(groups)) < 0.5
    groups["nearest_words"] = _sentences(rng, words, len(groups), 5)
    groups["best_word"] = targets[0]
    nulls = summaries[atlas.NEURON].sample(min(n, 240), random_state=0)
    nulls = pd.concat([nulls.assign(null=name) for name in NULLS], ignore_index=True)
    for name in ("activation", "ceiling", "nearest_cosine", "utilisation_best_word", "explanation"):
        nulls[name] = rng.random(len(nulls))
    recovery = pd.MultiIndex.from_product(
        [NULLS, SELECTIONS, sizes], names=["null_model", "selection", "size"]
    ).to_frame(index=False)
    thresholds = pd.MultiIndex.from_product(
        [targets, SELECTIONS, ["model"], [50, 67, 95]],
        names=["word", "selection", "scope", "percent"],
    ).to_frame(index=False)
    ranked = [rng.permutation(n)[: sizes[-1]] for _ in targets]
    return {
        "neurons": atlas.columns(neurons),
        "words": list(dict.fromkeys(words)),
        "optima": atlas.columns(optima),
        "steps": steps,
        "scatter": scatter,
        "nulls": atlas.columns(atlas.nulls_by_layer(nulls)),
        "targets": {
            "word": targets,
            **{k: ["noun"] * len(targets) for k in ("category", "frequency_band")},
        },
        "groups": atlas.columns(atlas.groups_of(groups)),
        "rankings": {s: [atlas.plain(rng.permutation(r)) for r in ranked] for s in SELECTIONS},
        "thresholds": atlas.columns(thresholds.assign(neurons=rng.random(len(thresholds)))),
        "recovery": atlas.columns(recovery.assign(value=0.5, low=0.4, high=0.6)),
    }


def _sentences(rng, words, rows, each) -> list[str]:
    words = np.array(words)
    return [" ".join(words[ids]) for ids in rng.integers(0, len(words), (rows, each))]


def page_of(documents: dict[str, dict], study: str = "made-up") -> str:
    """A page of models' parts, of the shipped template, style and scripts."""
    folder = ROOT / "resources/atlas"
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.[cj]s*")
    }
    about = {"study": study, "read": "read at word", "candidates": "whole_words", "solver": "paper"}
    return atlas.page(
        (folder / "index.html").read_text(encoding="utf-8"),
        files,
        about
        | {
            "steps": {"singles": 5000, "groups": 5000},
            "twins": "",
            "found": {model: f"What was found in {model}." for model in documents},
        },
        {model: atlas.packed(part) for model, part in documents.items()},
    )


def main(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    path = folder / "index.html"
    begun = time.perf_counter()
    rng = np.random.default_rng(0)
    path.write_text(page_of({"bert": document(rng, made_up_words(rng))}), encoding="utf-8")
    print(f"made in {time.perf_counter() - begun:.1f} s; {path.stat().st_size / 1e6:.1f} MB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        for place in ("", "#/bert/neuron/output/7/120", "#/bert/neurons"):
            page.goto("about:blank")
            page.goto(path.as_uri() + place)
            page.wait_for_selector("h1")
            print(f"open {place or '#/'}: {page.evaluate('performance.now()') / 1000:.2f} s")
        for typed in ("m", "mu", "mus", "7", "7 1", "output/7/12"):
            seconds = page.evaluate(KEYSTROKE, typed)
            print(f"key to {typed!r}: {seconds:.0f} ms")
        browser.close()


#: From a key to the frame that shows what was found.
KEYSTROKE = """typed => new Promise(done => {
  const box = document.getElementById("search");
  box.value = typed;
  const begun = performance.now();
  box.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
})"""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
