"""Where the variance of values comes from: words, layers, restarts, ..."""

import math

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize


def components(values: np.ndarray, factors: dict[str, np.ndarray]) -> dict[str, float]:
    """Shares of variance of random factors and of the `residual`, and the `total` variance.

    values: (n,). factors: a label per value; a factor nested in another has labels of its own for
    each level of that one. The model is y = μ + Σ u_factor + e, fitted by restricted maximum
    likelihood (Patterson and Thompson 1971, Biometrika 58, 545–554), no variance below 0. The
    shares sum to 1. NaN values are left out, and so are factors that cannot be told from μ, from e
    or from an earlier factor. NaNs if there is no variance, or if no maximum is found.
    """
    y = np.asarray(values, dtype=np.float64)
    kept = np.isfinite(y)
    y = y[kept]
    codes = {}
    for name, labels in factors.items():
        levels, code = np.unique(np.asarray(labels)[kept], return_inverse=True)
        # np.unique numbers levels by their labels: number them by first appearance to compare.
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
    """Variances of the factors, and last the residual's, of greatest restricted likelihood.

    y: (n,). codes: (n,) whole numbers from 0, per factor. NaNs if the search fails.
    """
    if not codes:
        return np.array([y.var(ddof=1)])
    order = np.argsort([-code.max() for code in codes], kind="stable")
    profile = _Profile(y, codes[order[0]], [codes[place] for place in order[1:]])

    # From two sides: a search may stop where another variance is still far off.
    searches = [
        minimize(
            lambda ratios: profile(ratios)[:2],  # of the factors in the profile's order
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
    """−2 restricted log-likelihood by the ratios of the factors' variances to the residual's.

    y: (n,). many: (n,), the level of the factor of most levels, which may be as many as neurons; few:
    (n,) each, of the others. No value has two levels of one factor, so the many levels' block of
    M = I + S ZᵀZ S is diagonal, and what is left to be factored is as large as the other levels are
    many: with D that block, B the block beside it and C the last, Q = (C − BᵀD⁻¹B)⁻¹ (all that is
    asked of M⁻¹ is written with D and Q). Z: which value has which level; S: roots of the ratios.
    """

    def __init__(self, y: np.ndarray, many: np.ndarray, few: list[np.ndarray]):
        both = np.stack([np.ones(len(y)), y], axis=1)
        self.n, self.bb = len(y), both.T @ both
        self.levels = [code.max() + 1 for code in few]
        #: How many values have a level of the many; such a level and one of the few; two of the few.
        self.count = np.bincount(many).astype(float)
        shared = [self._shared(many, code) for code in few]
        self.beside = np.concatenate([np.empty((len(self.count), 0)), *shared], axis=1)
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
        """−2 log-likelihood, its gradient, and the residual variance. ratios: of the many, the few."""
        n, a, s = self.n, math.sqrt(ratios[0]), np.sqrt(np.repeat(ratios[1:], self.levels))
        d = 1 + a * a * self.count
        beside = a * self.beside * s  # B
        carried = beside / d[:, None]  # D⁻¹B
        left = np.eye(len(s)) + s[:, None] * self.among * s - beside.T @ carried
        root = cho_factor(left)
        q = cho_solve(root, np.eye(len(s)))

        def solved(many, few):
            """The two parts of M⁻¹ [many, few], columns."""
            below = q @ (few - carried.T @ many)
            return many / d[:, None] - carried @ below, below

        w, v = a * self.of_many, s[:, None] * self.of_few  # SZᵀ [1, y]
        x, z = solved(w, v)
        inner = self.bb - w.T @ x - v.T @ z  # [1, y]ᵀ V⁻¹ [1, y]
        # Zᵀ V⁻¹ [1, y], where V⁻¹ = I − Z S M⁻¹ S Zᵀ.
        ax, sz = a * x, s[:, None] * z
        of_many = self.of_many - self.count[:, None] * ax - self.beside @ sz
        of_few = self.of_few - self.beside.T @ ax - self.among @ sz
        # The diagonal of Zᵀ V⁻¹ Z.
        own = a * self.count
        rest = self.beside * s - carried * own[:, None]
        many = self.count - own**2 / d - ((rest @ q) * rest).sum(axis=1)
        under = a * self.beside
        rest = s[:, None] * self.among - carried.T @ under
        few = np.diag(self.among) - (under**2 / d[:, None]).sum(axis=0)
        few = few - (rest * (q @ rest)).sum(axis=0)

        mean = inner[0, 1] / inner[0, 0]
        squares = max(inner[1, 1] - mean * inner[0, 1], np.finfo(float).tiny)
        loss = (n - 1) * np.log(squares) + np.log(inner[0, 0])
        loss += np.log(d).sum() + 2 * np.log(np.diag(root[0])).sum()

        def slope(diagonal, cross):
            ones, ys = cross.T
            left = ones**2 / inner[0, 0] + (n - 1) * (ys - mean * ones) ** 2 / squares
            return diagonal - left

        few = np.split(slope(few, of_few), np.cumsum(self.levels)[:-1]) if self.levels else []
        gradient = [slope(many, of_many).sum(), *(part.sum() for part in few)]
        return loss, np.array(gradient), squares / (n - 1)


def _sums(code: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Of each level, the sums of (n, c) columns."""
    return np.stack([np.bincount(code, column) for column in columns.T], axis=1)
