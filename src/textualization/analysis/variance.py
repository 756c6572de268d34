"""Variance components: shares of the variance due to words, layers, restarts, …"""

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize


def components(values: np.ndarray, factors: dict[str, np.ndarray]) -> dict[str, float]:
    """Estimate the shares of variance of random factors.

    The model y = μ + Σ u_factor + e is fitted by restricted maximum likelihood (Patterson and Thompson
    1971, Biometrika 58, 545–554) with non-negative variances.

    Args:
        values: (n,); NaNs are left out.
        factors: a label per value; the levels of a nested factor have different labels within each
            level of the outer one. Factors that cannot be distinguished from μ, e or an earlier factor
            are left out.

    Returns:
        The share of each factor and of the `residual`, which sum to 1, and the `total` variance. NaNs if
        the values do not vary or no maximum is found.
    """
    y = np.asarray(values, dtype=np.float64)
    kept = np.isfinite(y)
    y = y[kept]
    codes = {}
    for name, labels in factors.items():
        levels, code = np.unique(np.asarray(labels)[kept], return_inverse=True)
        # Number levels by first appearance, so that equal factors have equal codes.
        appeared = np.unique(code, return_index=True)[1]
        code = np.argsort(np.argsort(appeared))[code]
        known = any(np.array_equal(code, other) for other in codes.values())
        if 1 < len(levels) < len(y) and not known:
            codes[name] = code
    names = [*codes, "residual"]
    if len(y) < 2 or np.ptp(y) == 0:
        return dict.fromkeys(names, np.nan) | {"total": 0.0 if len(y) > 1 else np.nan}
    shift, scale = y.mean(), y.std()
    variances = scale**2 * _restricted((y - shift) / scale, list(codes.values()))
    total = variances.sum()
    return dict(zip(names, (variances / total).tolist(), strict=True)) | {"total": float(total)}


def _restricted(y: np.ndarray, codes: list[np.ndarray]) -> np.ndarray:
    """Estimate the variances of the factors and, last, of the residual; NaNs if the search fails.

    y: (n,). codes: the level of each value, (n,), integers from 0, per factor.
    """
    if not codes:
        return np.array([y.var(ddof=1)])
    order = np.argsort([-code.max() for code in codes], kind="stable")
    profile = _Profile(y, codes[order[0]], [codes[place] for place in order[1:]])

    # From two starts, since a search may stop early.
    searches = [
        minimize(
            lambda ratios: profile(ratios)[:2],  # ratios in the profile's order of factors
            np.full(len(codes), start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 1e8)] * len(codes),
            options={"ftol": 1e-12, "gtol": 1e-6, "maxiter": 1000},
        )
        for start in (0.1, 3.0)
    ]
    best = min(searches, key=lambda search: search.fun)
    if not (np.isfinite(best.fun) and any(search.success for search in searches)):
        return np.full(len(codes) + 1, np.nan)
    ratios = np.empty(len(codes))
    ratios[order] = best.x
    return profile(best.x)[2] * np.append(ratios, 1.0)


class _Profile:
    """−2 restricted log-likelihood as a function of the variance ratios factor / residual.

    Z is the indicator matrix of all levels, S the diagonal matrix of the roots of the ratios, and
    M = I + S ZᵀZ S = [[D, B], [Bᵀ, C]]. D belongs to the factor with most levels (there may be as many
    as neurons). It is diagonal, since a value has one level per factor. So only the Schur complement
    C − BᵀD⁻¹B has to be inverted, of the size of all other levels; Q is its inverse.

    y: (n,). many: the level of each value for the factor with most levels, (n,). few: the same for
    every other factor.
    """

    def __init__(self, y: np.ndarray, many: np.ndarray, few: list[np.ndarray]):
        both = np.stack([np.ones(len(y)), y], axis=1)
        self.n, self.bb = len(y), both.T @ both
        self.levels = [code.max() + 1 for code in few]
        # The blocks of ZᵀZ: numbers of values with a level of `many`; with a level of `many` and one of
        # `few`; with two levels of `few`.
        self.count = np.bincount(many).astype(float)
        shared = [self._shared(many, code) for code in few]
        self.cross = np.concatenate([np.empty((len(self.count), 0)), *shared], axis=1)
        rows = [[self._shared(one, other) for other in few] for one in few]
        self.among = np.block(rows) if few else np.empty((0, 0))
        self.of_many, self.of_few = _sums(many, both), np.empty((0, 2))
        if few:
            self.of_few = np.concatenate([_sums(code, both) for code in few])

    @staticmethod
    def _shared(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        shape = (one.max() + 1, other.max() + 1)
        return np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape)

    def __call__(self, ratios: np.ndarray) -> tuple[float, np.ndarray, float]:
        """Return −2 log-likelihood, its gradient, and the residual variance. ratios: many, then few."""
        n, a, s = self.n, math.sqrt(ratios[0]), np.sqrt(np.repeat(ratios[1:], self.levels))
        d = 1 + a * a * self.count
        cross = a * self.cross * s  # B
        carried = cross / d[:, None]  # D⁻¹B
        schur = np.eye(len(s)) + s[:, None] * self.among * s - cross.T @ carried
        root = cho_factor(schur)
        q = cho_solve(root, np.eye(len(s)))

        def solved(many, few):
            """Return the two parts of M⁻¹ [many, few], by columns."""
            below = q @ (few - carried.T @ many)
            return many / d[:, None] - carried @ below, below

        w, v = a * self.of_many, s[:, None] * self.of_few  # SZᵀ [1, y]
        x, z = solved(w, v)
        inner = self.bb - w.T @ x - v.T @ z  # [1, y]ᵀ V⁻¹ [1, y]
        # Zᵀ V⁻¹ [1, y], where V⁻¹ = I − Z S M⁻¹ S Zᵀ.
        ax, sz = a * x, s[:, None] * z
        of_many = self.of_many - self.count[:, None] * ax - self.cross @ sz
        of_few = self.of_few - self.cross.T @ ax - self.among @ sz
        # The diagonal of Zᵀ V⁻¹ Z.
        own = a * self.count
        rest = self.cross * s - carried * own[:, None]
        many = self.count - own**2 / d - ((rest @ q) * rest).sum(axis=1)
        under = a * self.cross
        rest = s[:, None] * self.among - carried.T @ under
        few = np.diag(self.among) - (under**2 / d[:, None]).sum(axis=0)
        few = few - (rest * (q @ rest)).sum(axis=0)

        mean = inner[0, 1] / inner[0, 0]
        squares = max(inner[1, 1] - mean * inner[0, 1], np.finfo(float).tiny)
        loss = (n - 1) * np.log(squares) + np.log(inner[0, 0])
        loss += np.log(d).sum() + 2 * np.log(np.diag(root[0])).sum()

        def slope(diagonal, sums):
            ones, ys = sums.T
            fitted = ones**2 / inner[0, 0] + (n - 1) * (ys - mean * ones) ** 2 / squares
            return diagonal - fitted

        few = np.split(slope(few, of_few), np.cumsum(self.levels)[:-1]) if self.levels else []
        gradient = [slope(many, of_many).sum(), *(part.sum() for part in few)]
        return loss, np.array(gradient), squares / (n - 1)


def _sums(code: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sum the columns of (n, c) values by level, (levels, c)."""
    return np.stack([np.bincount(code, column) for column in columns.T], axis=1)
