"""The page on the rule of recovery, docs/recovery.md, and its figure, from the finished tables.

The text is that of recovery.md here. Read it again when the numbers change.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from show import _table
from textualization.analysis.estimates import tail
from textualization.draws import generator
from textualization.files import write_text
from textualization.report.alt_text import alt_text, course
from textualization.report.plotting import (
    MODEL,
    NULLS,
    TWO_COLUMNS,
    FigureFiles,
    figure,
    label,
    shared_legend,
    size_axis,
)

#: What is predicted from what, and how it is named on the page.
METHODS = {
    "closed_form": "closed form: random linear neurons",
    "activation": "the word activates its group most",
    "ridge": "the direction alone",
    "linearity": "the direction, less noise of 1 − R²",
    "rule": "**the rule**: the direction, blurred by the agreement of gradients",
    "gradient": "the rule with the gradient at the mean word as the direction",
    "fitted": "the rule with the agreement to a power, fitted on the first study",
}
#: The study and model that the power was chosen on.
FITTED = ("default", "minilm-l6")
#: Optima of the experiment whose ascents are followed (config/answers.yaml).
ALONG = "results/explanation/minilm-l6/experiments/explanation/optima"
CURVE = ["study", "model", "null", "selection", "size"]
KINDS = {"model": MODEL} | {name: NULLS[name] for name in ("permuted", "untrained")}
RESAMPLES, SEED, CONFIDENCE = 2000, 2023, 0.95


def main(paths, along: str, page: str) -> None:
    if not any(Path(path).name.startswith("-".join(FITTED)) for path in paths):
        raise SystemExit(f"the rule needs the study {FITTED[0]} of {FITTED[1]}: make demo")
    table = pd.concat([pd.read_csv(path, keep_default_na=False) for path in paths])
    table = table.reset_index(drop=True)
    first = (table["study"] == FITTED[0]) & (table["model"] == FITTED[1])
    power = best_power(table[first])
    table["rule"], table["fitted"] = table["rule_1"], table[f"rule_{power:g}"]
    table["expected_cosine"] = table["agreement"] * table["cosine_ridge"]
    cosines = ["target_cosine", "expected_cosine"]
    curves = table.groupby(CURVE)[["recovered", *cosines, *METHODS]].mean().reset_index()
    whole = Resampled(table)
    out = Path(paths[0]).parent.with_suffix(".csv")
    write_text(curves.to_csv(index=False, float_format="%.4g"), out)
    numbers = {
        "power": f"{power:g}",
        "explained": _table(explained(table, first)),
        "left": _table(left(table)),
        "agreements": _table(measures(table)),
        "where": _table(where(table)),
        "along": _table(ascents(table[first], Path(along))),
        "ceiling": f"{np.corrcoef(*residuals(table))[0, 1]:.2f}",
        "cosines": whole.interval(r2(*(whole.means(column) for column in cosines))),
        "curves": len(curves),
        "groups": f"{len(table):,}",
        "replicates": replicates(table),
    }
    stem = Path(page).parent / f"figures/{Path(page).stem}-rule"
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = FigureFiles(*(f"{stem}.{kind}" for kind in ("pdf", "png", "txt")))
    alt = draw(table, curves, files)
    Path(files.pdf).unlink()
    text = Path(__file__).with_name("recovery.md").read_text(encoding="utf-8")
    write_text(text.format(alt=alt, **numbers), Path(page))


def best_power(table: pd.DataFrame) -> float:
    """The power of the agreement that predicts the curves of a table best."""
    powers = [name for name in table if name.startswith("rule_")]
    means = table.groupby(CURVE)[["recovered", *powers]].mean()
    errors = {name: ((means[name] - means["recovered"]) ** 2).mean() for name in powers}
    return float(min(errors, key=errors.get).removeprefix("rule_"))


class Resampled:
    """Means of curves under weights of words; a word of a study and model has one weight."""

    def __init__(self, table: pd.DataFrame):
        curve, self.curves = pd.factorize(pd.MultiIndex.from_frame(table[CURVE]))
        of = table["study"] + "/" + table["model"]
        word, words = pd.factorize(of + "/" + table["word"])
        self.place, self.shape = curve * len(words) + word, (len(self.curves), len(words))
        self.table, self.count = table, self._sums(np.ones(len(table)))
        models = pd.factorize(words.map(lambda name: name.rpartition("/")[0]))[0]
        draw = generator(SEED, "recovery page")
        self.smallest = np.bincount(models).min()
        # Words are drawn within their study and model. The first row of weights is the table itself.
        drawn = np.zeros((RESAMPLES, len(words)))
        for model in range(models.max() + 1):
            inside = np.flatnonzero(models == model)
            drawn[:, inside] = draw.multinomial(
                len(inside), np.full(len(inside), 1 / len(inside)), size=RESAMPLES
            )
        self.weights = np.concatenate([np.ones((1, len(words))), drawn])

    def _sums(self, values) -> np.ndarray:
        """Sums by curve and word, (curves, words)."""
        return np.bincount(self.place, values, np.prod(self.shape)).reshape(self.shape)

    def means(self, column: str) -> np.ndarray:
        """Every curve's weighted mean, (1 + resamples, curves); NaN where no word is drawn."""
        with np.errstate(invalid="ignore"):
            return self.weights @ self._sums(self.table[column]).T / (self.weights @ self.count.T)

    def interval(self, values: np.ndarray) -> str:
        """A statistic of the table and its resamples, (1 + resamples,), as text."""
        lower = tail(self.smallest, CONFIDENCE)
        low, high = np.nanquantile(values[1:], [lower, 1 - lower])
        return f"{values[0]:.2f} [{low:.2f}, {high:.2f}]"


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaNs; NaN where there is nothing else."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=-1) / known.sum(axis=-1)


