"""Each solver is its definition, sees no other row, and ascends as far as it says."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import yaml

import reference
from ascents import GROUPS, ascend, starts_for
from paths import ROOT
from textualization.ascent.solvers import SOLVERS, Lbfgs, Sphere, matrix_power
from textualization.ascent.starts import optimum_vector
from tiny import FRAME, load_tiny

H = 12


def quadratic(seed):
    """A symmetric matrix whose largest eigenvalue stands alone; that eigenvector."""
    draw = np.random.default_rng(seed)
    vectors = np.linalg.qr(draw.normal(size=(H, H)))[0]
    values = np.r_[draw.uniform(0.5, 3.0, H - 1), 4.0]
    return (vectors * values) @ vectors.T, vectors[:, -1]


def value_and_gradient(matrices, points):
    """½ e'Ae, a matrix for every row."""
    moved = torch.einsum("nij,nj->ni", matrices, points)
    return 0.5 * (points * moved).sum(dim=1), moved


def begun(solver, start):
    """The state at a start. These solvers do not depend on the number of steps."""
    return solver.begin(start, torch.ones(len(start), dtype=torch.long))


def drive(solver, matrices, start, steps, scale=1.0):
    """The points a solver looks at, (steps + 1, n, H), and its last state."""
    state, looked = begun(solver, start), []
    for step in range(steps + 1):
        looked.append(solver.look(state))
        value, gradient = value_and_gradient(matrices, looked[-1])
        done = torch.full_like(value, step / steps)
        state = solver.move(state, scale * value, scale * gradient, done)
    return torch.stack(looked), state


def problem(rows=4):
    matrices, tops = zip(*(quadratic(seed) for seed in range(rows)), strict=True)
    generator = torch.Generator().manual_seed(2)
    start = 3 * torch.randn(rows, H, generator=generator, dtype=torch.float64)
    words = torch.randn(40, H, generator=generator, dtype=torch.float64)
    gram = words.T @ words
    return torch.tensor(np.array(matrices)), torch.tensor(np.array(tops)), start, gram


def test_lbfgs_finds_the_leading_eigenvector():
    matrices, tops, start, gram = problem()
    # From 160 steps on to 1e-15 everywhere; rounding decides whether a row is there at 120.
    steps = 300
    for memory in (5, 30):
        looked, _ = drive(Lbfgs(gram, memory=memory), matrices, start, steps)
        found = torch.nn.functional.normalize(looked[-1])
        sign = (found * tops).sum(dim=1, keepdim=True).sign()
        assert (found - sign * tops).norm(dim=1).max() < 1e-8
        # All the way on the sphere.
        torch.testing.assert_close(
            looked.norm(dim=2), start.norm(dim=1).expand(steps + 1, -1), rtol=1e-12, atol=0
        )


def literal(matrix, start, gram, steps, **settings):
    """One row of `drive` by the reference, its matrix power another way."""
    values, vectors = np.linalg.eigh(gram.numpy())
    first = vectors @ np.diag((values / values[-1]) ** settings.pop("power")) @ vectors.T

    def function(e):
        return 0.5 * e @ matrix.numpy() @ e, matrix.numpy() @ e

    return reference.lbfgs_ascent(function, start.numpy(), first, **settings, steps=steps)


