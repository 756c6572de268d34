"""On a GPU the same optima: within rounding of a CPU's, and with themselves to the last bit."""

import pytest
import torch

from ascents import (
    GROUPS,
    SAME,
    SOLVERS,
    ascend,
    assert_close,
    assert_identical,
    starts_for,
    until_finished,
)
from make_tiny_families import FAMILIES, write_family
from textualization.ascent.batching import BUSY_ROWS, fitting_batch, memory_left
from textualization.ascent.cuda_graph import CALLS, Evaluation
from textualization.ascent.loop import AscentSettings, make_solver
from textualization.ascent.objectives import mean_of
from textualization.ascent.snapshots import Snapshots
from textualization.models.conversion import convert
from textualization.models.transformer import SITES, FrozenTransformer, Tap
from tiny import load_tiny

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

MANY = GROUPS * 5


def on_both(name="tiny-deep", dtype=torch.float64, **options):
    """The same model on a CPU and on a GPU."""
    return [load_tiny(name, dtype, device=device, **options)[0] for device in ("cpu", "cuda")]


def on_the_gpu(name="tiny-deep", dtype=torch.float32, **options):
    return load_tiny(name, dtype, device="cuda", **options)[0]


def starts(count, dtype=torch.float32):
    """e₀ on the CPU: ascent itself takes it to the GPU."""
    return starts_for(load_tiny("tiny-deep")[0], count, dtype)[1]


def on_the_cpu(optima):
    return type(optima)(
        **{k: v.cpu() if torch.is_tensor(v) else v for k, v in vars(optima).items()}
    )


@pytest.mark.parametrize("name", ["tiny-wide", "tiny-deep"])
@pytest.mark.parametrize("read", ["word", "cls"])
def test_activations_are_those_of_a_cpu(name, read):
    cpu, gpu = on_both(name, read=read)
    taps = [Tap(site, layer) for site in SITES for layer in range(1, cpu.layers + 1)]
    found = gpu.activations(gpu.word_embeddings, taps)
    for tap, expected in cpu.activations(cpu.word_embeddings, taps).items():
        torch.testing.assert_close(found[tap].cpu(), expected, rtol=1e-10, atol=1e-11)


def test_values_and_gradients_are_those_of_a_cpu():
    cpu, gpu = on_both()
    _, start = starts_for(cpu, len(GROUPS))
    expected = mean_of(GROUPS, cpu).value_and_gradient(cpu, start)
    found = mean_of(GROUPS, gpu).value_and_gradient(gpu, start.cuda())
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
def test_ascents_end_where_those_of_a_cpu_do(solver):
    cpu, gpu = on_both()
    _, start = starts_for(cpu, len(MANY))
    # Few enough steps that rounding has not grown.
    expected, found = (ascend(m, MANY, start, 10, solver=solver) for m in (cpu, gpu))
    assert_close(on_the_cpu(found), expected, SAME[solver])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("options", [{}, {"length": 3, "place": 2}])
def test_what_is_recorded_gives_the_bits_of_what_is_called(family, options, tmp_path):
    write_family(tmp_path, family)
    model = FrozenTransformer(*convert(tmp_path, family), device="cuda", **options)
    objectives = mean_of(GROUPS, model)
    evaluate = Evaluation(objectives, model)
    draw = torch.Generator().manual_seed(3)
    kept = []
    for call in range(CALLS + 3):
        inputs = 10 * torch.randn(len(GROUPS), model.free, generator=draw).cuda()
        assert evaluate.recorded == (call > CALLS)
        found, expected = evaluate(inputs), objectives.value_and_gradient(model, inputs)
        kept.append((found, expected))
    assert evaluate.recorded
    # Looked at only now: no call wrote where another's results are.
    for found, expected in kept:
        assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("batch", [3, 7])
def test_refilled_batches_find_the_same(batch):
    gpu = on_the_gpu(dtype=torch.float64)
    start = starts(len(MANY), torch.float64)
    settings = {"steps": 40, "tolerance": 0.002, "window": 4}
    together = ascend(gpu, MANY, start, **settings)
    assert len(set(together.taken.tolist())) > 1
    found = ascend(gpu, MANY, start, batch=batch, **settings)
    assert_close(on_the_cpu(found), on_the_cpu(together))


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_gpu_gives_the_same_bits_again(solver):
    gpu = on_the_gpu()
    start = starts(len(MANY))
    one, two = (ascend(gpu, MANY, start, 60, solver=solver) for _ in range(2))
    assert_identical(on_the_cpu(one), on_the_cpu(two))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("patience", [2, 11])
def test_an_interrupted_ascent_ends_bit_for_bit_where_a_whole_one_does(solver, patience, tmp_path):
    gpu = on_the_gpu()
    start = starts(len(MANY))
    how = {"steps": 40, "batch": 6, "tolerance": 0.002, "window": 4, "solver": solver}
    whole = ascend(gpu, MANY, start, **how)
    found, interruptions = until_finished(
        lambda progress: ascend(
            gpu,
            MANY,
            start,
            snapshots=Snapshots(tmp_path / "a", "mine", every=0),
            progress=progress,
            **how,
        ),
        patience,
    )
    assert interruptions > 2
    assert_identical(on_the_cpu(found), on_the_cpu(whole))


def test_a_batch_is_held_by_what_the_gpu_has_left():
    gpu = on_the_gpu()
    free = memory_left("cuda", 1.0)
    assert 0 < free <= torch.cuda.get_device_properties(0).total_memory
    solver = make_solver(AscentSettings("paper"), gpu)
    assert fitting_batch(gpu, solver, gpu.layers, free) == BUSY_ROWS["cuda"] // 3


def test_what_cannot_be_recorded_is_called(caplog):
    class Waits:
        def value_and_gradient(self, model, inputs):
            return inputs.sum(dim=1) * float(inputs.abs().max()), inputs

    evaluate = Evaluation(Waits(), on_the_gpu())
    with caplog.at_level("INFO"):
        for _ in range(CALLS + 2):
            value, _ = evaluate(torch.full((2, 3), 2.0, device="cuda"))
            assert value.tolist() == [12.0, 12.0]
    assert not evaluate.recorded
    assert "launched one by one" in caplog.text
