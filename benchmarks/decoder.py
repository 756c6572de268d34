"""Why do groups of a decoder's neurons not lead to their word? One condition after the other changes.

On inputs as long as words and on longer ones, with what stands before x and without, with neurons
chosen by absolute and by relative activation: recovery, rank of the word, utilisation, explanation,
and how many neurons the groups of different words share.
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

import textualization as tx
from show import _table
from textualization.analysis.similarity import target_similarity
from textualization.files import write_text

WORDS = ("music", "freedom", "kitchen", "happy", "slowly", "seven", "destroy", "ancient")
#: The shares of all neurons that are in a group.
SHARES = (0.005, 0.05, 0.2)
#: What stands around x, how neurons are chosen, and the scale of the start.
CONDITIONS = {
    "starts of scale 1": (None, "absolute", 1.0),
    "starts as long as words": (None, "absolute", "words"),
    "relative to their maximum": (None, "ratio_to_max", "words"),
    "by their z-score": (None, "z_score", "words"),
    "nothing before x": ({"before": None, "after": None}, "absolute", "words"),
}
HOW = {"solver": "lbfgs", "steps": 105, "dtype": "float64"}


def main(model: str, site: str, conditions: list[str], threads: int | None, out: str) -> None:
    rows, models = [], {}
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    for name in conditions:
        frame, selection, scale = CONDITIONS[name]
        if str(frame) not in models:
            models[str(frame)] = tx.load(model, frame=frame)
        rows += ascended(models[str(frame)], site, name, selection, scale, threads)
        pd.DataFrame(rows).to_csv(out, index=False, float_format="%.5g")
        print(pd.DataFrame(rows).tail(len(SHARES)).to_string(), flush=True)
    write_text(_table(pd.DataFrame(shown(rows))), out.removesuffix(".csv") + ".md")


def ascended(model, site, name, selection, scale, threads) -> list[dict]:
    """A row per share: means over the words."""
    neurons, groups, sharing = model.layers * model.width(site), {}, {}
    for share in SHARES:
        size = round(share * neurons)
        of = {word: model.neurons_of(word, size, selection, site=site) for word in WORDS}
        groups |= {f"{share} {word}": group for word, group in of.items()}
        pairs = combinations(map(set, of.values()), 2)
        sharing[share] = np.mean([len(one & other) / size for one, other in pairs])
    optima = tx.ascend(model, groups=groups, init_scale=scale, threads=threads, **HOW)
    table = optima.table()
    targets = np.array([model.id_of(word) for _ in SHARES for word in WORDS])
    nearness = target_similarity(optima.embedding, targets, model.embeddings, model.candidates)
    table = table.assign(
        share=np.repeat(SHARES, len(WORDS)),
        rank=nearness["target_rank"].to_numpy(),
        target_cosine=nearness["target_cosine"].to_numpy(),
        best=table["best_word"] == [model.words["word"].iloc[i] for i in targets],
    )
    length = np.linalg.norm(optima.embedding, axis=1).mean()
    length /= np.linalg.norm(model.embeddings[model.candidates], axis=1).mean()
    return [
        {
            "condition": name,
            "share": share,
            "neurons": round(share * neurons),
            "shared": sharing[share],
            "length": length,
            "recovered": (of["rank"] == 1).mean(),
            "rank": of["rank"].median(),
            "target_cosine": of["target_cosine"].mean(),
            "best_word_is_target": of["best"].mean(),
            "utilisation": of["utilisation_best_word"].median(),
            "explanation": of["explanation"].mean(),
            "explanation_unsigned": of["explanation_unsigned"].mean(),
            "start_explanation": of["start_explanation"].mean(),
        }
        for share, of in table.groupby("share", sort=False)
    ]


def shown(rows) -> list[dict]:
    """The rows as the page shows them."""
    return [
        {
            "condition": row["condition"],
            "neurons": f"{row['neurons']:,} ({row['share']:.1%})",
            "neurons that two words share": f"{row['shared']:.0%}",
            "length of the optimum, in words": f"{row['length']:.3g}",
            "recovered": f"{row['recovered']:.2f}",
            "rank of the word (median)": f"{row['rank']:,.0f}",
            "the word activates most": f"{row['best_word_is_target']:.2f}",
            "best word's share of the optimum": f"{row['utilisation']:.2f}",
            "explanation": f"{row['explanation']:.2f}",
        }
        for row in rows
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="smollm2-135m")
    parser.add_argument("--site", default="intermediate")
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS), choices=CONDITIONS)
    parser.add_argument("--threads", type=int, help="of an ascent")
    parser.add_argument("--out", default="results/benchmarks/decoder.csv")
    main(**vars(parser.parse_args()))
