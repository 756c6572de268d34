"""The findings of the study in sentences, generated from its numbers.

They list which claims differ from their nulls and which do not. The report opens on the same in short.
"""

from pathlib import Path

from study.job import run
from textualization.files import write_text
from textualization.report.csv_tables import read_csv
from textualization.report.front import front_page
from textualization.report.sentences import lines, of_twins, sorted_by_null_models, with_interval
from textualization.report.tables import html_prose, page, readable

TITLES = {
    "all": "What holds: beyond every null model",
    "some": "What holds in part: different from some null models only, or in the other direction",
    "none": "What does not hold, or is undecided: not told apart from any null model",
}
#: Factors below which only the start is left.
INNERMOST = ("neuron", "word and size")
RULE = """\
Generated from `claims.csv` and the tables. Brackets show {percent:g} % intervals. A claim differs
from a null if the interval of its excess excludes 0 and the p of the permutation test, corrected for
all tests of its table (Holm), is at most {alpha}. Thresholds have no test: their interval decides. A
difference means that the model is unlike the null, not that the paper is right; the verdicts on the
paper are in `claims.md`. *Not told apart* does not mean equal: the interval of the excess shows how
much they may differ."""


def main(
    claims, singles, twins, explanation, robustness, variance, directions, answers, found, models,
    experiments, null_models, replicates, confidence, findings, html, front,
) -> None:  # fmt: skip
    claims = read_csv(claims)
    kind = claims["claim"].str.split(".").str[0]
    claims = claims[~kind.isin(experiments)]
    write_text(front_page(claims, models, null_models), front)
    text = ["# Findings", ""]
    text.append(RULE.format(percent=100 * confidence, alpha=readable(1 - confidence, 2)))
    text += _missing(found)
    for place, model in enumerate(models):
        own = claims[claims["model"] == model]
        text += ["", f"## {model}", ""]
        if len(own):
            text += _protocols(own)
            text += _broken(read_csv(singles[place])) if singles else []
            text += _twins(read_csv(twins[place]), own) if twins else []
            text += _against_null_models(own, null_models, replicates)
            text += _against_others(own, null_models)
        text += _explanation(read_csv(explanation[place])) if explanation else []
        text += _geometry(read_csv(singles[place])) if singles else []
        if robustness:
            text += _robustness(read_csv(robustness[place]))
            text += _variance(read_csv(variance[place]))
        text += _directions(read_csv(directions[place])) if directions else []
        text += _experiments(answers[place * len(experiments) :], experiments, findings)
    text = "\n".join(text) + "\n"
    write_text(text, findings)
    write_text(page("Findings", html_prose(text)), html)


def _experiments(answers, experiments, findings) -> list[str]:
    """Link to the answers of the experiments."""
    if not experiments:
        return []
    folder = Path(findings).parent
    links = [
        f"- {name}: [{path}]({Path(path).relative_to(folder)})"
        for name, path in zip(experiments, answers, strict=False)
    ]
    return ["", "### Experiments", "", *links]


def _missing(found) -> list[str]:
    """List requested models that could not be reached."""
    tables = [read_csv(path) for path in found]
    lines = [
        f"- {row.model}: {row.reason}"
        for table in tables
        for row in table[~table["found"]].itertuples()
    ]
    return ["", "## Not studied", "", *lines] if lines else []


def _protocols(claims) -> list[str]:
    kind = claims["claim"].str.split(".").str[0]
    protocols = claims.groupby(kind)["protocol"].first()
    return [f"{name.capitalize()}s: {protocol}." for name, protocol in protocols.items()]


def _broken(singles) -> list[str]:
    """Count ascents that broke off, if there are any."""
    whole = singles[(singles["layer"] == "all") & (singles["broken"] > 0)]
    return [
        f"{100 * row.broken:.1f} % of the ascents on {row.site} neurons broke off at values that are "
        "not finite. Their results are those of the last finite point."
        for row in whole.itertuples()
    ]


def _twins(table, claims) -> list[str]:
    """Say what depends on rounding: optima, and the claim on a share or cosine that moves most."""
    text = of_twins([table])
    shares = claims[~claims["claim"].str.contains(".threshold.", regex=False)]
    moved = shares["twin_change"].abs()
    if moved.max() > 0:
        most = shares.loc[moved.idxmax()]
        text += (
            f" Over these objectives, the claim that moves most is {most['claim']}, by "
            f"{most['twin_change']:+.3g}."
        )
    return ["", text]


