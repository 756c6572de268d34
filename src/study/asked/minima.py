"""A neuron's minimum, found by a new ascent with the settings of a study of maxima."""

from dataclasses import replace

import numpy as np
import pandas as pd

from study.asked.finished import FinishedStudy
from study.asked.new_ascents import ascend_as_in
from study.config.experiments import protocol
from textualization.analysis.describe import ended
from textualization.analysis.explanation import explanation
from textualization.analysis.similarity import several_nearest_words
from textualization.ascent.objectives import mean_of


def minimum_of(study: FinishedStudy, neuron: tuple[str, int, int]) -> dict:
    """Ascend to a neuron's minimum from the x₀ of its maximum, and compare it with the words.

    Args:
        study: a study of maxima.
        neuron: (site, layer, index).

    Returns:
        Of the first start: `activation` (the lowest), `start_activation`, `floor` (NaN if there is
        none), `taken`, `converged`, `collapsed`, `nearest` (pairs of a word and its cosine), and
        `explanation`, `start_explanation`, `precision_…`: how well closeness predicts which words
        activate least. `starts`: the lowest activation from every start. `least`: pairs of a word and
        its activation, the lowest first.
    """
    settings, model = study.settings, study.load()
    statistics, (site, layer, index) = settings["statistics"], neuron
    table = pd.DataFrame(
        [
            {"neurons": [neuron], "identity": ("single", *neuron, restart), "sign": -1}
            for restart in range(settings["ascent"]["singles"]["restarts"])
        ]
    )
    optima = ascend_as_in(study, model, table, protocol(settings, "singles"))
    transformer, candidates = model.transformer(), np.flatnonzero(model.candidates)
    names, e = model.words["word"].to_numpy(), model.embeddings
    by_words = study.matrices([site])[site][layer - 1, candidates, index].astype(np.float64)
    shown = statistics["nearest_words"]
    ids, cosines = several_nearest_words(optima.embedding[:1], e, model.candidates, shown)
    least = np.argsort(by_words, kind="stable")[:shown]
    # What sinks to a minimum rises with the opposite sign.
    risen = replace(optima, curve=-optima.curve)
    end = ended(risen, statistics["convergence"], statistics["collapse"]).iloc[0]
    measured = explanation(
        optima.embedding[:1], optima.start[:1], e[candidates], -by_words[:, None]
    ).iloc[0]
    return {
        "activation": float(optima.activation[0]),
        "starts": optima.activation.tolist(),
        "start_activation": float(optima.curve[0, 0]),
        "floor": float(mean_of([[neuron]], transformer).floor(transformer)[0]),
        "taken": int(optima.taken[0]),
        "converged": bool(end["converged"]),
        "collapsed": bool(end["collapsed"]),
        "nearest": list(zip(names[ids[0]], cosines[0], strict=True)),
        "least": list(zip(names[candidates[least]], by_words[least], strict=True)),
    } | measured.to_dict()
