"""The study again on other threads, in other batches, as on another processor: the same within rounding.

What the README states, and no more: bit for bit only where machine, threads and batches are the same
(test_kills.py and test_random_edits.py compare that). By L-BFGS in float64, what is printed is the same.
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


def by_lbfgs(settings):
    """Ascend as the default study does, with fewer nulls."""
    lbfgs = {"angle": 1.0, "memory": 30, "power": 1.0}
    settings["ascent"] |= {"solver": "lbfgs", "lbfgs": lbfgs, "dtype": "float64"}
    settings["nulls"] |= {"models": ["permuted"], "objectives": ["other_word"]}


def by_lbfgs_otherwise(settings):
    for edit in (by_lbfgs, other_batches, other_threads):
        edit(settings)


#: The optima and what is said of them; no tables or figures of these.
OPTIMA = [f"{MODEL}/{kind}.parquet" for kind in KEYS]


def run(folder, edit=nothing, wanted=OPTIMA, **variables):
    copy_of_the_project(folder)
    settings = read_settings(folder)
    edit(settings)
    write_settings(folder, settings)
    snakemake(folder, *wanted, **variables)
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


def test_every_printed_number_is_the_same_by_lbfgs_in_float64(tmp_path):
    wanted = ["results/test/claims.csv", *OPTIMA]
    usual = run(tmp_path / "usual", by_lbfgs, wanted)
    # All that rounding depends on, at once.
    other = run(
        tmp_path / "other", by_lbfgs_otherwise, wanted, OMP_NUM_THREADS="2", **OLD_PROCESSOR
    )
    one, two = (folder / "results/test/claims.md" for folder in (usual, other))
    assert one.read_text() == two.read_text()
    numbers = []
    for kind, keys in KEYS.items():
        ours, theirs = (pd.read_parquet(f / MODEL / f"{kind}.parquet") for f in (usual, other))
        same = [*keys, "nearest_word", "best_word", "largest_entries"]
        same += [name for name in ours if name in ("recovered", "target_rank", "nearest_words")]
        pd.testing.assert_frame_equal(ours[same], theirs[same])
        numbers.append((ours["activation"] - theirs["activation"]).abs().max())
    # The runs did compute in another way.
    assert max(numbers) > 0