def _against_null_models(claims, null_models, replicates) -> list[str]:
    if not null_models:
        return ["", "No null model was run, so these numbers do not show what training adds."]
    found = sorted_by_null_models(claims, null_models)
    names = " and ".join(", ".join(null_models).rsplit(", ", 1))
    total = sum(len(names) for names in found.values())
    text = [
        "",
        f"Of {total} claims compared with null models ({names}, {replicates} replicates each), "
        f"{len(found['all'])} lie beyond all and {len(found['none'])} are not told apart from any.",
    ]
    for key, title in TITLES.items():
        if found[key]:
            text += ["", f"### {title}", "", *lines(claims, found[key], null_models)]
    return text


def _against_others(claims, null_models) -> list[str]:
    """Compare with the other nulls: starts, chance, geometry, other words, random groups."""
    others = claims["null_model"].dropna()
    others = [null for null in others.unique() if null not in null_models]
    names = claims["claim"][claims["null_model"].isin(others)].unique()
    if not len(names):
        return []
    return ["", "### Compared with the other nulls", "", *lines(claims, names, others)]


def _explanation(table) -> list[str]:
    """Compare what optima explain with the gradient at the mean word and with ridge regression."""
    table = table[table["model"] == "model"]
    singles = table[(table["of"] == "singles") & (table["layer"] == "all")]
    text = []
    for (of, at), rows in [
        *((("single neurons", site), rows) for site, rows in singles.groupby("site")),
        *(
            ((f"groups of {size:g} neurons", selection), rows)
            for (selection, size), rows in table[table["of"] == "groups"].groupby(
                ["selection", "size"]
            )
        ),
    ]:
        rows = rows.set_index("direction")
        optimum, gradient, ridge = (
            with_interval(*rows.loc[name, ["explanation", "ci_low", "ci_high"]])
            for name in ("optimum", "gradient", "ridge")
        )
        text.append(
            f"- {of} ({at}): the optimum {optimum}, the gradient at the mean word {gradient}, the best "
            f"linear explanation {ridge}"
        )
    intro = (
        "Correlation over held-out words between closeness to a direction and the activation by the "
        "word (means; `tables/explanation` has more directions):"
    )
    return ["", "### How much optima explain", "", intro, "", *text]


def _directions(table) -> list[str]:
    """Compare every set of directions with its null models."""
    text = []
    for (name, site), rows in table.groupby(["set", "site"], sort=False):
        # Over all layers, if there are several.
        whole = rows[rows["layer"] == rows["layer"].iloc[-1]]
        measured = []
        for row in whole.to_dict("records"):
            cosine, explained = (
                with_interval(*(row[f"{column}{end}"] for end in ("", "_low", "_high")))
                for column in ("nearest_cosine", "explanation")
            )
            measured.append(f"{row['of'].replace('_', ' ')} {cosine} and {explained}")
        count = whole["directions"].iloc[0]
        text.append(f"- {name} ({site}, {count} directions): {'; '.join(measured)}")
    intro = (
        "Cosine of the optimum to the nearest word, and explanation (means over directions; "
        "`tables/directions` has more), in the model and in null models with directions of their own:"
    )
    return ["", "### Directions", "", intro, "", *text]


def _geometry(singles) -> list[str]:
    """Compare the mean word's share of the ceiling with what LayerNorm's geometry predicts."""
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
            f"Shares of the exact ceiling of {row.site} neurons (medians): words on average {share} in "
            f"magnitude, the best word {best}, the optimum {optimum}. LayerNorm's geometry alone "
            f"predicts {geometry} for words on average."
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
    title = ["", "### How recovery depends on the metric and on the candidate words", ""]
    return [*title, *(text or ["By at most 0.1 at every size, over all metrics and candidates."])]


def _variance(table) -> list[str]:
    """Give the shares of every number's variance."""
    text = []
    for (of, value), rows in table[~table["of"].str.contains(":")].groupby(
        ["of", "value"], sort=False
    ):
        # With one start, the residual includes the variance between neurons or words.
        if rows["share"].isna().any() or not rows["factor"].isin(INNERMOST).any():
            continue
        shares = rows.set_index("factor")["share"].rename({"residual": "start and noise"})
        parts = ", ".join(f"{factor} {100 * share:.0f} %" for factor, share in shares.items())
        text.append(f"- {value.replace('_', ' ')} of {of}: {parts}")
    return ["", "### Sources of variance", "", *text] if text else []


if "snakemake" in globals():
    run(main, snakemake)
