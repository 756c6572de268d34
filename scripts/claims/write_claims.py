"""The paper's claims compared with this study's values and their nulls.

Each claim has its value with an interval; the rows below it are its nulls. *Not comparable* means
that the model or the protocol differs from the paper's. *Reproduced* means that the interval meets
the paper's number and that the value differs from every null model's.
"""

import pandas as pd

from study.job import run
from textualization.analysis.estimates import rate
from textualization.report.tables import TableFiles, write_for_people
from textualization.report.verdicts import claims_table, null_verdict, paper_text, verdict

NEAREST = "mean cosine of a single neuron's optimum to the nearest word"
CONVERGED = "single neurons whose ascent converged"
IS_BEST = "single neurons whose optimum is closest to the word that activates them most"
NULL_COLUMNS = ("null_model", "null_value", "excess", "excess_low", "excess_high", "p_adjusted")
NULL_COLUMNS += ("dominance",)
UTILISATION = {
    "best_word": "share of a neuron's optimum activation that its best word reaches (median)",
    "mean_word": "share that words reach on average, in magnitude (median)",
    "nearest_word": "share that the optimum's own nearest word reaches (median)",
}


def main(
    singles, utilisation, recovery, thresholds, nulls_singles, nulls_groups, numbers, paper, models,
    experiments, null_models, checksums, reading, sites, protocols, restarts, confidence, files:
    TableFiles,
) -> None:  # fmt: skip
    ways = {
        kind: f"{'+'.join(sites[kind])} neurons {reading}; "
        + _protocol_text(protocols[kind], restarts[kind])
        for kind in protocols
    }
    exact = {
        kind: sites[kind] == paper["sites"] and _matches(paper["protocol"], protocol)
        for kind, protocol in protocols.items()
    }
    rows = []
    for place, model in enumerate(models):
        is_papers = checksums[place] == paper["model"]["sha256"]
        found, null_tables = [], []
        if singles:
            summary, neurons = pd.read_csv(singles[place]), pd.read_parquet(utilisation[place])
            claims = _singles(summary, neurons, sites["singles"][0], paper, confidence)
            found += [(*claim, "singles") for claim in claims]
            null_tables.append(pd.read_csv(nulls_singles[place]))
        if recovery:
            claims = _recovery(pd.read_csv(recovery[place]), paper["group"])
            claims += _thresholds(pd.read_csv(thresholds[place]), paper["group"])
            found += [(*claim, "groups") for claim in claims]
            null_tables.append(pd.read_csv(nulls_groups[place]))
        nulls = pd.concat(null_tables) if null_tables else pd.DataFrame()
        for name, statement, printed, (value, low, high), n, kind in found:
            claim = {"claim": name, "model": model, "statement": statement}
            own = _nulls(nulls[nulls["claim"] == name], confidence)
            judged = [row["verdict"] for row in own if row["null_model"] in null_models]
            judged = verdict(value, low, high, printed, is_papers and exact[kind], judged)
            rows.append(
                claim
                | {"paper": paper_text(printed), "value": value, "ci_low": low, "ci_high": high}
                | {"n": n, "verdict": judged, "protocol": ways[kind]}
            )
            rows += [claim | row for row in own]
        of_model = numbers[place * len(experiments) : (place + 1) * len(experiments)]
        for experiment, path in zip(experiments, of_model, strict=True):
            rows += _experiment(
                experiment, pd.read_csv(path, keep_default_na=False, na_values=[""]), model
            )
    write_for_people(claims_table(rows), files)


def _experiment(experiment, numbers, model) -> list[dict]:
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
                "protocol": f"experiment {experiment}, condition {row['condition']}",
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
    return all(whole.get(key) == value for key, value in printed.items())


def _protocol_text(protocol, restarts) -> str:
    text = f"{protocol['steps']} steps "
    if protocol["solver"] == "paper":
        text += f"at rate {protocol['options']['rate']:g}"
    else:
        text += f"of {protocol['solver']}"
    if protocol["tolerance"]:
        text += f", or until the relative gain over {protocol['window']} steps is below "
        text += f"{protocol['tolerance']:g},"
    text += f" from {protocol['init']['kind']} x0 of scale {protocol['init']['scale']:g}"
    if restarts["restarts"] > 1:
        text += f", {restarts['restarts']} restarts"
        if restarts["repeated"] != "all":
            text += f" of {restarts['repeated']} {restarts['of']}"
    return text


def _singles(summary, neurons, site, paper, confidence) -> list[tuple]:
    """Return claims on the single neurons of a site, over all layers."""
    whole = summary[(summary["site"] == site) & (summary["layer"] == "all")].iloc[0]
    neurons = neurons[neurons["site"] == site]
    neurons = neurons.assign(nearest_is_best=neurons["nearest_word"] == neurons["best_word"])
    neurons = neurons.groupby(["layer", "index"], as_index=False).mean(numeric_only=True)
    n = int(whole["neurons"])
    estimate = tuple(float(whole[c]) for c in ("nearest_cosine", "ci_low", "ci_high"))
    rows = [("single.nearest_cosine", NEAREST, paper["single"]["nearest_cosine"], estimate, n)]
    is_best = rate(neurons["nearest_is_best"], confidence)
    rows.append(("single.nearest_is_best_word", IS_BEST, None, is_best, n))
    converged = rate(neurons["converged"], confidence)
    rows.append(("single.converged", CONVERGED, None, converged, n))
    for kind, statement in UTILISATION.items():
        values = neurons[f"utilisation_{kind}"]
        estimate = tuple(float(whole[f"{kind}_{c}"]) for c in ("median", "low", "high"))
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
        statement = f"neurons ({row.selection}) at which {row.percent} % of words are recovered"
        estimate = (row.neurons, row.ci_low, row.ci_high)
        name = f"group.threshold.{row.selection}.{row.percent}"
        rows.append((name, statement, printed, estimate, row.words))
    return rows


if "snakemake" in globals():
    run(main, snakemake)
