"""The tables of the pages in docs/ and of the README, made of the frozen tables in docs/data/."""

from pathlib import Path

import pandas as pd

from textualization.models.sources.catalogue import catalogue
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import with_interval
from textualization.report.tables import readable

DATA = Path("docs/data")
MODEL, NULLS = "minilm-l6", ("permuted", "untrained")
#: Group sizes (absolute selection) of the table of directions.
SIZES = (25, 100, 250)
#: Studies of the headline, with the name of each one's model in the settings and in prose.
HEADLINE_STUDIES = {"minilm-paper": ("minilm-l6", "MiniLM"), "mpnet": ("mpnet-base", "MPNet-base")}
#: The default study, and that of minima.
SIGNS = {"default": (MODEL, "maxima"), "minimum": (MODEL, "minima")}
#: The models that one study compares, in prose.
COMPARED_MODELS = {"minilm-l6": "MiniLM", "mpnet-base": "MPNet-base", "smollm2-135m": "SmolLM2"}
GROUPS_SHOWN = {
    "nearest_cosine": "cosine to the nearest word",
    "activation_share": "activation, share of the highest",
    "recovered": "recovery",
}
SHOWN_OF_BASES = {
    "nearest_cosine": "cosine to the nearest word",
    "explanation": "explanation",
    "share_of_ceiling": "share of the ceiling",
    "utilisation_best_word": "utilisation, best word",
    "restart_cosine": "cosine of two starts' optima",
    "recovered": "recovery",
}
#: Of what words, texts and optima reach and explain, by its name in tables.
SHOWN_OF_TEXTS = {
    "activation_share": "activation, share of the highest",
    "explanation": "explanation",
    "explanation_sentences": "explanation in held-out sentences",
}


def shown_claims(study: Path, shown: dict[str, str], model=MODEL, named="MiniLM") -> pd.DataFrame:
    """Return some of a study's claims with the paper's numbers and the null models'."""
    rows = []
    for claim, statement in shown.items():
        own = _rows_of(study, claim, model)
        here = own.loc[""]
        row = {"what": statement}
        row["paper, BERT-base"] = "" if pd.isna(here["paper"]) else str(here["paper"])
        row[named] = with_interval(here["value"], here["ci_low"], here["ci_high"])
        for null in NULLS:
            value = readable(float(own.loc[null, "null_value"])) or "not reached"
            excess = with_interval(*own.loc[null, ["excess", "excess_low", "excess_high"]])
            text = f"{value}; {excess}" if pd.notna(own.loc[null, "excess"]) else value
            row[f"{null}: value; {named}'s excess over it"] = text
        rows.append(row)
    return pd.DataFrame(rows)


def headline(shown: dict[str, str]) -> pd.DataFrame:
    """Return some claims of all published models: the paper's numbers, each model's, and its nulls'."""
    table = side_by_side(shown, HEADLINE_STUDIES)
    papers = [
        next((str(own) for own in _papers(claim, HEADLINE_STUDIES) if pd.notna(own)), "")
        for claim in shown
    ]
    table.insert(1, "paper, BERT-base", papers)
    return table


def _papers(claim: str, studies: dict) -> list:
    return [
        _rows_of(DATA / of, claim, model).loc[""]["paper"] for of, (model, _) in studies.items()
    ]


