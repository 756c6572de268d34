"""What one checkout has fetched and computed, another takes from a cache that both name."""

import numpy as np
import pytest

from workflow import copy_of_the_project, snakemake

MATRICES = [f"results/test/tiny-deep/activations/{site}.npy" for site in ("output", "intermediate")]
WEIGHTS = "results/_models/tiny-deep-*/model.safetensors"

pytestmark = pytest.mark.campaign


def run(folder, cache, *words) -> str:
    words = ["--configfile", "config/test.yaml", *words, "--cache", "--", *MATRICES]
    return snakemake(folder, *words, overlay=None, SNAKEMAKE_OUTPUT_CACHE=str(cache))


def test_a_second_checkout_takes_what_the_first_one_made(tmp_path):
    first, second = (copy_of_the_project(tmp_path / name) for name in ("first", "second"))
    cache = tmp_path / "cache"
    cache.mkdir()
    run(first, cache)
    text = run(second, cache)
    assert "word_activations" in text and text.count("from cache") >= 3
    (weights,) = (str(path.relative_to(first)) for path in first.glob(WEIGHTS))
    for path in [weights, *MATRICES]:
        assert (first / path).resolve() == (second / path).resolve()
        assert (second / path).resolve().parent == cache
    # Each site has an entry of its own.
    one, other = (np.load(second / path) for path in MATRICES)
    assert one.shape != other.shape
    # And so have each position that is read and each dtype: the first one's matrices stay as they are.
    kept = {path: (first / path).read_bytes() for path in MATRICES}
    for other in ("read=cls", 'ascent={"dtype": "float64"}'):
        run(second, cache, "--config", other)
        for path in MATRICES:
            assert (second / path).resolve().parent == cache
            assert (first / path).read_bytes() == kept[path] != (second / path).read_bytes()
