"""Where the variance of values comes from: words, layers, restarts, ..."""

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
    n = len(y)
    if not codes:
        return np.array([y.var(ddof=1)])
    levels = [code.max() + 1 for code in codes]
    design = np.concatenate(
        [np.eye(k)[code] for k, code in zip(levels, codes, strict=True)], axis=1
    )
    both = np.stack([np.ones(n), y], axis=1)
    zz, zb, bb = design.T @ design, design.T @ both, both.T @ both

    first = np.cumsum([0, *levels[:-1]])

    def profile(ratios: np.ndarray) -> tuple[float, np.ndarray, float]:
        """−2 log-likelihood, its gradient, and the residual variance, given the others' ratios."""
        s = np.sqrt(np.repeat(ratios, levels))
        # |I + Z S² Zᵀ| = |I + S Zᵀ Z S|, and the inverse likewise: as large as the levels are many.
        factor = cho_factor(np.eye(len(s)) + s[:, None] * zz * s)
        scaled = s[:, None] * np.concatenate([zz, zb], axis=1)
        solved = cho_solve(factor, scaled)
        inner = bb - scaled[:, -2:].T @ solved[:, -2:]  # [1, y]ᵀ V⁻¹ [1, y]
        cross = np.concatenate([zz, zb], axis=1) - (zz * s) @ solved  # Zᵀ V⁻¹ [Z, 1, y]
        ones, ys = cross[:, -2], cross[:, -1]
        mean = inner[0, 1] / inner[0, 0]
        squares = max(inner[1, 1] - mean * inner[0, 1], np.finfo(float).tiny)
        loss = (n - 1) * np.log(squares) + np.log(inner[0, 0])
        loss += 2 * np.log(np.diag(factor[0])).sum()
        slope = np.diag(cross) - ones**2 / inner[0, 0] - (n - 1) * (ys - mean * ones) ** 2 / squares
        return loss, np.add.reduceat(slope, first), squares / (n - 1)

    # From two sides: a search may stop where another variance is still far off.
    searches = [
        minimize(
            lambda ratios: profile(ratios)[:2],
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
    return profile(best.x)[2] * np.append(best.x, 1.0)
