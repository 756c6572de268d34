"""Copy finished studies' numbers and figures into the README and docs/.

Studies of hours are published in docs/<study>: what is in results/ replaces what is there.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from textualization.models.sources.catalogue import catalogue
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import with_interval
from textualization.report.tables import markdown, readable

STUDY, MODEL, NULLS = "default", "minilm-l6", ("permuted", "untrained")
#: The study of the experiments; the experiment whose numbers are shown; those whose figures are.
QUESTIONS, EXPERIMENT = "questions", "parametrisation"
FIGURES = ("recovery", "nulls")
QUESTIONS_FIGURES = ("parametrisation", "decomposition")
#: The page on explanation, and the group sizes (absolute selection) that it shows.
EXPLANATION, SIZES = "docs/explanation.md", (25, 100, 250)
#: Calls of `make ask` in the README.
CALLS = (("--word", "music"), ("--neuron", "output/3/120"))
#: Characters of an alt text in the README; docs/ has the whole text.
ALOUD = 800
GROUPS_SHOWN = {
    "nearest_cosine": "cosine to the nearest word",
    "activation_share": "activation, share of the highest",
    "recovered": "recovery",
}
SHOWN = {
    "single.nearest_cosine": "single neurons: cosine of the optimum to its nearest word (mean)",
    "single.utilisation.best_word": "utilisation: share of the optimum's activation, best word (median)",
    "single.utilisation.mean_word": "⤷ words on average",
    "single.utilisation.nearest_word": "⤷ the optimum's own nearest word",
    "single.explanation": "explanation: correlation of closeness to the optimum and activation (mean)",
    "group.recovery.absolute.25": "recovery of the word, groups of 25 neurons (absolute)",
    "group.recovery.absolute.50": "⤷ 50 neurons",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.ratio_to_max.25": "⤷ 25 neurons, relative to their maximum",
    "group.threshold.absolute.67": "neurons at which 67 % of words are recovered (absolute)",
    "group.threshold.ratio_to_max.67": "⤷ relative to their maximum",
}

#: Published studies with the name of each one's model in the settings and in prose, and their figures.
PUBLISHED = {"minilm-paper": ("minilm-l6", "MiniLM"), "mpnet": ("mpnet-base", "MPNet-base")}
FIGURES_PUBLISHED = {"mpnet": ("recovery", "nulls", "explanation", "thresholds")}
FILES = ("claims.csv", "claims.md", "config.yaml", "findings.md", "provenance.json")

#: The study that compares models, its models in prose, and what is published of its comparison.
COMPARED = "real-models"
COMPARED_MODELS = {"minilm-l6": "MiniLM", "mpnet-base": "MPNet-base", "smollm2-135m": "SmolLM2"}
COMPARISON = ("models.png", "models.txt", "numbers.csv", "words.csv")

#: The page on bases: where the experiment is in results/, by the name of its figure and table.
BASES = "docs/basis.md"
OF_BASES = {
    "basis": f"{QUESTIONS}/{MODEL}/experiments/basis",
    "basis-mpnet": "mpnet-basis/mpnet-base/experiments/basis",
}
SHOWN_OF_BASES = {
    "nearest_cosine": "cosine to the nearest word",
    "explanation": "explanation",
    "share_of_ceiling": "share of the ceiling",
    "utilisation_best_word": "utilisation, best word",
    "restart_cosine": "cosine of two starts' optima",
    "recovered": "recovery",
}

#: The study by the paper's full protocol on MiniLM, and the claims shown of it.
PROTOCOL = "minilm-paper"
SHOWN_OF_PROTOCOL = {claim: SHOWN[claim] for claim in list(SHOWN)[:4]} | {
    "group.recovery.absolute.50": "recovery of the word, groups of 50 neurons (absolute)",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.absolute.450": "⤷ 450 neurons",
    "group.recovery.ratio_to_max.100": "⤷ 100 neurons, relative to their maximum",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
    "group.threshold.ratio_to_max.67": SHOWN["group.threshold.ratio_to_max.67"],
    "group.threshold.z_score.67": "⤷ by their z-score",
}


#: The table of a decoder's groups, of benchmarks/decoder.py.
DECODER = "benchmarks/decoder.md"

#: The study of a model of the paper's size, and the claims shown of it.
PAPERS_SIZE = "mpnet"
SHOWN_OF_SIZE = {claim: SHOWN[claim] for claim in list(SHOWN)[:5]} | {
    "group.recovery.absolute.50": "recovery of the word, groups of 50 neurons (absolute)",
    "group.recovery.absolute.100": "⤷ 100 neurons",
    "group.recovery.absolute.250": "⤷ 250 neurons",
    "group.recovery.absolute.350": "⤷ 350 neurons",
    "group.recovery.absolute.750": "⤷ 750 neurons",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
    "group.threshold.ratio_to_max.67": SHOWN["group.threshold.ratio_to_max.67"],
    "group.explanation.absolute.250": "explanation, groups of 250 neurons (absolute)",
}


#: The six rows of the README.
HEADLINE = {claim: SHOWN[claim] for claim in list(SHOWN)[:2]} | {
    "group.recovery.absolute.100": "recovery of the word, groups of 100 neurons (absolute)",
    "group.recovery.absolute.250": "recovery of the word, groups of 250 neurons (absolute)",
    "group.threshold.absolute.67": SHOWN["group.threshold.absolute.67"],
    "group.threshold.ratio_to_max.67": SHOWN["group.threshold.absolute.67"].replace(
        "absolute", "relative to their maximum"
    ),
}


def main(readme="README.md", page="docs/results.md", results="results") -> None:
    for study in PUBLISHED:
        _publish(study, Path(results) / study)
    _put(page, "results", markdown(_claims(Path(results) / STUDY, SHOWN)))
    _put(page, "protocol", markdown(_claims(Path("docs") / PROTOCOL, SHOWN_OF_PROTOCOL)))
    size = Path("docs") / PAPERS_SIZE
    _put(page, "size", markdown(_claims(size, SHOWN_OF_SIZE, *PUBLISHED[PAPERS_SIZE])))
    _put(readme, "headline", markdown(_headline(HEADLINE)))
    _put("docs/architectures.md", "shares", markdown(_at_shares()))
    if (compared := Path(results) / COMPARED / "comparison").is_dir():
        _publish(COMPARED, compared.parent)
        for name in COMPARISON:
            shutil.copyfile(compared / name, Path("docs") / COMPARED / name)
    _put("docs/architectures.md", "compared", markdown(_compared(Path("docs") / COMPARED)))
    alt = (Path("docs") / COMPARED / "models.txt").read_text(encoding="utf-8").strip()
    _describe("docs/architectures.md", f"{COMPARED}/models.png", alt)
    if (groups := Path(results) / DECODER).is_file():
        _put("docs/architectures.md", "decoder", groups.read_text(encoding="utf-8") + "\n")
    _describe(readme, "docs/recovery-5000.png", _thresholds(Path("docs") / PROTOCOL))
    if (figures := Path(results) / PROTOCOL / MODEL / "figures").is_dir():
        _show(page, "recovery-5000", figures / "recovery.png")
    answers = [_answer(Path(results) / STUDY, *words) for words in CALLS]
    _put(page, "asked", "\n".join(answers))
    for name in FIGURES:
        _show(page, name, Path(results) / STUDY / MODEL / f"figures/{name}.png")
    tables = Path(results) / STUDY / MODEL
    _put(
        EXPLANATION,
        "directions",
        markdown(_directions(read_csv(tables / "tables/explanation.csv"))),
    )
    _show(EXPLANATION, "explanation", tables / "figures/explanation.png")
    _photograph(
        Path(results) / STUDY / "atlas/index.html", "#/minilm-l6/word/music", "docs/atlas.png"
    )
    experiments = Path(results) / QUESTIONS / MODEL / "experiments"
    if (experiments / EXPERIMENT / "numbers.csv").is_file():
        numbers = read_csv(experiments / EXPERIMENT / "numbers.csv")
        _put(page, "questions", markdown(_conditions(numbers)))
        for name in QUESTIONS_FIGURES:
            _show(page, name, experiments / name / "figure.png")
    for name, place in OF_BASES.items():
        if (found := Path(results) / place / "numbers.csv").is_file():
            _put(BASES, name, markdown(_bases(read_csv(found))))
            _show(BASES, name, found.with_name("figure.png"))
    if (along := experiments / "explanation/figure.png").is_file():
        _show(EXPLANATION, "explanation-along", along)
    if (peak := experiments / "explanation/peak.csv").is_file():
        _put(EXPLANATION, "peak", markdown(_peaks(read_csv(peak))))


def _bases(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return a row per basis and kind of objective: the model's values, and its null models'."""
    rows = []
    for (condition, of, size), same in numbers.groupby(["condition", "of", "size"], sort=False):
        basis = condition.rpartition("basis=")[2]
        what = {"single": "single rows", "leading": "leading rows"}.get(of, f"groups of {size:g}")
        row = {"basis": basis, "of": what}
        for statistic, name in SHOWN_OF_BASES.items():
            found = same[same["statistic"] == statistic].set_index("null_model")
            own = found[found.index.isna()]
            row[name] = ""
            if len(own):
                value = with_interval(*own.iloc[0][["value", "ci_low", "ci_high"]])
                nulls = (readable(float(found.loc[null, "null_value"])) for null in NULLS)
                row[name] = f"{value}; {', '.join(nulls)}"
        rows.append(row)
    return pd.DataFrame(rows)