def r2(actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The share of variance over curves (last axis) that a prediction explains as it stands.

    Below 0 it explains less than the mean does. NaN if all curves are equal.
    """
    missed = np.nansum((actual - predicted) ** 2, axis=-1)
    spread = np.nansum((actual - mean_of_known(actual)[..., None]) ** 2, axis=-1)
    return 1 - np.divide(missed, spread, out=np.full_like(missed, np.nan), where=spread > 0)


def explained(table: pd.DataFrame, first: pd.Series) -> pd.DataFrame:
    """Per method: R² over all curves, over those of other studies than the first, and by kind."""
    parts = {"all": table, "all but the first study": table[~first]}
    parts |= {kind: table[table["null"] == kind] for kind in KINDS}
    parts = {name: Resampled(part) for name, part in parts.items() if len(part)}
    rows = []
    for method, told in METHODS.items():
        row = {"predicted by": told}
        for name, part in parts.items():
            values = r2(part.means("recovered"), part.means(method))
            row[name] = part.interval(values)
        rows.append(row)
    return pd.DataFrame(rows)


def left(table: pd.DataFrame) -> pd.DataFrame:
    """Per model and null: how much more the model recovers, before and after the rule is taken away."""
    rows = []
    for (study, model), part in table.groupby(["study", "model"], sort=False):
        for null in [kind for kind in KINDS if kind != "model" and kind in set(part["null"])]:
            both = Resampled(part[part["null"].isin(["model", null])])
            is_model = both.curves.get_level_values(2) == "model"

            def excess(column, both=both, is_model=is_model):
                means = both.means(column)
                return mean_of_known(means[:, is_model]) - mean_of_known(means[:, ~is_model])

            found, said = excess("recovered"), excess("rule")
            rows.append(
                {
                    "study, model": f"{study}, {model}",
                    "null": null,
                    "recovered, model − null": both.interval(found),
                    "expected": both.interval(said),
                    "left": both.interval(found - said),
                }
            )
    return pd.DataFrame(rows)


def measures(table: pd.DataFrame) -> pd.DataFrame:
    """Per model and kind: what was measured before the ascent, and recovery."""
    names = {
        "r2": "R²",
        "agreement": "agreement",
        "cosine_ridge": "cosine of the direction to the word",
        "expected_cosine": "agreement times this: the optimum's expected cosine to the word",
        "target_cosine": "found",
        "recovered": "recovered",
        "rule": "expected to be recovered",
    }
    means = table.groupby(["study", "model", "site", "null"], sort=False)[list(names)].mean()
    return means.rename(columns=names).reset_index()


def where(table: pd.DataFrame) -> pd.DataFrame:
    """The curves that the rule misses most."""
    means = table.groupby(CURVE)[["recovered", "rule"]].mean().reset_index()
    order = (means["recovered"] - means["rule"]).abs().sort_values(ascending=False).index
    worst = means.loc[order].head(8).astype({"size": str})
    return worst.rename(columns={"rule": "expected"})


def ascents(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Groups along ascents of an experiment, by solver and kind: the highest and the last cosine."""
    columns = ["kind", "size", "selection", "steps", "target_cosine", "recovered", "word"]
    rows = []
    for solver in ("lbfgs", "paper"):
        for kind in KINDS:
            path = folder / f"{solver}-{kind}.parquet"
            if not path.exists():
                continue
            of = pd.read_parquet(path, columns=columns)
            of = of[(of["kind"] == "group") & (of["selection"] == "absolute")]
            steps = of.groupby("steps")[["target_cosine", "recovered"]].mean()
            peak = steps["target_cosine"].idxmax()
            known = table[(table["null"] == kind) & (table["selection"] == "absolute")]
            known = known[known["size"].isin(of["size"].unique())]
            rows.append(
                {
                    "solver": solver,
                    "kind": kind,
                    "words": of["word"].nunique(),
                    "cosine of the direction": known["cosine_ridge"].mean(),
                    "highest cosine of the ascent": steps["target_cosine"].max(),
                    "at step": f"{peak} of {steps.index.max()}",
                    "recovered there": steps.loc[peak, "recovered"],
                    "last cosine": steps["target_cosine"].iloc[-1],
                    "recovered at last": steps["recovered"].iloc[-1],
                }
            )
    return pd.DataFrame(rows)


def residuals(table: pd.DataFrame) -> np.ndarray:
    """Share of the ceiling reached, and recovery beyond the rule, by curve: (2, curves)."""
    table = table.assign(rest=table["recovered"] - table["rule"])
    means = table.groupby(CURVE)[["share_of_ceiling", "rest"]].mean().dropna()
    return means.to_numpy().T


def replicates(table: pd.DataFrame) -> str:
    """How many words, and replicates of null models, every study has."""
    told = []
    for (study, model), part in table.groupby(["study", "model"], sort=False):
        is_model = part["null"] == "model"
        words, count = part["word"][is_model].nunique(), part["replicate"][~is_model].nunique()
        told.append(f"{study}, {model}: {words} words, {count} of each null model")
    return "; ".join(told)


def draw(table: pd.DataFrame, curves: pd.DataFrame, files: FigureFiles) -> str:
    """Draw predicted against actual curves of absolute groups, and all points; return the alt text."""
    panels = list(curves.groupby(["study", "model"], sort=False))
    alt = alt_text("Recovery (%) by neurons in a group, absolute selection", told(panels))
    with figure(files, TWO_COLUMNS, 2.3, columns=len(panels) + 1, alt=alt) as axes:
        for axis, ((study, model), of) in zip(axes, panels, strict=False):
            for kind, style in KINDS.items():
                own = of[(of["null"] == kind) & (of["selection"] == "absolute")].sort_values("size")
                if not len(own):
                    continue
                look = {**style, "linestyle": "-", "markersize": 3}
                axis.plot(own["size"], 100 * own["recovered"], label=label(kind), **look)
                expected = {"color": style["color"], "linestyle": ":", "linewidth": 1.1}
                axis.plot(own["size"], 100 * own["rule"], **expected)
            sites = table.loc[(table["study"] == study) & (table["model"] == model), "site"]
            axis.set(title=f"{model}\n{sites.iloc[0]}", ylim=(-3, 103))
            size_axis(axis, sorted(of["size"].unique()))
            axis.set_xlabel("neurons")
        axes[0].set_ylabel("words recovered (%)")
        last = axes[-1]
        last.plot([0, 100], [0, 100], color="0.7", linewidth=0.8)
        for kind, style in KINDS.items():
            own = curves[curves["null"] == kind]
            last.plot(100 * own["rule"], 100 * own["recovered"], color=style["color"],
                      marker=style["marker"], linestyle="", markersize=2.5, alpha=0.8)  # fmt: skip
        last.set(title="all curves", xlabel="expected (%)", ylim=(-3, 103))
        shared_legend(axes)
    return alt


def told(panels) -> list[str]:
    """Every curve and its prediction in words."""
    found = []
    for (study, model), of in panels:
        for kind in KINDS:
            own = of[(of["null"] == kind) & (of["selection"] == "absolute")].sort_values("size")
            for column, name in (("recovered", "recovered"), ("rule", "expected")):
                if not len(own):
                    continue
                line = f"{study}, {model}, {kind}, {name}"
                found.append(course(line, own["size"], 100 * own[column], " %"))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="results/benchmarks/recovery_rule")
    parser.add_argument("--page", default="docs/recovery.md")
    parser.add_argument("--along", default=ALONG, help="optima of the experiment `explanation`")
    given = parser.parse_args()
    main(sorted(Path(given.tables).glob("*.csv")), given.along, given.page)