@pytest.mark.parametrize("memory", [1, 3, 30])
@pytest.mark.parametrize(("angle", "power"), [(1.0, 0.5), (0.1, 0.0)])
def test_lbfgs_is_bfgs_with_a_dense_matrix_of_the_last_pairs(memory, angle, power):
    matrices, _, start, gram = problem()
    # Short of the top, where differences of gradients are rounding.
    steps = 14
    looked, state = drive(Lbfgs(gram, angle, memory, power), matrices, start, steps)
    assert (state["pairs"] > 7).all()
    for row in range(len(start)):
        expected = literal(
            matrices[row], start[row], gram, steps, angle=angle, memory=memory, power=power
        )
        np.testing.assert_allclose(looked[:, row], expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("power", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(6))
def test_lbfgs_is_bfgs_where_slopes_steepen_and_steps_fail(seed, power):
    draw = np.random.default_rng(seed)
    waves, start = draw.normal(size=(H, H)) / 2, draw.normal(size=H)
    steps, words = 16, draw.normal(size=(40, H))
    gram = torch.tensor(words.T @ words)
    solver = Lbfgs(gram, memory=5, power=power)
    state, looked = begun(solver, torch.tensor(start)[None]), []
    for _ in range(steps + 1):
        looked.append(solver.look(state)[0].numpy())
        value, gradient = np.sin(waves @ looked[-1]).sum(), np.cos(waves @ looked[-1]) @ waves
        value, gradient = torch.tensor([value]), torch.tensor(gradient)[None]
        state = solver.move(state, value, gradient, 0 * value)
    expected = reference.lbfgs_ascent(
        lambda e: (np.sin(waves @ e).sum(), np.cos(waves @ e) @ waves),
        start, matrix_power(gram, power).numpy(), angle=1.0, memory=5, steps=steps,
    )  # fmt: skip
    np.testing.assert_allclose(looked, expected, rtol=1e-6, atol=1e-6)


def test_lbfgs_preconditions_every_free_position_as_one():
    """Two positions whose values depend on each other: a matrix of twice the size, EᵀE in its blocks."""
    draw, power, steps = np.random.default_rng(5), 0.7, 10
    matrix = draw.normal(size=(2 * H, 2 * H))
    matrix = torch.tensor(matrix + matrix.T)[None]
    start = torch.tensor(draw.normal(size=(1, 2 * H)))
    _, _, _, gram = problem()
    values, vectors = np.linalg.eigh(gram.numpy())
    block = vectors @ np.diag((values / values[-1]) ** power) @ vectors.T
    for solver in (Lbfgs(gram, memory=4, power=power), Sphere(gram, power=power)):
        both = replace(solver, gram=torch.block_diag(gram, gram))
        looked, expected = (drive(one, matrix, start, steps)[0] for one in (solver, both))
        torch.testing.assert_close(looked, expected, rtol=1e-9, atol=1e-9)
    looked, _ = drive(Lbfgs(gram, memory=4, power=power), matrix, start, steps)
    expected = reference.lbfgs_ascent(
        lambda e: (0.5 * e @ matrix[0].numpy() @ e, matrix[0].numpy() @ e),
        start[0].numpy(), np.kron(np.eye(2), block), angle=1.0, memory=4, steps=steps,
    )  # fmt: skip
    np.testing.assert_allclose(looked[:, 0], expected, rtol=1e-7, atol=1e-7)


def test_rows_that_began_at_different_times_keep_their_own_pairs():
    """Six rows in one batch, three moves ahead of one another; the ring of the first wraps."""
    matrices, _, start, gram = problem(6)
    solver, state, looked = Lbfgs(gram, memory=4, power=0.5), None, [[] for _ in start]
    for move in range(18):
        if move % 3 == 0:
            new = begun(solver, start[move // 3 : move // 3 + 1])
            state = {k: torch.cat([state[k], t]) for k, t in new.items()} if state else new
        points = solver.look(state)
        for row, point in enumerate(points):
            looked[row].append(point)
        value, gradient = value_and_gradient(matrices[: len(points)], points)
        state = solver.move(state, value, gradient, 0 * value)
    assert len(set(state["pairs"].tolist())) > 3
    assert state["pairs"].min() < 4 < state["pairs"].max()
    for row, points in enumerate(looked):
        n = len(points)
        expected = literal(matrices[row], start[row], gram, n - 1, angle=1.0, memory=4, power=0.5)
        np.testing.assert_allclose(torch.stack(points)[:14], expected[:14], rtol=1e-6, atol=1e-6)


def test_a_step_of_lbfgs_that_lowers_the_value_is_taken_back():
    _, _, start, gram = problem(2)
    solver = Lbfgs(gram, angle=0.8)
    direction = torch.ones_like(start)
    one = torch.ones(2, dtype=torch.float64)

    def angle_between(a, b):
        return torch.acos(torch.nn.functional.cosine_similarity(a, b))

    state = solver.move(begun(solver, start), one, direction, 0 * one)
    first = solver.look(state)
    # To the edge of the trusted angle, whose tangent is 0.8.
    torch.testing.assert_close(angle_between(first, start), torch.atan(0.8 * one))
    angles = [angle_between(first, start)]
    for _ in range(3):
        # The first row falls every time, the second rises.
        value = torch.stack([0 * one[0], state["value"][1] + 1])
        state = solver.move(state, value, direction, 0 * one)
        torch.testing.assert_close(state["length"][0] * state["point"][0], start[0])
        assert state["value"][0] == 1
        angles.append(angle_between(solver.look(state), start))
    fallen = torch.stack(angles)[:, 0]
    assert (fallen[1:] <= 0.401 * fallen[:-1].tan()).all() and (fallen > 0).all()
    assert state["trust"][0] == pytest.approx(0.8 * 0.4**3)
    assert state["value"][1] == 4 and state["trust"][1] >= 0.8 - 1e-12


def test_lbfgs_leaves_a_plateau_whose_slope_steepens():
    """Curvature learnt elsewhere would make its steps there far too small."""
    a, b, c = torch.eye(H, dtype=torch.float64)[:3]
    point = (0.98 * b + 0.2 * c - 0.1 * a)[None]
    solver = Lbfgs(torch.eye(H, dtype=torch.float64), power=0.0)
    state, values = begun(solver, point), []
    for _ in range(60):
        point = solver.look(state).detach().requires_grad_()
        value = torch.exp(40 * (point / point.norm() @ a - 1)) - 2 * (point @ b) ** 2
        (gradient,) = torch.autograd.grad(value.sum(), point)
        values.append(float(value.detach()))
        state = solver.move(state, value.detach(), gradient, torch.zeros(1))
    assert max(values) > 0.99


def test_the_trusted_angle_never_passes_its_first_nor_falls_to_nothing():
    matrices, _, start, gram = problem()
    for scale in (1.0, -1.0):  # uphill, and a value that does not match its gradient
        solver, state = Lbfgs(gram, angle=0.3), None
        state = begun(solver, start)
        for _ in range(40):
            before = state["point"]
            value, gradient = value_and_gradient(matrices, solver.look(state))
            state = solver.move(state, scale * value, gradient, 0 * value)
            assert (state["trust"] <= 0.3).all() and (state["trust"] >= 1e-6).all()
            assert all(t.isfinite().all() for t in state.values())
        assert before.norm(dim=1).max() < 1 + 1e-12


@pytest.mark.parametrize("solver", ["sphere", "lbfgs"])
def test_no_row_sees_another(solver):
    matrices, _, start, gram = problem()
    solver = SOLVERS[solver](gram)
    together, _ = drive(solver, matrices, start, 12)
    for row in range(len(start)):
        alone, _ = drive(solver, matrices[row : row + 1], start[row : row + 1], 12)
        torch.testing.assert_close(together[:, row], alone[:, 0], rtol=1e-9, atol=1e-9)
    poisoned = matrices.clone()
    poisoned[1] = float("nan")
    others = [0, 2, 3]
    found, _ = drive(solver, poisoned, start, 12)
    torch.testing.assert_close(found[:, others], together[:, others], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("solver", ["sphere", "lbfgs"])
def test_the_scale_of_the_activation_means_nothing_on_the_sphere(solver):
    matrices, _, start, gram = problem()
    solver = SOLVERS[solver](gram)
    once, _ = drive(solver, matrices, start, 10)
    scaled, _ = drive(solver, matrices, start, 10, scale=1000.0)
    torch.testing.assert_close(scaled, once, rtol=1e-8, atol=1e-8)


def test_matrix_power_is_scaled_to_a_largest_eigenvalue_of_1():
    _, _, _, gram = problem()
    root = matrix_power(gram, 0.5)
    largest = torch.linalg.eigvalsh(gram).max()
    torch.testing.assert_close(root @ root, gram / largest, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(matrix_power(gram, 0.0), torch.eye(H, dtype=torch.float64))


def test_the_settings_name_every_option_of_every_solver_and_its_default():
    ascent = yaml.safe_load((ROOT / "config/config.yaml").read_text())["ascent"]
    for name, solver in SOLVERS.items():
        given = ("gram", "words", "steps")  # by the model, and by the settings of every solver
        options = {f.name: f.default for f in fields(solver) if f.name not in given}
        assert options == ({"rate": ascent["rate"]} if name == "paper" else ascent[name])


@pytest.mark.parametrize("solver", ["sphere", "lbfgs"])
def test_on_the_sphere_the_length_stays_and_the_best_point_seen_is_kept(tiny, solver):
    frozen, _ = tiny
    x0, start = starts_for(frozen, len(GROUPS))
    seen = []
    whole = frozen.activations
    frozen.activations = lambda x, *of: seen.append(x.detach().clone()) or whole(x, *of)
    try:
        found = ascend(frozen, GROUPS, start, steps=80, solver=solver, recorded=1000)
    finally:
        del frozen.activations
    assert len(seen) == 81
    torch.testing.assert_close(
        found.embedding.norm(dim=1), start.norm(dim=1), rtol=1e-12, atol=1e-12
    )
    # Rows ascend deepest first.
    order = [1, 2, 3, 0]
    values = torch.stack(
        [ascend(frozen, [GROUPS[i] for i in order], x, steps=0).activation for x in seen]
    )[:, [order.index(i) for i in range(4)]]
    torch.testing.assert_close(found.curve, values.cummax(dim=0).values, rtol=1e-10, atol=0)
    torch.testing.assert_close(found.activation, values.max(dim=0).values, rtol=1e-10, atol=0)
    # And a vocabulary vector of it can be had.
    x = optimum_vector(x0.numpy(), start, found.embedding, frozen.word_embeddings)
    np.testing.assert_allclose(x @ frozen.word_embeddings.numpy(), found.embedding, rtol=1e-9)


def test_a_step_of_the_sphere_follows_its_definition(tiny):
    """Two steps written out from the definition, in embedding space, on the transformers model."""
    frozen, whole = tiny
    _, start = starts_for(frozen, 1)
    e, group = start[0], GROUPS[0]
    radius, words = e.norm(), frozen.word_embeddings
    values, vectors = torch.linalg.eigh(words.T @ words)
    preconditioner = vectors @ torch.diag(values**0.25) @ vectors.T
    angle, momentum = 0.7, 0.9
    u, v = e / radius, torch.zeros_like(e)
    for step in range(2):
        ahead = (u + momentum * v) / (u + momentum * v).norm()
        x = (radius * ahead)[None].clone().requires_grad_()
        [(site, layer, index)] = group
        value = reference.activations(whole, x, site, layer, FRAME)[0, index]
        d = preconditioner @ torch.autograd.grad(value, x)[0][0]
        d = d - (d @ ahead) * ahead
        falling = angle * (1 + np.cos(np.pi * step / 2)) / 2
        v = momentum * v + (1 - momentum) * falling * d / d.norm()
        u = (u + v) / (u + v).norm()
        v = v - (v @ u) * u
    options = {"angle": angle, "momentum": momentum}
    found = ascend(frozen, [group], start, steps=2, solver="sphere", options=options)
    # It looks ahead of where it stands.
    ahead = (u + momentum * v) / (u + momentum * v).norm()
    torch.testing.assert_close(found.embedding[0], radius * ahead, rtol=1e-9, atol=1e-9)
    assert Sphere(words.T @ words).angle == 1.0


@pytest.fixture(scope="module")
def paper():
    """(a model, groups, starts, and where the paper's 5,000 steps end)."""
    frozen, _ = load_tiny("tiny-wide", dtype=torch.float32)
    groups = [[("output", 2, i)] for i in range(12)]
    _, start = starts_for(frozen, len(groups), torch.float32)
    return frozen, groups, start, ascend(frozen, groups, start, steps=5000)


@pytest.mark.parametrize("solver", ["sphere", "lbfgs"])
def test_200_steps_reach_what_the_paper_reaches_in_5000(paper, solver):
    frozen, groups, start, far = paper
    found = ascend(frozen, groups, start, steps=200, solver=solver)
    assert (found.activation >= 0.99 * far.activation).float().mean() > 0.9