def side_by_side(shown: dict[str, str], studies: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Return some claims of several studies: each one's value, and its null models'.

    Args:
        shown: claims, and what they say.
        studies: by the study's name, its model and the heading of its column.
    """
    rows = []
    for claim, statement in shown.items():
        row = {"what": statement}
        for study, (model, named) in studies.items():
            own = _rows_of(DATA / study, claim, model)
            here = own.loc[""]
            row[named] = with_interval(here["value"], here["ci_low"], here["ci_high"])
            values = [readable(float(own.loc[null, "null_value"])) for null in NULLS]
            row[f"its nulls: {', '.join(NULLS)} ({named})"] = ", ".join(
                value or "not reached" for value in values
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _rows_of(study: Path, claim: str, model: str) -> pd.DataFrame:
    """Return the rows of a claim, by null model; the model's own row has the name ''."""
    claims = read_csv(study / "claims.csv")
    rows = claims[(claims["model"] == model) & (claims["claim"] == claim)]
    return rows.set_index(rows["null_model"].fillna(""))


def at_shares() -> pd.DataFrame:
    """Return the published models' thresholds as numbers and as shares of their output neurons."""
    rows = []
    for selection in ("absolute", "ratio_to_max"):
        claim = f"group.threshold.{selection}.67"
        for study, (model, named) in HEADLINE_STUDIES.items():
            own = _rows_of(DATA / study, claim, model)
            entry = catalogue()[model]
            neurons = entry["layers"] * entry["hidden"]
            values = {"the model": own.loc[""]["value"]}
            values |= {null: own.loc[null, "null_value"] for null in NULLS}
            row = {
                "model": f"{named}, {neurons:,} neurons",
                "chosen by": selection.replace("_", " "),
            }
            for name, value in values.items():
                text = f"{readable(float(value))} ({value / neurons:.1%})"
                row[name] = "not reached" if pd.isna(value) else text
            rows.append(row)
    return pd.DataFrame(rows)


def compared(study: Path) -> pd.DataFrame:
    """Return recovery and explanation of groups of equal shares: each model, and its null models."""
    claims, rows = read_csv(study / "claims.csv"), []
    claims = claims.assign(null=claims["null_model"].fillna(""))
    for model, named in COMPARED_MODELS.items():
        neurons = catalogue()[model]["layers"] * catalogue()[model]["intermediate"]
        of_model = claims[claims["model"] == model].set_index(["claim", "null"])
        sizes = of_model.index.get_level_values("claim").str.extract(
            r"^group\.recovery\.absolute\.(\d+)$"
        )
        for size in sizes[0].dropna().astype(int).drop_duplicates():
            row = {"model": named, "neurons": f"{size:,} ({size / neurons:.1%})"}
            for name, claim in (
                ("recovered, absolute", f"group.recovery.absolute.{size}"),
                ("recovered, relative", f"group.recovery.ratio_to_max.{size}"),
                ("explanation, absolute", f"group.explanation.absolute.{size}"),
            ):
                own = of_model.loc[(claim, "")]
                row[name] = with_interval(own["value"], own["ci_low"], own["ci_high"])
                values = (of_model.loc[(claim, null), "null_value"] for null in NULLS)
                row[f"{name}: {', '.join(NULLS)}"] = ", ".join(
                    readable(float(value)) for value in values
                )
            rows.append(row)
    return pd.DataFrame(rows)


def directions(table) -> pd.DataFrame:
    """Return a row per direction: what it explains of single neurons and of groups by size."""
    names = table["direction"].str.replace("_", " ")
    of_nulls = table["model"] != "model"
    table = table.assign(direction=names.where(~of_nulls, names + " (" + table["model"] + ")"))
    shown = {"single neurons": table[(table["of"] == "singles") & (table["layer"] == "all")]}
    groups = table[table["selection"] == "absolute"]
    for size in SIZES:
        shown[f"groups of {size}"] = groups[groups["size"] == size]
    columns = {
        name: {
            row.direction: with_interval(row.explanation, row.ci_low, row.ci_high)
            for row in rows.itertuples()
        }
        for name, rows in shown.items()
    }
    found = pd.DataFrame(columns, index=table["direction"].unique()).fillna("")
    return found.rename_axis("direction").reset_index()


def by_sentences(table: pd.DataFrame) -> pd.DataFrame:
    """Return what words and sentences reach of optima: all single neurons, and groups (absolute)."""
    shown = table["of"].str.contains("all layers") | table["of"].str.startswith("absolute")
    return pd.DataFrame(
        {
            "of": row.of,
            "best word": with_interval(row.best_word, row.best_word_low, row.best_word_high),
            "best token in a sentence": with_interval(
                row.best_sentence, row.best_sentence_low, row.best_sentence_high
            ),
            "share that a sentence activates more than any word": readable(row.above_best_word, 2),
        }
        for row in table[shown].itertuples()
    )


def by_drawn_sentences(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the drawn sentences reach of single neurons' optima, by layer, beside null models."""
    share = "drawn_sentence_of_optimum"
    cells = [
        with_interval(*row) for row in table[[share, f"{share}_low", f"{share}_high"]].to_numpy()
    ]
    shown = table.assign(cell=cells).pivot(index="layer", columns="of", values="cell")
    return shown[["model", *NULLS]].rename_axis(columns=None).reset_index().astype({"layer": str})


def bases(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return a row per basis and kind of objective: the model's values, and its null models'."""
    rows = []
    for (condition, of, size), same in numbers.groupby(["condition", "of", "size"], sort=False):
        basis = condition.rpartition("basis=")[2]
        what = {"single": "single rows", "leading": "leading rows"}.get(of, f"groups of {size:g}")
        rows.append({"basis": basis, "of": what} | _beside_nulls(same, SHOWN_OF_BASES))
    return pd.DataFrame(rows)


def texts(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return a row per kind of objective and condition: what words, texts and optima reach."""
    rows = []
    for (of, size, condition), same in numbers.groupby(
        ["of", "size", "condition"], sort=False, dropna=False
    ):
        what = "single neurons" if of == "single" else f"groups of {size:g}"
        named = condition.replace("_", " ").replace("text length=", "text of tokens: ")
        rows.append({"of": what, "found": named} | _beside_nulls(same, SHOWN_OF_TEXTS))
    return pd.DataFrame(rows).sort_values("of", ascending=False, kind="stable")


def _beside_nulls(numbers: pd.DataFrame, shown: dict[str, str]) -> dict[str, str]:
    """Return statistics by their shown names: the model's value with its interval; its null models'."""
    row = {}
    for statistic, name in shown.items():
        found = numbers[numbers["statistic"] == statistic].set_index("null_model")
        own = found[found.index.isna()]
        row[name] = ""
        if len(own):
            value = with_interval(*own.iloc[0][["value", "ci_low", "ci_high"]])
            nulls = (readable(float(found.loc[null, "null_value"])) for null in NULLS)
            row[name] = f"{value}; {', '.join(nulls)}"
    return row


def peaks(table: pd.DataFrame) -> pd.DataFrame:
    """Return where explanation is highest along the paper's ascent, by layer and group size."""
    keys, rows = ["of", "layer", "size"], []
    table = table[table["condition"] == "paper"].fillna({"layer": ""})
    own, nulls = (table[(table["null"] == "model") == is_own] for is_own in (True, False))
    for one in own.sort_values("of", ascending=False, kind="stable").to_dict("records"):
        of = f"groups of {one['size']}" if one["of"] == "group" else f"layer {one['layer']}"
        row = {"of": of.replace("layer all", "all layers"), "n": str(one["n"])}
        row |= {"explanation at its peak": f"{readable(one['explanation'])} ({one['steps']} steps)"}
        row |= {"activation there": readable(one["activation_share"])}
        row |= {f"explanation at {one['last_steps']} steps": readable(one["last_explanation"])}
        for null in nulls[(nulls[keys] == [one[key] for key in keys]).all(axis=1)].itertuples():
            text = f"{readable(null.explanation)} ({null.steps}); {readable(null.last_explanation)}"
            row[f"{null.null}: peak; last"] = text
        rows.append(row)
    return pd.DataFrame(rows)


def conditions(numbers) -> pd.DataFrame:
    """Return a row per condition: groups' closeness to words, activation and recovery."""
    own = numbers[(numbers["of"] == "group")]
    rows = []
    for condition in own["condition"].unique():
        row = {"condition": condition.replace("_", " ")}
        for statistic, name in GROUPS_SHOWN.items():
            same = own[(own["condition"] == condition) & (own["statistic"] == statistic)]
            here = same[same["null_model"].isna()].iloc[0]
            row[name] = with_interval(here["value"], here["ci_low"], here["ci_high"])
            null = same[same["null_model"] == NULLS[0]]["null_value"]
            if statistic == "recovered":
                row[f"{NULLS[0]}: {name}"] = readable(float(null.iloc[0])) if len(null) else ""
        rows.append(row)
    return pd.DataFrame(rows)


def thresholds_in_words(study: Path) -> str:
    """Say in a sentence what the figure of recovery shows."""
    claims = read_csv(study / "claims.csv")
    claims = claims[(claims["model"] == MODEL) & (claims["claim"] == "group.threshold.absolute.67")]
    own = claims[claims["null_model"].isna()]["value"].iloc[0]
    nulls = claims.set_index("null_model")["null_value"]
    return (
        "Share of words recovered from their own group of neurons, against group size: 67 % of words "
        f"need {own:.0f} neurons of the trained MiniLM, {nulls['permuted']:.0f} of the same model with "
        f"shuffled weights, and {nulls['untrained']:.0f} of an untrained one."
    )
