"""The paper's claims compared with this study's values and their nulls.

Each claim has its value with an interval; the rows below it are its nulls. *Not comparable* means
that the model or the protocol differs from the paper's. *Reproduced* means that the interval meets
the paper's number and that the value differs from every null model's. A solver that stands for the
paper's 5,000 steps is named.
"""

import pandas as pd

from study.job import run
from study.results import measures_of
from textualization.analysis.claims import (
    explanation_claims,
    recovery_claims,
    single_claims,
    threshold_claims,
)
from textualization.analysis.explanation import MEASURES
from textualization.report.csv_tables import read_csv
from textualization.report.tables import TableFiles, as_text, write_with_shown
from textualization.report.verdicts import (
    by_equivalent,
    claims_table,
    null_verdict,
    paper_text,
    verdict,
)

#: What claims say. Those on groups name their selection and their size, or the percentage of words.
STATEMENTS = {
    "single.nearest_cosine": "mean cosine of a single neuron's optimum to the nearest word",
    "single.nearest_is_best_word": "single neurons whose optimum is closest to the word that activates "
    "them most",
    "single.converged": "single neurons whose ascent converged",
    "single.utilisation.best_word": "share of a neuron's optimum activation that its best word reaches "
    "(median)",
    "single.utilisation.mean_word": "share that words reach on average, in magnitude (median)",
    "single.utilisation.nearest_word": "share that the optimum's own nearest word reaches (median)",
    "single.explanation": "how well a single neuron's optimum predicts which words activate it "
    "(correlation, mean)",
    "single.explanation_unsigned": "how well closeness to a single gated neuron's optimum, or to its "
    "opposite, predicts which words activate it (correlation, mean)",
    "group.recovery": "groups of {number} neurons ({selection}) whose optimum is closest to their word",
    "group.threshold": "neurons ({selection}) at which {number} % of words are recovered",
    "group.explanation": "how well the optimum of groups of {number} neurons ({selection}) predicts "
    "which words activate them (correlation, mean)",
    "group.explanation_unsigned": "how well closeness to the optimum of groups of {number} gated "
    "neurons ({selection}), or to its opposite, predicts which words activate them (correlation, mean)",
}
NULL_COLUMNS = ("null_model", "null_value", "excess", "excess_low", "excess_high", "p_adjusted")
NULL_COLUMNS += ("dominance",)
#: Protocols that a claim may be compared by: the paper's, and one that stands for it.
PROTOCOLS = ("protocol", "equivalent")
EQUIVALENT = "; stands for {steps:,} steps at rate {rate}, as validated on MiniLM"


def main(
    singles, utilisation, recovery, thresholds, nulls_singles, nulls_groups, twins, numbers, weights,
    paper, models, precisions, experiments, null_models, checksums, reading, usual, sites, protocols,
    restarts, confidence, files: TableFiles,
) -> None:  # fmt: skip
    stands_for = {
        kind: next((p for p in PROTOCOLS if _matches(paper[p], protocol)), None)
        for kind, protocol in protocols.items()
    }
    ways = {
        kind: f"{'+'.join(sites[kind])} neurons {reading}; "
        + _protocol_text(protocols[kind], restarts[kind])
        + (EQUIVALENT.format(**paper["protocol"]) if stands_for[kind] == "equivalent" else "")
        for kind in protocols
    }
    comparable = {
        kind: usual and sites[kind] == paper["sites"] and stands_for[kind] is not None
        for kind in protocols
    }
    rows = []
    for place, model in enumerate(models):
        how = f"; {precisions[place]}" if precisions[place] else ""
        is_papers = checksums[place] == paper["model"]["sha256"]
        found, null_tables = [], []
        if singles:
            summary, neurons = read_csv(singles[place]), pd.read_parquet(utilisation[place])
            measures = measures_of(weights[place], sites["singles"])
            claims = single_claims(summary, neurons, sites["singles"][0], measures, confidence)
            found += [(claim, "singles") for claim in claims]
            null_tables.append(read_csv(nulls_singles[place]))
        if recovery:
            claims = recovery_claims(read_csv(recovery[place]))
            claims += threshold_claims(read_csv(thresholds[place]))
            measures = measures_of(weights[place], sites["groups"])
            claims += explanation_claims(read_csv(recovery[place]), measures)
            found += [(claim, "groups") for claim in claims]
            null_tables.append(read_csv(nulls_groups[place]))
        nulls = pd.concat(null_tables) if null_tables else pd.DataFrame()
        changes = read_csv(twins[place]).set_index("claim")["twin_change"] if twins else {}
        for (name, value, low, high, n), kind in found:
            claim = {"claim": name, "model": model, "statement": _statement(name)}
            printed = _printed(name, paper)
            own = _nulls(nulls[nulls["claim"] == name], confidence)
            judged = [row["verdict"] for row in own if row["null_model"] in null_models]
            judged = verdict(value, low, high, printed, is_papers and comparable[kind], judged)
            if stands_for[kind] == "equivalent":
                judged = by_equivalent(judged)
            rows.append(
                claim
                | {"paper": paper_text(printed), "value": value, "ci_low": low, "ci_high": high}
                | {
                    "n": n,
                    "twin_change": changes.get(name),
                    "verdict": judged,
                    "protocol": ways[kind] + how,
                }
            )
            rows += [claim | row for row in own]
        of_model = numbers[place * len(experiments) : (place + 1) * len(experiments)]
        for experiment, path in zip(experiments, of_model, strict=True):
            rows += _experiment(experiment, read_csv(path), model, how)
    table, of_models = claims_table(rows), zip(models, precisions, strict=True)
    # In the CSV file, other tables find a model's claims by its bare name.
    names = {model: f"{model} ({how})" if how else model for model, how in of_models}
    write_with_shown(table, as_text(table.assign(model=table["model"].map(names))), files)


