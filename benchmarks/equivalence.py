"""Compare a study by the equivalent solver with the paper's literal 5,000 steps, claim by claim.

The literal study is recorded in docs/data/minilm-paper. The other one is made by
`snakemake --cores all --configfile config/minilm-equivalent.yaml`. The page also says what the literal
study's own twins do, from small studies that this script runs (half an hour of two cores), and has the
spot checks on another model (`benchmarks/spots.py`), if they were made.
"""

import argparse
from pathlib import Path

import pandas as pd

from show import _machine, _table
from studies import ALONE, merged, study
from textualization.files import write_text
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import with_interval
from textualization.report.tables import readable

#: Nulls that are ascents themselves.
NULL_MODELS = ("permuted", "untrained")
KEYS = ["claim", "null_model"]
#: Twins of every objective of a small study, by protocol.
TWINNED = {
    "singles": {"neurons": 4},
    "groups": {"selections": ["absolute"], "sizes": {"model": [50, 100]}},
    "ascent": {
        "singles": {"restarts": 1, "per_job": 12},
        "groups": {"restarts": 1, "per_job": 28},
        "twins": {"singles": 4, "groups": 28},
    },
}
LITERAL = {"solver": "paper", "singles": {"steps": 5000}, "groups": {"steps": 5000}}
PROTOCOLS = {
    "5,000 literal steps at rate 1001, float32": LITERAL | {"dtype": "float32", "rate": 1001},
    "5,000 literal steps at rate 100, float32": LITERAL | {"dtype": "float32", "rate": 100},
    "the default study's, float64": {},
}
#: Claims whose change with the twins is shown.
CHANGED = {
    "single.nearest_cosine": "mean cosine of single neurons",
    "group.recovery.absolute.50": "recovery, 50 neurons",
    "group.recovery.absolute.100": "recovery, 100 neurons",
}


def compared(literal: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Compare all claims, and their excess over null models, with their literal intervals.

    Args:
        literal, found: two studies' claims.csv, of one model.

    Returns:
        A row per claim or excess: `claim`, `null_model` (empty for the claim itself), `literal`,
        `low`, `high`, `found`, `inside` (None without an interval).
    """
    both = literal.merge(found, on=KEYS, suffixes=("", "_found"), validate="1:1")
    own = both[both["null_model"].isna()]
    nulls = both[both["null_model"].isin(NULL_MODELS)]
    columns = ["claim", "null_model", "literal", "low", "high", "found"]
    rows = pd.concat(
        [
            own[[*KEYS, "value", "ci_low", "ci_high", "value_found"]].set_axis(columns, axis=1),
            nulls[[*KEYS, "excess", "excess_low", "excess_high", "excess_found"]].set_axis(
                columns, axis=1
            ),
        ],
        ignore_index=True,
    )
    rows = rows[rows[["literal", "found"]].notna().all(axis=1)]
    inside = rows["found"].between(rows["low"], rows["high"])
    return rows.assign(inside=inside.where(rows["low"].notna()))


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Format rows of `compared` for a page."""
    return pd.DataFrame(
        {
            "claim": rows["claim"],
            "compared with": rows["null_model"].fillna("-"),
            "5,000 literal steps": [
                with_interval(*row)
                for row in rows[["literal", "low", "high"]].itertuples(index=False)
            ],
            "equivalent solver": rows["found"].map(readable),
            "inside": rows["inside"].map({True: "yes", False: "**no**"}).fillna(""),
        }
    )


def twins(cores: int) -> pd.DataFrame:
    """Run small studies in which every objective has a twin; a row per protocol."""
    rows = []
    for number, (name, ascent) in enumerate(PROTOCOLS.items()):
        settings = merged(ALONE, TWINNED, {"ascent": ascent})
        tables = ("minilm-l6/tables/twins.csv", "minilm-l6/tables/twins_claims.csv")
        folder = study(f"twins-{number}", settings, tables, cores)
        counts, changes = (read_csv(folder / path) for path in tables)
        row = {"protocol": name}
        for kind, found in counts.groupby("of", sort=False):
            whole = found[(found["layer"] == "all") | (found["selection"] == "all")].iloc[0]
            share = with_interval(whole["share"], whole["ci_low"], whole["ci_high"])
            row[f"{kind} elsewhere"] = f"{whole['elsewhere']} of {whole['twins']}; {share}"
        changes = changes.set_index("claim")
        for claim, what in CHANGED.items():
            pair = changes.loc[claim, ["value", "twin_value"]]
            row[what] = " → ".join(readable(float(value)) for value in pair)
        rows.append(row)
    return pd.DataFrame(rows)


def spots(path: Path) -> pd.DataFrame:
    """Format the table of `spots.py`: a row per objective, literal → equivalent."""
    found = pd.read_csv(path, keep_default_na=False)
    columns = {
        "share_of_ceiling": "share of ceiling",
        "utilisation_best_word": "best word's share",
        "nearest_cosine": "cosine to the nearest word",
        "nearest_word": "nearest word",
        "target_rank": "rank of the group's word",
    }
    table = pd.DataFrame({"objective": found["objective"]})
    for column, name in columns.items():
        both = [found[f"{way}_{column}"].map(_short) for way in ("literal", "equivalent")]
        table[name] = [" → ".join(pair) if any(pair) else "" for pair in zip(*both, strict=True)]
    return table


def in_words(found: pd.DataFrame) -> str:
    """Say how far the equivalent solver comes in the table of `spots.py`."""
    share = found["equivalent_activation"] / found["literal_activation"]
    # An ascent that collapsed reaches nothing to compare with.
    kept = found["literal_activation"] > 0
    of_group = found["literal_target_rank"].notna()
    neurons, groups = (
        f"{100 * share[kept & rows].median():.0f} %" for rows in (~of_group, of_group)
    )
    before, after = (found[f"{way}_nearest_cosine"].mean() for way in ("literal", "equivalent"))
    collapsed = f"{(~kept).sum()} of the literal ascents collapsed. " if (~kept).any() else ""
    return (
        f"{collapsed}Elsewhere the equivalent solver reaches {neurons} of the literal activation for "
        f"neurons and {groups} for groups (medians), and the mean cosine to the nearest word is "
        f"{before:.3f} → {after:.3f}."
    )


def _short(value) -> str:
    try:
        return f"{float(value):.3g}" if abs(float(value)) < 1000 else f"{float(value):,.0f}"
    except ValueError:
        return str(value)


def ceilings(findings: str) -> str:
    """Return the sentence on shares of the ceiling from a study's findings."""
    lines = Path(findings).read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if "ceiling" in line and "best word" in line)


