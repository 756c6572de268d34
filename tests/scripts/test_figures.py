"""Every figure draws small studies without a warning: one selection, size, layer, model or word."""

import importlib
import itertools
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.numpy import save_file

from paths import ROOT
from textualization.analysis.estimates import Intervals
from textualization.report import plotting
from textualization.report.plotting import FigureFiles

PAPER = yaml.safe_load((ROOT / "resources/paper.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Study:
    """What a study has of each."""

    selections: tuple = ("absolute", "z_score")
    sizes: tuple = (4, 24)
    layers: tuple = (1, 2, 3)
    nulls: tuple = ("permuted", "untrained")
    words: tuple = ("apple", "river", "house")
    models: tuple = ("tiny-deep", "tiny-wide")
    value: float = 0.5


STUDIES = {
    "whole": Study(),
    "one selection": Study(selections=("absolute",)),
    "no null models": Study(nulls=()),
    "one of all": Study(("absolute",), (4,), (1,), (), ("apple",), ("tiny-deep",)),
    "nothing reached": Study(value=np.nan),
}


def rows(study, *columns, **keys):
    """A table with a row for every combination of keys; other columns hold the study's value."""
    combinations = itertools.product(*keys.values())
    table = pd.DataFrame(
        [dict(zip(keys, row, strict=True)) for row in combinations], columns=[*keys]
    )
    return table.assign(**{column: study.value for column in columns})


def bounds(*columns):
    return [f"{column}{end}" for column in columns for end in ("", "_low", "_high")]


INTERVAL = ("ci_low", "ci_high")
NULL_COLUMNS = ("null_value", "null_low", "null_high", "excess", "excess_low", "excess_high")
SCOPE = {"scope": ["model"]}


def singles(study):
    table = rows(study, layer=study.layers, index=[0, 1], site=["output"], ceiling=[2.0])
    return table.assign(nearest_cosine=0.5, start_nearest_cosine=0.4)


def summary(study):
    names = [
        f"{kind}_word_{q}" for kind in ("best", "mean", "nearest") for q in ("median", "q25", "q75")
    ]
    names += ["nearest_cosine", *INTERVAL, "start_nearest_cosine"]
    return rows(study, *names, site=["output"], layer=[*study.layers, "all"])


def recovery(study):
    names = ["recovery", *INTERVAL, *bounds("target_cosine"), "nearest_cosine"]
    return rows(study, *names, selection=study.selections, size=study.sizes, **SCOPE)


def thresholds(study, **keys):
    chosen = {"selection": study.selections, "percent": [50, 67]} | SCOPE | keys
    return rows(study, "neurons", *INTERVAL, **chosen).assign(neurons=10 * study.value)


def nulls_groups(study):
    claims = [f"group.recovery.{s}.{n}" for s in study.selections for n in study.sizes]
    claims += [f"group.threshold.{s}.{p}" for s in study.selections for p in (50, 67)]
    return rows(study, *NULL_COLUMNS, claim=claims, null_model=study.nulls)


def claims(study):
    names = ["single.nearest_cosine", "group.recovery.absolute.4"]
    own = rows(study, "value", claim=names, model=study.models, null_model=[None])
    verdicts = {"verdict": ["above null"]}
    of_nulls = rows(
        study, *NULL_COLUMNS, claim=names, model=study.models, null_model=study.nulls, **verdicts
    )
    return pd.concat([own, of_nulls])


def curves(table):
    steps = pd.DataFrame({"step": [0, 1, 5], "activation": [0.1, 0.5, 1.0]})
    return pd.DataFrame({"row": range(len(table))}).merge(steps, how="cross")


def numbers(study, statistics, **keys):
    """The numbers of an experiment: of the model, and of its null models."""
    chosen = {"statistic": statistics, "of": ["group"], "size": study.sizes} | keys
    own = rows(study, "value", *INTERVAL, **chosen)
    of_nulls = rows(study, *NULL_COLUMNS, null_model=study.nulls, **chosen)
    return pd.concat([own.assign(null_model=None), of_nulls])


def explained(study):
    names = {
        "model": ["model", *study.nulls],
        "direction": ["optimum", "start", "gradient", "best_word", "top_words", "ridge"],
    }
    layers = [*map(str, study.layers), "all"]
    of_singles = rows(
        study, "explanation", *INTERVAL, of=["singles"], site=["output"], layer=layers, **names
    )
    selections = {"of": ["groups"], "selection": study.selections, "size": study.sizes}
    return pd.concat([of_singles, rows(study, "explanation", *INTERVAL, **selections, **names)])


def of_models(study):
    sizes = [f"matched.recovery.{s}.{n}" for s in study.selections for n in study.sizes]
    sizes += [f"matched.threshold.{s}.67" for s in study.selections] + ["single.nearest_cosine"]
    names = ["value", "low", "high", "share", "share_low", "share_high"]
    names += bounds(*(f"{null}_excess" for null in study.nulls))
    return rows(study, *names, quantity=sizes, model=study.models)


def weights(folder):
    save_file({"word_embeddings": np.random.default_rng(0).normal(size=(30, 8))}, folder / "w")
    return folder / "w"


def optima(study):
    keys = {"null": ["model", *study.nulls], "kind": ["single", "group"], "word": study.words}
    table = rows(
        study, length=[1, 2], block=["a"], draw=[0], site=["output"], layer=study.layers, **keys
    )
    names = ["index", "item", "label", "size", "scope", "scope_layer", "selection", "activations"]
    table = table.assign(
        **dict.fromkeys([*names, "reading", "restart", "basis"], 0), activation=table["length"]
    )
    return table.assign(nearest_cosine=0.5, recovered=1.0, nearest_cosine_elsewhere=0.3)


#: Conditions and their names in the figure.
CONDITIONS = {"paper": "paper", "steps steps=3": "steps=3"}
STALLS = {"null": ["model"], "of": ["single"], "block": ["rate_and_scale"], "rate": [1.0, 10.0]}
#: What each figure draws: tables by the parameter of its script, and other arguments.
FIGURES = {
    "figures/cosine": lambda s, f: {"recovery": recovery(s), "scope": "model"},
    "figures/curves": lambda s, f: {
        "singles": singles(s),
        "single_curves": curves(singles(s)),
        "groups": (groups := rows(s, size=s.sizes, word=s.words, ceiling=[2.0])),
        "group_curves": curves(groups),
    },
    "figures/explanation": lambda s, f: {
        "explanation": explained(s),
        "site": "output",
    },
    "figures/nearest": lambda s, f: {
        "singles": singles(s),
        "nulls": [rows(s, site=["output"], null=[n], nearest_cosine=[0.1, 0.2]) for n in s.nulls],
        "inputs": rows(s, site=["output"], null=["chance"], nearest_cosine=[0.1]),
        "start": True,
        "paper": PAPER,
        "site": "output",
    },
    "figures/nulls": lambda s, f: {"claims": claims(s), "model": s.models[0]},
    "figures/projection": lambda s, f: {
        "weights": weights(f),
        "words": pd.DataFrame({"candidate": [True] * 30}),
        "singles": np.ones((len(s.layers), 8)) + np.eye(8)[: len(s.layers)],
        "groups": np.eye(8)[: len(s.sizes)],
        "group_table": pd.DataFrame({"size": s.sizes}),
        "directions": 3,
        "seed": 0,
    },
    "figures/recovery": lambda s, f: {
        "recovery": recovery(s), "nulls": nulls_groups(s), "paper": PAPER, "scope": "model",
    },
    "figures/relative_selection": lambda s, f: {
        "selections": rows(
            s, "recovery_difference", *INTERVAL, "shared_neurons", "shared_by_chance",
            size=s.sizes, **SCOPE, selection=[n for n in s.selections[1:] if n != "absolute"],
        ),
        "scope": "model",
    },
    "figures/singles": lambda s, f: {"singles": singles(s), "summary": summary(s), "paper": PAPER},
    "figures/thresholds": lambda s, f: {
        "thresholds": thresholds(s),
        "by_word": thresholds(s, word=s.words),
        "nulls": nulls_groups(s),
        "paper": PAPER,
        "sizes": list(s.sizes),
        "scope": "model",
    },
    "figures/utilisation": lambda s, f: {
        "utilisation": rows(
            s, *bounds("mean_word_of_optimum", "mean_word_of_ceiling", "optimum_of_ceiling"),
            "geometry_of_ceiling", site=["output"], layer=s.layers, of=["model", *s.nulls],
        ),
        "paper": PAPER,
        "site": "output",
    },
    "comparison/figure_models": lambda s, f: {
        "numbers": of_models(s), "models": list(s.models), "level": 67,
    },
    "experiments/figure_basis": lambda s, f: {
        "numbers": pd.concat(
            [
                numbers(
                    replace(s, sizes=(1,)), ["nearest_cosine", "explanation", "utilisation_best_word"],
                    of=["single", "leading"], condition=["neurons", "principal"],
                ),
                numbers(s, ["recovered"], condition=["neurons", "mine basis=a/b.safetensors"]),
            ]
        ),
    },
    "experiments/figure_contexts": lambda s, f: {
        "nearest": rows(
            s, "context", "own_word", "another_word",
            kind=["sense"], condition=s.selections, size=s.sizes, null=["model", *s.nulls],
        ),
        "senses": rows(
            s, *bounds("own_less_other"),
            kind=["sense"], condition=s.selections, size=s.sizes, null=["model", *s.nulls],
        ),
    },
    "experiments/figure_decomposition": lambda s, f: {
        "explained": rows(
            s, "explained", *INTERVAL,
            null=["model", *s.nulls], of=["single", "group"], condition=["a"], words=s.sizes,
        ),
        "paths": rows(
            s, "cosine", *INTERVAL,
            null=["model"], of=["single"], other=["its nearest word"], condition=["a"], layer=s.layers,
        ),
        "blocks": ["a"],
    },
    "experiments/figure_input_length": lambda s, f: {
        "optima": [optima(s)], "intervals": Intervals(0.95, 50, 0),
    },
    "experiments/figure_parametrisation": lambda s, f: {
        "numbers": numbers(
            s, ["nearest_cosine", "activation_share"], block=["a"], condition=s.selections
        ),
        "front": rows(
            s, "nearest_cosine", "activation_share", of=["group"], condition=["a"], on_front=[True]
        ),
        "blocks": ["a"],
    },
    "experiments/figure_explanation": lambda s, f: {
        "numbers": numbers(
            s, ["activation_share", "explanation"],
            of=["single", "group"], block=["a"], condition=["a steps=1", "a steps=20"],
        ),
        "blocks": ["a", "b"],
    },
    "experiments/figure_robustness": lambda s, f: {
        "numbers": numbers(replace(s, sizes=(1,)), ["threshold_67"], condition=list(CONDITIONS)),
        "freezing": rows(s, "activation_share", "norm", "gain_at_the_end", **STALLS, init_scale=[1.0]),
        "paper": PAPER,
    },
    "experiments/figure_selection": lambda s, f: {
        "numbers": numbers(s, ["recovered"], condition=s.selections),
        "sharing": rows(
            s, "share", *INTERVAL, *s.nulls,
            relation=["synonym"], size=s.sizes, condition=["absolute"],
        ),
    },
    "experiments/figure_text": lambda s, f: {
        "numbers": pd.concat(
            [
                numbers(
                    of_size,
                    [
                        "share_of_ceiling", "explanation", "explanation_top",
                        "explanation_sentences", "explanation_top_sentences",
                    ],
                    of=[of], block=[block], condition=conditions,
                )
                for of, of_size in (("single", replace(s, sizes=(1,))), ("group", s))
                for block, conditions in (("text", ["text length=2"]), ("optimum", ["optimum"]))
            ]
        ),
    },
}  # fmt: skip


def stored(value, path):
    """The path of a table or array in its file, a list of these; another value as it is."""
    if isinstance(value, list) and value and isinstance(value[0], pd.DataFrame):
        return [stored(part, path.with_name(f"{path.name}-{n}")) for n, part in enumerate(value)]
    if isinstance(value, np.ndarray):
        np.save(path.with_suffix(".npy"), value)
        return path.with_suffix(".npy")
    if not isinstance(value, pd.DataFrame):
        return value
    # A file that readers of either format take.
    value.to_csv(path.with_suffix(".csv"), index=False)
    value.to_pickle(path.with_suffix(".parquet"))
    return path


def draw(script, study, folder, monkeypatch):
    """Draw a figure; a warning fails the test."""
    module = importlib.import_module(f"scripts.{script.replace('/', '.')}")
    given = {name: stored(v, folder / name) for name, v in FIGURES[script](study, folder).items()}
    read = pd.read_csv, pd.read_pickle
    monkeypatch.setattr(pd, "read_csv", lambda path, **how: read[0](f"{path}.csv", **how))
    monkeypatch.setattr(pd, "read_parquet", lambda path: read[1](f"{path}.parquet"))
    monkeypatch.setitem(plotting.STYLE, "savefig.dpi", 50)  # faster
    files = FigureFiles(*(str(folder / f"figure.{kind}") for kind in ("pdf", "png", "txt")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.main(**given, files=files)
    return files


def test_every_figure_is_tried():
    scripts = [*ROOT.glob("scripts/figures/*.py"), *ROOT.glob("scripts/*/figure_*.py")]
    assert {f"{path.parent.name}/{path.stem}" for path in scripts} == set(FIGURES)


@pytest.fixture
def axes(monkeypatch):
    """The axes of the last figure that was drawn."""
    drawn = []

    class Kept(plotting.Figure):
        def subplots(self, *arguments, **options):
            drawn[:] = [super().subplots(*arguments, **options)]
            return drawn[0]

    monkeypatch.setattr(plotting, "Figure", Kept)
    return lambda: drawn[0].ravel()


def test_null_models_are_drawn_under_every_condition(tmp_path, monkeypatch, axes):
    draw("experiments/figure_robustness", Study(), tmp_path, monkeypatch)
    left, _ = axes()
    names = [text.get_text() for text in left.get_yticklabels()]
    assert names == [*CONDITIONS.values()][::-1]
    for null in Study.nulls:
        marker = plotting.NULLS[null]["marker"]
        drawn = [line.get_ydata() for line in left.lines if line.get_marker() == marker]
        places = [y[0] for y in drawn if len(y)]  # the legend has an empty line
        assert places == [-0.25, 0.75]


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
@pytest.mark.parametrize("script", FIGURES)
def test_a_figure_draws_without_a_warning(script, study, tmp_path, monkeypatch):
    files = draw(script, study, tmp_path, monkeypatch)
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF") and files