def _experiment(experiment, numbers, model, how) -> list[dict]:
    """Return every number of an experiment, with its null models below; the paper prints none."""
    rows = []
    for row in numbers.to_dict("records"):
        of = row["of"] if pd.isna(row["size"]) else f"{row['of']}.{row['size']:g}"
        what = row["statistic"].replace("_", " ")
        is_null = pd.notna(row["null_model"])
        rows.append(
            {
                "claim": f"{experiment}.{row['condition'].replace(' ', ',')}.{of}.{row['statistic']}",
                "model": model,
                "statement": f"{experiment}, {row['condition']}: {what} ({of})",
                "paper": "",
                "verdict": row["verdict"] if is_null else "not comparable",
                "protocol": f"experiment {experiment}, condition {row['condition']}{how}",
            }
            | {key: row[key] for key in ("value", "ci_low", "ci_high", "n")}
            | {key: row[key] for key in NULL_COLUMNS}
        )
    return rows


def _nulls(found, confidence) -> list[dict]:
    """Return a row per null of a claim; value and n are over what the model and the null share."""
    columns = ["null_model", "value", "n", "null_value", "excess", "excess_low", "excess_high"]
    rows = found[[*columns, "p_adjusted", "dominance"]].to_dict("records")
    for row in rows:
        low, high, p = (row[key] for key in ("excess_low", "excess_high", "p_adjusted"))
        row["verdict"] = null_verdict(low, high, p, 1 - confidence)
    return rows


def _matches(printed, protocol) -> bool:
    whole = protocol["options"] | protocol
    # The paper's starts are drawn.
    return "start" not in protocol and all(whole.get(k) == value for k, value in printed.items())


def _protocol_text(protocol, restarts) -> str:
    text = f"{protocol['steps']} steps "
    if protocol["solver"] == "paper":
        text += f"at rate {protocol['options']['rate']:g}"
    else:
        text += f"of {protocol['solver']} in {protocol['dtype']}"
    if protocol["tolerance"]:
        text += f", or until the relative gain over {protocol['window']} steps is below "
        text += f"{protocol['tolerance']:g},"
    kind, scale = protocol["init"]["kind"], protocol["init"]["scale"]
    if (start := protocol.get("start")) is not None:
        return f"{text} from {start if isinstance(start, str) else ' + '.join(start)}"
    text += f" from {kind} x0 "
    text += "as long as words" if scale == "words" else f"of scale {scale:g}"
    if restarts["restarts"] > 1:
        text += f", {restarts['restarts']} restarts"
        if restarts["repeated"] != "all":
            text += f" of {restarts['repeated']} {restarts['of']}"
    return text


def _statement(name) -> str:
    """Return what a claim says."""
    subject, number, *of = name.split(".")
    if subject == "single":
        return STATEMENTS[name]
    selection, count = of
    return STATEMENTS[f"{subject}.{number}"].format(selection=selection, number=count)


def _printed(name, paper):
    """Return what the paper prints for a claim: a number, a band [from, to], or None."""
    subject, number, *of = name.split(".")
    if subject == "single":
        return paper["single"].get(number)
    smallest, largest = paper["group"]["sizes"]
    if number in MEASURES:
        return None
    recovery, count = paper["group"]["recovery"], int(of[-1])
    if number == "threshold":
        return paper["group"]["sizes"] if count == round(100 * recovery) else None
    return recovery if smallest <= count <= largest else None


if "snakemake" in globals():
    run(main, snakemake)
