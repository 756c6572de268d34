"""Variance components beside closed forms, statsmodels and simulated populations."""

import math
import warnings

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

from textualization.analysis.variance import _Profile, components


def _crossed(seed, deviations, levels, n, residual=1.0):
    draw = np.random.default_rng(seed)
    codes = [draw.integers(k, size=n) for k in levels]
    values = 5 + residual * draw.normal(size=n)
    for deviation, k, code in zip(deviations, levels, codes, strict=True):
        values += deviation * draw.normal(size=k)[code]
    return values, dict(zip("abcd", codes, strict=False))


def _variances(found):
    return {name: share * found["total"] for name, share in found.items() if name != "total"}


def test_a_balanced_factor_has_the_variance_of_anova():
    draw = np.random.default_rng(0)
    values = 2 * draw.normal(size=12)[:, None] + draw.normal(size=(12, 5))
    within = values.var(axis=1, ddof=1).mean()
    between = values.mean(axis=1).var(ddof=1) - within / 5
    words = np.repeat([f"word {i}" for i in range(12)], 5)
    found = components(values.ravel(), {"word": words})
    assert _variances(found) == pytest.approx({"word": between, "residual": within}, rel=1e-4)
    assert found["total"] == pytest.approx(between + within, rel=1e-4)


def test_two_balanced_crossed_factors_have_the_variances_of_anova():
    draw = np.random.default_rng(1)
    values = draw.normal(size=10)[:, None] + 1.5 * draw.normal(size=7) + draw.normal(size=(10, 7))
    rows, columns = np.indices(values.shape)
    left = values - values.mean(axis=1)[:, None] - values.mean(axis=0) + values.mean()
    residual = np.sum(left**2) / (9 * 6)
    expected = {
        "row": values.mean(axis=1).var(ddof=1) - residual / 7,
        "column": values.mean(axis=0).var(ddof=1) - residual / 10,
        "residual": residual,
    }
    found = components(values.ravel(), {"row": rows.ravel(), "column": columns.ravel()})
    assert _variances(found) == pytest.approx(expected, rel=1e-4)


def test_a_nested_factor_has_the_variance_of_anova():
    draw = np.random.default_rng(2)
    layer, word, _ = np.indices((8, 6, 4))
    values = (
        2 * draw.normal(size=(8, 1, 1)) + draw.normal(size=(8, 6, 1)) + draw.normal(size=(8, 6, 4))
    )
    residual = values.var(axis=2, ddof=1).mean()
    nested = values.mean(axis=2).var(axis=1, ddof=1).mean() - residual / 4
    between = values.mean(axis=(1, 2)).var(ddof=1) - nested / 6 - residual / 24
    found = components(
        values.ravel(), {"layer": layer.ravel(), "neuron": (100 * layer + word).ravel()}
    )
    expected = {"layer": between, "neuron": nested, "residual": residual}
    assert _variances(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("seed", "deviations"), [(3, (1, 0.5, 0.7)), (4, (0.5, 0, 1))])