def main(literal: str, findings: str, found: str, checked: str, cores: int, out: str) -> None:
    rows = compared(read_csv(literal), read_csv(f"{found}/claims.csv"))
    judged = rows[rows["inside"].notna()]
    own, excess = (judged[judged["null_model"].isna() == own] for own in (True, False))
    outside = own[own["inside"] == False]["claim"]  # noqa: E712 (None is neither)
    text = HEAD.format(
        machine=_machine(),
        inside=int(own["inside"].sum()),
        claims=len(own),
        outside=", ".join(f"`{claim}`" for claim in outside) or "none",
        inside_nulls=int(excess["inside"].sum()),
        nulls=len(excess),
        literal=ceilings(findings),
        found=ceilings(f"{found}/findings.md"),
    )
    text += _table(shown(rows)) + "\n" + TWINS + _table(twins(cores)) + "\n"
    if Path(checked).is_file():
        table = pd.read_csv(checked)
        model, size = table[["model", "size"]].iloc[0]
        text += SPOTS.format(model=model, size=size, summary=in_words(table))
        text += _table(spots(Path(checked))) + "\n"
    write_text(text, Path(out))
    print(text)


HEAD = """# The solver that stands for the paper's 5,000 steps

The paper takes 5,000 steps of plain ascent at rate 1001. `lbfgs`, preconditioned with EᵀE, takes 105 in
float64. This page compares their answers on MiniLM: all 2,304 output neurons, 208 words, five group
sizes, three selections, and null models. The literal study ran on a GPU
([minilm-paper](minilm-paper/findings.md)). The other one ran on {machine}. Made by
`benchmarks/equivalence.py`.

## The rule

Take 105 evaluations, whatever the model. The number was set on 208 words of MiniLM: groups of 50 and
100 neurons (absolute) and of 50 (ratio_to_max), and 72 neurons. All other numbers below did not set it:
other sizes, another selection, all other neurons, and the null models. More evaluations are not better:
recovery falls the longer an ascent lasts, by either solver. `single.converged` says how much an ascent
still rises in its last tenth, so it differs between solvers.

## The comparison

{inside} of {claims} claims lie inside the 95 % interval of the literal study (outside: {outside}), and
{inside_nulls} of {nulls} differences from null models.

Literal: {literal}

Equivalent: {found}

"""


TWINS = """
## Twins

How far do literal studies agree with themselves? Every objective of a small study (24 neurons, 28 words)
ascended twice, the second time from its start moved by one rounding. Arrows lead from a claim's value to
that of the twins. At rate 1001 single optima cannot be reproduced: another processor, another batch or
another version of a library ends at other words. Means over objectives hold within their intervals.

"""
SPOTS = """
## Another model

Eight objectives of {model}, four single neurons and four groups of {size} neurons (absolute). Arrows
lead from 5,000 literal steps to the equivalent solver. Single optima may differ
where solvers are equivalent, but their kind should not.
{summary}

The number of evaluations was set on MiniLM. Eight objectives of another model are too few to set another
number, and enough to say that one may be needed.

"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--literal", default="docs/data/minilm-paper/claims.csv")
    parser.add_argument("--findings", default="docs/minilm-paper/findings.md", help="literal ones")
    parser.add_argument("--found", default="results/minilm-equivalent")
    parser.add_argument("--checked", default="results/benchmarks/spots.csv", help="by spots.py")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", default="docs/equivalence.md")
    main(**vars(parser.parse_args()))