def _peaks(table: pd.DataFrame) -> pd.DataFrame:
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


def _at_shares() -> pd.DataFrame:
    """Return the published models' thresholds as numbers and as shares of their output neurons."""
    rows = []
    for selection in ("absolute", "ratio_to_max"):
        claim = f"group.threshold.{selection}.67"
        for study, (model, named) in PUBLISHED.items():
            own = _rows_of(Path("docs") / study, claim, model)
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


def _compared(study: Path) -> pd.DataFrame:
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


def _publish(study: str, finished: Path) -> None:
    """Copy a study's claims, findings, settings, provenance and figures into docs/."""
    if not (finished / "provenance.json").is_file():
        return
    into = Path("docs") / study
    into.mkdir(exist_ok=True)
    for name in FILES:
        shutil.copyfile(finished / name, into / name)
    for name in FIGURES_PUBLISHED.get(study, ()):
        for suffix in (".png", ".txt"):
            of_model = finished / PUBLISHED[study][0] / f"figures/{name}{suffix}"
            shutil.copyfile(of_model, into / of_model.name)


def _rows_of(study: Path, claim: str, model: str) -> pd.DataFrame:
    """Return the rows of a claim, by null model; the model's own row has the name ''."""
    claims = read_csv(study / "claims.csv")
    rows = claims[(claims["model"] == model) & (claims["claim"] == claim)]
    return rows.set_index(rows["null_model"].fillna(""))