def test_unbalanced_factors_maximise_the_restricted_likelihood(seed, deviations):
    levels = (30, 5, 6)
    values, factors = _crossed(seed, deviations, levels, 500)
    found = _variances(components(values, factors))
    designs = [[np.eye(k)[code]] for k, code in zip(levels, factors.values(), strict=True)]
    names = [[[f"{name}{i}" for i in range(k)]] for name, k in zip("abc", levels, strict=True)]
    model = MixedLM(
        values, np.ones((500, 1)), groups=np.zeros(500), exog_vc=VCSpec(list("abc"), names, designs)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the boundary
        fit = model.fit(reml=True, method="powell")
    expected = dict(zip("abc", fit.vcomp, strict=True)) | {"residual": fit.scale}
    assert found == pytest.approx(expected, rel=0.02, abs=0.005)


def restricted(values, codes, ratios):
    """−2 restricted log-likelihood but for a constant, and the residual variance, from V itself."""
    n = len(values)
    v = np.eye(n)
    for code, ratio in zip(codes, ratios, strict=True):
        v += ratio * (code[:, None] == code)
    one, inverse = np.ones(n), np.linalg.inv(v)
    p = inverse - np.outer(inverse @ one, one @ inverse) / (one @ inverse @ one)
    squares = values @ p @ values
    loss = (n - 1) * np.log(squares) + np.log(one @ inverse @ one) + np.linalg.slogdet(v)[1]
    return loss, squares / (n - 1)


@pytest.mark.parametrize("levels", [(12,), (9, 4), (20, 7, 3)])
@pytest.mark.parametrize("nothing", [False, True])
def test_the_likelihood_and_its_gradient_are_those_of_whole_matrices(levels, nothing):
    values, factors = _crossed(8, [1] * len(levels), levels, 60)
    codes = [np.unique(code, return_inverse=True)[1] for code in factors.values()]
    ratios = np.array([0.7, 0.2, 1.5])[: len(levels)]
    ratios[-1 if nothing else 0] *= not nothing
    loss, gradient, residual = _Profile(values, codes[0], codes[1:])(ratios)
    expected, expected_residual = restricted(values, codes, ratios)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert residual == pytest.approx(expected_residual, rel=1e-12)
    # Ratios below zero are as good to differentiate by.
    step = 1e-5
    slopes = [
        restricted(values, codes, ratios + step * e)[0]
        - restricted(values, codes, ratios - step * e)[0]
        for e in np.eye(len(levels))
    ]
    assert gradient == pytest.approx(np.array(slopes) / (2 * step), rel=1e-6, abs=1e-6)


def test_as_many_levels_as_a_model_has_neurons():
    draw = np.random.default_rng(9)
    layer, neuron = np.repeat(np.arange(12), 3840), np.repeat(np.arange(9216), 5)
    values = draw.normal(size=9216)[neuron] + draw.normal(size=len(neuron))
    found = _variances(components(values, {"layer": layer, "neuron": neuron}))
    # Balanced: of neurons within layers, the variance is ANOVA's.
    means = values.reshape(12, 768, 5).mean(axis=2)
    within = values.reshape(9216, 5).var(axis=1, ddof=1).mean()
    assert found["residual"] == pytest.approx(within, rel=1e-3)
    between = means.var(axis=1, ddof=1).mean() - within / 5
    assert found["neuron"] == pytest.approx(between, rel=1e-3)


def test_shares_sum_to_one_and_follow_no_scale_or_place():
    values, factors = _crossed(5, (1, 0.5), (20, 8), 200)
    found = components(values, factors)
    assert math.fsum(v for k, v in found.items() if k != "total") == pytest.approx(1)
    moved = components(1e-3 * values + 40, factors)
    assert moved["total"] == pytest.approx(1e-6 * found["total"], rel=1e-3)
    names = ["a", "b", "residual"]
    assert [moved[k] for k in names] == pytest.approx([found[k] for k in names], rel=1e-3)


def test_a_variance_below_nothing_is_nothing():
    # Rows agree exactly in their means: ANOVA would call their variance negative.
    values = np.tile([-1.0, 0.0, 1.0], 6)
    found = components(values, {"row": np.repeat(np.arange(6), 3)})
    assert (found["row"], found["residual"]) == pytest.approx((0, 1), abs=1e-6)
    assert found["total"] == pytest.approx(values.var(ddof=1))


def test_factors_that_nothing_tells_apart_are_left_out():
    values, factors = _crossed(6, (1,), (10,), 60)
    found = components(values, factors)
    more = {"one": np.zeros(60), **factors, "again": 9 - factors["a"], "each": np.arange(60)}
    assert components(values, more) == found
    assert list(found) == ["a", "residual", "total"]
    assert components(values, {}) == pytest.approx({"residual": 1.0, "total": values.var(ddof=1)})


def test_nans_are_left_out():
    values, factors = _crossed(7, (1, 1), (10, 4), 80)
    gaps = np.append(values, math.nan)
    assert components(gaps, {k: np.append(v, 99) for k, v in factors.items()}) == components(
        values, factors
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("values", "total"), [([], math.nan), ([1.0], math.nan), ([2.0] * 6, 0)])
def test_no_variance_has_no_shares(values, total):
    found = components(values, {"a": np.arange(len(values)) // 2})
    assert found["total"] == pytest.approx(total, nan_ok=True)
    assert math.isnan(found["residual"])


def test_variances_of_simulated_populations_come_back_on_average():
    found = []
    for seed in range(60):
        values, factors = _crossed([14, seed], (1, 0.7, 0), (30, 12, 15), 300)
        variances = _variances(components(values, factors))
        found.append([variances[name] for name in ("a", "b", "c", "residual")])
    means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(60)
    assert np.isfinite(found).all()
    # Only the last but one is not without bias: it is never negative.
    assert means[:2] == pytest.approx([1, 0.49], abs=3.5 * errors[:2].max())
    assert means[3] == pytest.approx(1, abs=3.5 * errors[3])
    assert 0 <= means[2] < 0.02
