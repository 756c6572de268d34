"""The study again on other threads, in other batches, as on another processor: the same within rounding.

What the README states, and no more: bit for bit only where machine, threads and batches are the same
(test_kills.py and test_random_edits.py compare that).
"""

import numpy as np
import pandas as pd
import pytest

from workflow import copy_of_the_project, read_settings, snakemake, write_settings

pytestmark = pytest.mark.campaign

#: As the README states it, of float32: relative for activations, absolute for cosines.
TOLERANCE = 1e-5
MODEL = "results/test/tiny-deep"
#: What was computed from the optima, whatever they were computed on.
KEYS = {
    "singles": ["site", "layer", "index", "restart"],
    "groups": ["word", "selection", "scope", "scope_layer", "size", "restart"],
}


def other_batches(settings):
    settings["ascent"]["singles"]["per_job"], settings["ascent"]["groups"]["per_job"] = 5, 7
    settings["nulls"]["per_job"], settings["activations"]["words_per_pass"] = 1, 100


def other_threads(settings):
    settings["ascent"]["threads"] = settings["activations"]["threads"] = 2


def nothing(settings):
    pass


#: The plainest instructions that each library can be told to keep to.
OLD_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
}


def run(folder, edit=nothing, **variables):
    copy_of_the_project(folder)
    settings = read_settings(folder)
    edit(settings)
    write_settings(folder, settings)
    # The optima and what is said of them; no tables or figures of these.
    snakemake(folder, *(f"{MODEL}/{kind}.parquet" for kind in KEYS), **variables)
    return folder


@pytest.mark.parametrize(
    ("edit", "variables"),
    [(other_batches, {}), (other_threads, {"OMP_NUM_THREADS": "2"}), (nothing, OLD_PROCESSOR)],
    ids=["batches", "threads", "processor"],
)
def test_the_study_is_the_same_within_rounding(undisturbed, tmp_path, edit, variables):
    other = run(tmp_path / "other", edit, **variables)
    for kind, keys in KEYS.items():
        ours, theirs = (
            pd.read_parquet(folder / MODEL / f"{kind}.parquet") for folder in (undisturbed, other)
        )
        same = [*keys, "nearest_word", "best_word", "largest_entries"]
        pd.testing.assert_frame_equal(ours[same], theirs[same])
        np.testing.assert_allclose(theirs["activation"], ours["activation"], rtol=TOLERANCE)
        cosines = [name for name in ours if "cosine" in name]
        assert cosines
        for name in cosines:
            np.testing.assert_allclose(theirs[name], ours[name], rtol=0, atol=TOLERANCE)
        one, two = (
            np.load(folder / MODEL / f"{kind}_embeddings.npy") for folder in (undisturbed, other)
        )
        lengths = np.linalg.norm(one, axis=-1, keepdims=True)
        assert one.shape == two.shape
        assert np.abs(one - two).max() < TOLERANCE * lengths.max()
