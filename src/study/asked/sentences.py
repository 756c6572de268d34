"""Sentences of a study's corpus for a neuron that the study did not ascend on."""

from pathlib import Path

import pandas as pd

from study.asked.finished import FinishedStudy
from study.config.corpus import corpus_file
from study.config.reading import reading
from study.texts.corpus_readings import best_in, open_for_texts
from textualization.corpora import check_corpus
from textualization.errors import RequestError
from textualization.report.atlas_sentences import in_their_texts

#: Operations that are read at once: about half a minute of a CPU core.
QUICK = 3e12
#: Bytes of a corpus per token of it, about.
BYTES_PER_TOKEN = 4


def sentences_now(study: FinishedStudy, name: str, root: Path) -> tuple[list[list], str]:
    """Read the study's corpus for a neuron, if that is quick.

    Args:
        study: the study.
        name: the neuron's site/layer/index, without a sign.
        root: the project's folder.

    Returns:
        The entries of the atlas (see `textualization.report.atlas_sentences`), and what is to be said of
        them: where they are from, or why there are none. Nothing, if the study has no corpus.
    """
    if (corpus := corpus_file(study.settings, root)) is None:
        return [], ""
    try:
        check_corpus(corpus)
        if _operations(study, corpus, int(name.split("/")[1])) > QUICK:
            return [], (
                f"not read for this neuron, which takes long; in Python: "
                f'tx.best_sentences(model, "{corpus}", neurons=["{name}"]).table()'
            )
        weights, how = study.weights(), reading(study.settings)
        tokenizer = weights.parent / "tokenizer.json"
        model = open_for_texts(weights, how, tokenizer, study.words(), "auto")
        objective = pd.DataFrame({"kind": ["singles"], "objective": [name], "neurons": [None]})
        top = study.settings["statistics"]["best_sentences"]
        tokens, found = best_in(model, corpus, objective, how, study.settings["seed"], top)
    except RequestError as error:
        return [], f"not read: {error}"
    return in_their_texts(tokens, [name])[0], f"of {found['tokens'][0]:,} tokens, read now"


def _operations(study: FinishedStudy, corpus: Path, layer: int) -> float:
    """Estimate the operations that reading a corpus up to a layer takes."""
    hidden = study.settings["catalogue"][study.model]["hidden"]
    return corpus.stat().st_size / BYTES_PER_TOKEN * 24 * hidden**2 * layer
