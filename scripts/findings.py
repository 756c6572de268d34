"""The findings of a study in sentences, generated from its numbers."""

from pathlib import Path

import pandas as pd

from running import run
from textualization.files import write_text
from textualization.findings import lines, sorted_by_null_models
from textualization.presenting import html_prose, page, readable

TITLES = {
    "all": "What holds: beyond every null model",
    "some": "What holds in part: told apart from some null models only, or in the other direction",
    "none": "What does not survive, or is undecided: not told apart from any null model",
}
#: Factors below which only the start is left.
INNERMOST = ("neuron", "word and size")
RULE = """\
Made from the numbers in `claims.csv` and the tables; nothing here is written by hand. In brackets:
{percent:g} % intervals. A claim differs from a null if the interval of its excess leaves out 0 and the
permutation test, corrected for all tests of its table (Holm), does not exceed {alpha}; thresholds go by
the interval alone. That it differs says that the model is unlike the null, not that the paper is right:
for that see the verdicts in `claims.md`. *Not told apart* does not say that both are equal: the interval
of the excess says by how much they may differ."""


def main(
    claims, singles, robustness, variance, answers, found, models, experiments, null_models, draws,
    confidence, findings, html,
):  # fmt: skip
    claims = pd.read_csv(claims)
    kind = claims["claim"].str.split(".").str[0]
    claims = claims[~kind.isin(experiments)]
    text = ["# Findings", ""]
    text.append(RULE.format(percent=100 * confidence, alpha=readable(1 - confidence, 2)))
    text += _missing(found)
    for place, model in enumerate(models):
        own = claims[claims["model"] == model]
        text += ["", f"## {model}", ""]
        if len(own):
            text += _protocols(own)
            text += _broken(pd.read_csv(singles[place])) if singles else []
            text += _beside_null_models(own, null_models, draws)
            text += _beside_others(own, null_models)
        text += _geometry(pd.read_csv(singles[place])) if singles else []
        if robustness:
            text += _robustness(pd.read_csv(robustness[place]))
            text += _variance(pd.read_csv(variance[place]))
        text += _experiments(answers[place * len(experiments) :], experiments, findings)
    text = "\n".join(text) + "\n"
    write_text(text, findings)
    write_text(page("Findings", html_prose(text)), html)


def _experiments(answers, experiments, findings) -> list[str]:
    """Where the experiments' answers are."""
    if not experiments:
        return []
    folder = Path(findings).parent
    told = [
        f"- {name}: [{path}]({Path(path).relative_to(folder)})"
        for name, path in zip(experiments, answers, strict=False)
    ]
    return ["", "### Experiments", "", *told]


def _missing(found) -> list[str]:
    """Models that were asked for and could not be reached."""
    tables = [pd.read_csv(path, keep_default_na=False) for path in found]
    lines = [
        f"- {row.model}: {row.reason}"
        for table in tables
        for row in table[~table["found"]].itertuples()
    ]
    return ["", "## Not studied", "", *lines] if lines else []


def _protocols(claims) -> list[str]:
    kind = claims["claim"].str.split(".").str[0]
    told = claims.groupby(kind)["protocol"].first()
    return [f"{name.capitalize()}s: {protocol}." for name, protocol in told.items()]


def _broken(singles) -> list[str]:
    """Ascents that are no optima, if there are any."""
    whole = singles[(singles["layer"] == "all") & (singles["broken"] > 0)]
    return [
        f"Of the ascents on {row.site} neurons {100 * row.broken:.1f} % broke off, at values that are "
        "not finite: what is said of these is of where they broke."
        for row in whole.itertuples()
    ]


def _beside_null_models(claims, null_models, draws) -> list[str]:
    if not null_models:
        return ["", "No null model was run: what training adds, these numbers do not say."]
    found = sorted_by_null_models(claims, null_models)
    names = " and ".join(", ".join(null_models).rsplit(", ", 1))
    total = sum(len(names) for names in found.values())
    text = ["", f"Of {total} claims set beside null models ({names}, {draws} draws each), "]
    text[-1] += (
        f"{len(found['all'])} lie beyond every one, {len(found['none'])} are told apart from none."
    )
    for key, title in TITLES.items():
        if found[key]:
            text += ["", f"### {title}", "", *lines(claims, found[key], null_models)]
    return text


def _beside_others(claims, null_models) -> list[str]:
    """Nulls that are no models: starts, chance, geometry, other words, random groups."""
    others = claims["null_model"].dropna()
    others = [null for null in others.unique() if null not in null_models]
    names = claims["claim"][claims["null_model"].isin(others)].unique()
    if not len(names):
        return []
    return ["", "### Beside nulls that are no models", "", *lines(claims, names, others)]


def _geometry(singles) -> list[str]:
    """How much of the mean word's share is LayerNorm's doing."""
    whole = singles[(singles["layer"] == "all") & singles["geometry_of_ceiling"].notna()]
    text = []
    for row in whole.itertuples():
        share, geometry, optimum, best = (
            f"{100 * value:.1f} %"
            for value in (
                row.mean_word_of_ceiling,
                row.geometry_of_ceiling,
                row.share_of_ceiling,
                row.best_word_of_ceiling,
            )
        )
        text.append(
            f"Of the ceiling that LayerNorm sets to {row.site} neurons, words reach {share} on average "
            f"in magnitude (median neuron), the best word {best}, the optimum {optimum}. A coordinate "
            f"of which nothing is known but that LayerNorm normalised it would reach {geometry}."
        )
    return ["", "### How much of utilisation is LayerNorm's geometry", "", *text] if text else []


def _robustness(table) -> list[str]:
    groups = table[table["of"] == "groups"]
    text = []
    for (selection, size), rows in groups.groupby(["selection", "size"]):
        low, high = (rows.loc[rows["recovery"].idxmin()], rows.loc[rows["recovery"].idxmax()])
        if high["recovery"] - low["recovery"] > 0.1:
            text.append(
                f"- groups of {int(size)} neurons ({selection}): {readable(low['recovery'])} "
                f"({low['metric']}, {low['candidates']}) to {readable(high['recovery'])} "
                f"({high['metric']}, {high['candidates']})"
            )
    title = ["", "### How far recovery hangs on what near, and word, mean", ""]
    return [*title, *(text or ["By at most 0.1 at every size, over all metrics and candidates."])]


def _variance(table) -> list[str]:
    """The shares of every number's variance."""
    text = []
    for (of, value), rows in table[~table["of"].str.contains(":")].groupby(
        ["of", "value"], sort=False
    ):
        # Without further starts, what is left over is the neurons' or words' own as well.
        if rows["share"].isna().any() or not rows["factor"].isin(INNERMOST).any():
            continue
        shares = rows.set_index("factor")["share"].rename({"residual": "start and noise"})
        told = ", ".join(f"{factor} {100 * share:.0f} %" for factor, share in shares.items())
        text.append(f"- {value.replace('_', ' ')} of {of}: {told}")
    return ["", "### Where the spread comes from", "", *text] if text else []


if "snakemake" in globals():
    run(
        main,
        snakemake,
        claims=snakemake.input.claims,
        singles=snakemake.input.singles,
        robustness=snakemake.input.robustness,
        variance=snakemake.input.variance,
        answers=list(snakemake.input.answers),
        found=list(snakemake.input.found),
        **dict(snakemake.params.items()),
        **dict(snakemake.output.items()),
    )
