"""L-BFGS in float64 on another processor, or in other batches: the same numbers and words."""

import os
import subprocess
import sys

import pytest

from paths import DATA, ROOT

#: Prints the table of some optima as people read it, then their activations to the last bit.
PROGRAM = """
import sys
import textualization as tx
from textualization.ascent import batching

folder, threads, together = sys.argv[1], *map(int, sys.argv[2:])
batching.BUSY_ROWS = {"cpu": 3 * together}
model = tx.load(folder, device="cpu")
model.dtype = "float64"
words = model.words["word"][model.candidates][::25]
groups = {word: model.neurons_of(word, 12, selection="z_score") for word in words}
neurons = [f"output/{layer}/{index}" for layer in (1, 2, 3) for index in range(0, 16, 2)]
how = {"solver": "lbfgs", "steps": 60, "power": 1.0, "dtype": "float64", "threads": threads}
optima = tx.ascend(model, neurons, groups, **how)
print([sorted(group) for group in groups.values()])
print(optima.table().to_csv(float_format="%.5g"))
print([value.hex() for value in optima.activation])
"""
OLD_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
}


def printed(threads, together, **variables) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, str(DATA / "tiny-deep"), str(threads), str(together)]
    own = {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": str(threads)} | variables
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def usual():
    return printed(threads=1, together=512)


@pytest.mark.parametrize(
    ("threads", "together", "variables"),
    [(1, 512, OLD_PROCESSOR), (2, 5, {})],
    ids=["old", "batches"],
)
def test_numbers_and_words_are_the_same(usual, threads, together, variables):
    found = printed(threads, together, **variables)
    assert found[:-1] == usual[:-1]
    # It did add in another order.
    assert found[-1] != usual[-1]
