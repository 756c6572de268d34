"""The claims table: what the paper says, what came out, and whether they agree."""

import numpy as np
import pandas as pd

from running import run
from textualization.claims import claims_table, paper_text, verdict
from textualization.estimates import centre, rate
from textualization.presenting import write_for_people

NEAREST = "mean cosine of a single neuron's optimum to the nearest word"
CONVERGED = "single neurons whose ascent had come to rest"
IS_BEST = "single neurons whose optimum is closest to the word that excites them most"
START = "the same for the un-optimised start (null)"
UTILISATION = {
    "best_word": "share of a neuron's optimum activation that its best word reaches (median)",
    "mean_word": "share that words reach on average, in magnitude (median)",
    "nearest_word": "share that the optimum's own nearest word reaches (median)",
}


def main(
    singles, utilisation, recovery, thresholds, paper, models, checksums, reading, sites, init,
    protocols, restarts, confidence, resamples, seed, csv, md, tex,
) -> None:  # fmt: skip
    ways = {
        kind: f"{'+'.join(sites[kind])} neurons {reading}; "
        + _protocol(protocols[kind], init, restarts[kind])
        for kind in protocols
    }
    exact = {
        kind: sites[kind] == paper["sites"] and _matches(paper["protocol"], _flat(asked))
        for kind, asked in protocols.items()
    }
    rows = []
    for place, model in enumerate(models):
        is_papers = checksums[place] == paper["model"]["sha256"]
        found = _singles(
            pd.read_csv(singles[place]),
            pd.read_parquet(utilisation[place]),
            paper,
            confidence,
            resamples,
            seed,
        )
        found = [(*claim, "singles") for claim in found]
        groups = _recovery(pd.read_csv(recovery[place]), paper["group"])
        groups += _thresholds(pd.read_csv(thresholds[place]), paper["group"])
        found += [(*claim, "groups") for claim in groups]
        for name, statement, printed, (value, low, high), n, kind in found:
            judged = verdict(value, low, high, printed, is_papers and exact[kind])
            rows.append(
                {
                    "claim": name,
                    "model": model,
                    "statement": statement,
                    "paper": paper_text(printed),
                }
                | {"value": value, "ci_low": low, "ci_high": high, "n": n}
                | {"verdict": judged, "protocol": ways[kind]}
            )
    write_for_people(claims_table(rows), csv, md, tex)


def _matches(printed, asked) -> bool:
    return all(asked.get(key) == value for key, value in printed.items())


def _flat(protocol) -> dict:
    settings = protocol["settings"]
    return settings["options"] | settings | protocol["precision"]


def _protocol(protocol, init, restarts) -> str:
    asked = _flat(protocol)
    text = f"{asked['steps']} steps "
    text += f"at rate {asked['rate']:g}" if asked["solver"] == "paper" else f"of {asked['solver']}"
    if asked["tolerance"]:
        text += f", fewer at a gain below {asked['tolerance']:g} over {asked['window']}"
    if asked["products"] != "same":
        text += f", products in {asked['products']}"
    text += f" from {init['kind']} x0 of scale {init['scale']:g}"
    return text + (f", {restarts} restarts" if restarts > 1 else "")


def _singles(summary, neurons, paper, confidence, resamples, seed) -> list[tuple]:
    """Over all layers, for the first of the study's sites."""
    whole = summary[
        (summary["site"] == summary["site"].iloc[0]) & (summary["layer"] == "all")
    ].iloc[0]
    neurons = neurons[neurons["site"] == whole["site"]]
    neurons = neurons.assign(nearest_is_best=neurons["nearest_word"] == neurons["best_word"])
    neurons = neurons.groupby(["layer", "index"], as_index=False).mean(numeric_only=True)
    n = int(whole["neurons"])
    estimate = tuple(float(whole[c]) for c in ("nearest_cosine", "ci_low", "ci_high"))
    rows = [("single.nearest_cosine", NEAREST, paper["single"]["nearest_cosine"], estimate, n)]
    start = centre(neurons["start_nearest_cosine"], np.mean, confidence, resamples, seed)
    rows.append(("single.nearest_cosine.start", START, None, start, n))
    is_best = rate(neurons["nearest_is_best"], confidence)
    rows.append(("single.nearest_is_best_word", IS_BEST, None, is_best, n))
    at_rest = rate(neurons["converged"], confidence)
    rows.append(("single.converged", CONVERGED, None, at_rest, n))
    for kind, statement in UTILISATION.items():
        values = neurons[f"utilisation_{kind}"]
        estimate = centre(values, np.median, confidence, resamples, seed)
        rows.append(
            (
                f"single.utilisation.{kind}",
                statement,
                paper["single"]["utilisation"],
                estimate,
                int(values.notna().sum()),
            )
        )
    return rows


def _recovery(table, paper) -> list[tuple]:
    smallest, largest = paper["sizes"]
    rows = []
    for row in table[table["scope"] == "model"].itertuples():
        printed = paper["recovery"] if smallest <= row.size <= largest else None
        statement = (
            f"groups of {row.size} neurons ({row.selection}) whose optimum is closest to their word"
        )
        estimate = (row.recovery, row.ci_low, row.ci_high)
        name = f"group.recovery.{row.selection}.{row.size}"
        rows.append((name, statement, printed, estimate, row.words))
    return rows


def _thresholds(table, paper) -> list[tuple]:
    rows = []
    for row in table[table["scope"] == "model"].itertuples():
        printed = paper["sizes"] if row.percent == round(100 * paper["recovery"]) else None
        statement = f"neurons ({row.selection}) at which {row.percent} % of words come back"
        estimate = (row.neurons, row.ci_low, row.ci_high)
        name = f"group.threshold.{row.selection}.{row.percent}"
        rows.append((name, statement, printed, estimate, row.words))
    return rows


if "snakemake" in globals():
    run(
        main,
        snakemake.log[0],
        singles=snakemake.input.singles,
        utilisation=snakemake.input.utilisation,
        recovery=snakemake.input.recovery,
        thresholds=snakemake.input.thresholds,
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