def _claims(study: Path, shown: dict[str, str], model=MODEL, named="MiniLM") -> pd.DataFrame:
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


def _headline(shown: dict[str, str]) -> pd.DataFrame:
    """Return some claims of all published studies: each model's value, and its null models'."""
    rows = []
    for claim, statement in shown.items():
        row = {"what": statement, "paper, BERT-base": ""}
        for study, (model, named) in PUBLISHED.items():
            own = _rows_of(Path("docs") / study, claim, model)
            here = own.loc[""]
            if pd.notna(here["paper"]):
                row["paper, BERT-base"] = str(here["paper"])
            row[named] = with_interval(here["value"], here["ci_low"], here["ci_high"])
            values = [readable(float(own.loc[null, "null_value"])) for null in NULLS]
            row[f"its nulls: {', '.join(NULLS)} ({named})"] = ", ".join(
                value or "not reached" for value in values
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _directions(table) -> pd.DataFrame:
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


def _thresholds(study: Path) -> str:
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


def _describe(page, image, alt) -> None:
    """Replace the alternative text of an image."""
    text = Path(page).read_text(encoding="utf-8")
    text = re.sub(rf"!\[[^\]]*\](?=\({re.escape(image)}\))", lambda _: f"![{alt}]", text)
    Path(page).write_text(text, encoding="utf-8")


def _show(page, name, png) -> None:
    """Copy a figure and its alt text into docs/; shorten a long text in the README."""
    shutil.copyfile(png, f"docs/{name}.png")
    alt = png.with_suffix(".txt").read_text(encoding="utf-8").strip()
    Path(f"docs/{name}.txt").write_text(alt + "\n", encoding="utf-8")
    if len(alt) > ALOUD:
        alt = f"{alt[:ALOUD].rpartition('; ')[0]}; and more, see docs/{name}.txt"
    _describe(page, f"{name}.png", alt)


def _put(page, mark, table) -> None:
    """Replace the text between two marks."""
    before, rest = Path(page).read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    after = rest.split(f"<!-- end of {mark} -->\n")[1]
    text = f"{before}<!-- {mark} -->\n{table}<!-- end of {mark} -->\n{after}"
    Path(page).write_text(text, encoding="utf-8")


def _answer(study: Path, *words: str) -> str:
    """Return the answer of `make ask` as code."""
    command = [sys.executable, "scripts/commands/ask.py", "--study", str(study), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answer = re.sub(r", in [\d.]+ s$", "", answer, flags=re.MULTILINE)  # of one machine
    return f"```\n{answer.rstrip()}\n```\n"


def _photograph(page: Path, place: str, png: str) -> None:
    """Save a screenshot of a page at a fragment."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1000, "height": 760})
        shown.goto(page.resolve().as_uri() + place)
        shown.wait_for_selector("figure")
        shown.screenshot(path=png)
        browser.close()


def _conditions(numbers) -> pd.DataFrame:
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


if __name__ == "__main__":
    main()
