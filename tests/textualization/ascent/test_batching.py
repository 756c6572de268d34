"""How many ascend together grows with the memory that is left, up to what keeps the device busy."""

import pytest

from textualization.ascent.batching import BUSY_ROWS, fitting_batch, memory_left
from textualization.ascent.loop import AscentSettings, make_solver
from tiny import load_tiny

MB = 2**20


@pytest.fixture(scope="module")
def wide():
    return load_tiny("tiny-wide")[0]


def solver_for(model, name, **options):
    return make_solver(AscentSettings(name, options=options), model)


@pytest.mark.parametrize("solver", ["paper", "sphere", "lbfgs"])
@pytest.mark.parametrize("deepest", [1, 2])
def test_a_batch_grows_with_memory_until_the_device_is_busy(wide, solver, deepest):
    solver = solver_for(wide, solver)
    found = [fitting_batch(wide, solver, deepest, mb * MB) for mb in (0.5, 1, 2, 4, 1024, 1e9)]
    assert found[0] < found[1] < found[2] and found == sorted(found)
    # In proportion, but for rounding.
    assert found[1] in (2 * found[0], 2 * found[0] + 1)
    # Three tokens' rows per objective, or one in the first block.
    assert found[-1] == BUSY_ROWS["cpu"] // (1 if deepest == 1 else 3)


def test_deeper_layers_and_longer_memories_leave_room_for_fewer(wide):
    def room(deepest=1, solver="paper", **options):
        return fitting_batch(wide, solver_for(wide, solver, **options), deepest, MB)

    assert room(deepest=1) > room(deepest=2) >= 1
    assert room() > room(solver="lbfgs", memory=5) > room(solver="lbfgs", memory=30) >= 1


def test_too_little_memory_for_one_is_an_error_that_says_what_to_give(wide):
    solver = solver_for(wide, "lbfgs")
    for memory in (0, 1000, -5.0 * MB):
        with pytest.raises(MemoryError, match=r"MiB are left .* layer 2: .*more \(mem_mb\)"):
            fitting_batch(wide, solver, 2, memory)


def test_what_is_left_on_a_cpu_is_the_allowance_less_what_was_taken():
    left = memory_left("cpu", 1e5)
    # This very process holds torch, and less than all.
    assert 0 < left < (1e5 - 50) * MB
    assert memory_left("cpu", 1e5 + 1000) - left <= 1000 * MB
