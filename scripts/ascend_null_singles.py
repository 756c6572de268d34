"""Gradient ascent on single neurons of a null model: some draws, a few neurons of every layer each."""

import pandas as pd

from climbing import climbed, job_of
from model_access import load_model
from nulling import summaries, word_activations
from optima import facts_of, in_order, singles_beside_words, with_curves
from running import run
from textualization.files import write_table
from textualization.nulls import dealt
from textualization.starts import drawn_neurons
from textualization.transformer import Tap


def main(
    weights, candidates, reference, null, draws, widths, layers, drawn, neurons, protocol, job,
    table,
) -> None:  # fmt: skip
    words = pd.read_parquet(candidates)
    reference = pd.read_parquet(reference)["id"].to_numpy()
    tables, snapshots = [], []
    for draw, path in zip(draws, weights, strict=True):
        chosen = [
            (site, layer, int(index))
            for site, width in widths.items()
            for layer in layers
            for index in dealt(
                drawn_neurons(protocol["seed"], site, layer, width, drawn), draw, neurons
            )
        ]
        batch, kept = climbed(
            groups=[[neuron] for neuron in chosen],
            identities=[("single", null, draw, *neuron) for neuron in chosen],
            labels={"layer": [n[1] for n in chosen], "index": [n[2] for n in chosen]},
            protocol=protocol,
            weights=path,
            job=job,
            place=f"{table}.{draw}",
        )
        facts = with_curves(facts_of(batch, ("layer", "index")), batch)
        facts["site"] = [site for site, _, _ in chosen]
        model = load_model(path, protocol["read"], job["device"])

        def excite(facts, word, model=model):
            taps = [Tap(*tap) for tap in zip(facts["site"], facts["layer"], strict=True)]
            a = word_activations(model, word, sorted(set(taps)))
            rows = zip(taps, facts["index"], strict=True)
            return [a[tap][row, index] for row, (tap, index) in enumerate(rows)]

        facts = singles_beside_words(
            facts,
            batch["start"],
            batch["embedding"],
            model.word_embeddings.float().cpu().numpy(),
            words,
            summaries(model, reference, widths),
            excite,
        )
        tables.append(facts.assign(null=null, draw=draw, restart=0))
        snapshots += kept
    first = "null draw site layer index restart activation ceiling"
    write_table(in_order(pd.concat(tables, ignore_index=True), first), table)
    for kept in snapshots:
        kept.remove()


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        candidates=snakemake.input.candidates,
        reference=snakemake.input.reference,
        null=snakemake.wildcards.null,
        **dict(snakemake.params.items()),
        job=job_of(snakemake),
        table=snakemake.output[0],
    )
