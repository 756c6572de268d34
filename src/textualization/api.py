"""The functions `ascend` and `explain`: inputs for neurons and groups given by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import pandas as pd
import torch

from textualization.ascent.objectives import mean_of
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.ascent.solvers import SOLVERS
from textualization.directions import mean_word_gradient
from textualization.errors import RequestError, require_choice
from textualization.models.model import Model
from textualization.models.transformer import SITES
from textualization.optima import Optima
from textualization.optima_arrays import OptimaArrays

#: Fields of a solver that `ascend` sets itself, so they are no options.
_SET_INTERNALLY = ("gram", "steps", "words")


def ascend(
    model: Model,
    neurons: Sequence | None = None,
    groups: Mapping[str, Sequence] | None = None,
    *,
    solver: str = "paper",
    steps: int = 5000,
    restarts: int = 1,
    seed: int = 0,
    init: str = "normal",
    init_scale: float = 1.0,
    tolerance: float = 0.0,
    window: int = 20,
    dtype: str = "float32",
    threads: int | None = None,
    **options,
) -> Optima:
    """Find the input that maximises the activation of each neuron and each group of neurons.

    The defaults are the paper's protocol (sec. 3), literally, which takes minutes on a CPU.
    `solver="lbfgs", steps=105, dtype="float64"` stands for it (docs/equivalence.md) in seconds.

    Args:
        model: a model that `load` returned.
        neurons: single neurons, each `"site/layer/index"` (`"output/3/120"`) or a tuple of the three.
        groups: lists of neurons by name. The objective is the mean activation of a group. If the name
            is a word of the model, the optimum is compared with that word.
        solver: `paper`, `lbfgs`, `sphere`, `adam` or `frank_wolfe`; see `textualization.ascent`.
        steps: number of steps of an ascent.
        restarts: number of starts x₀ per objective.
        seed: seed of the starts.
        init, init_scale: distribution of the entries of x₀ (`normal` or `uniform`) and their standard
            deviation.
        tolerance, window: stop an ascent once its activation rose by less than the share `tolerance`
            over `window` steps. 0: never stop early.
        dtype: `float32` or `float64`.
        threads: number of CPU threads; None keeps torch's setting.
        options: options of the solver, such as `rate` (paper) or `memory` (lbfgs).

    Returns:
        The optima of the neurons, then of the groups, in the given order. The restarts of an objective
        follow one another.

    Raises:
        RequestError: the model has no such neuron, a group is empty, or an argument is not allowed.
    """
    _check(solver, options, dtype, init, steps=steps, restarts=restarts, window=window)
    named = _named(model, neurons, groups)
    table = pd.DataFrame(
        [
            {"objective": name, "restart": restart, "size": len(group)}
            | {"neurons": group, "identity": (*identity, restart)}
            for name, group, identity in named
            for restart in range(restarts)
        ]
    )
    protocol = Protocol(
        solver=solver,
        steps=steps,
        options=options,
        tolerance=tolerance,
        window=window,
        init={"kind": init, "scale": init_scale},
        seed=seed,
        read=model.read,
        dtype=dtype,
    )
    candidates = None if model.words is None else np.flatnonzero(model.candidates)
    execution = Execution(device=model.device, threads=threads)
    arrays = ascend_objectives(model, table, protocol, execution, candidates)
    return Optima(model, arrays, table["neurons"].tolist())


def explain(
    model: Model, neurons: Sequence | None = None, groups: Mapping[str, Sequence] | None = None
) -> Optima:
    """Find the direction whose closeness says best which words activate a neuron or group.

    It is the activation's gradient at the mean word embedding. It takes one evaluation and looks at no
    word's activation. The optimum answers another question, which input activates most, and explains
    less (docs/explanation.md).

    Args:
        model, neurons, groups: as of `ascend`. The model's words must be known.

    Returns:
        A direction per neuron and group, in the given order, at the words' mean length. `table()`
        scores it as it scores optima.

    Raises:
        RequestError: as of `ascend`.
    """
    words = model.embeddings[model.known_words()["candidate"].to_numpy()]
    named = _named(model, neurons, groups)
    chosen = [group for _, group, _ in named]
    transformer = model.transformer()
    objectives = mean_of(chosen, transformer)
    gradient = mean_word_gradient(model, objectives)
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    scale = np.linalg.norm(words, axis=1).mean() / np.where(length > 0, length, 1)
    start = np.repeat(words.mean(axis=0)[None], len(named), axis=0)
    found = (gradient * scale).astype(np.float32)
    inputs = (torch.from_numpy(e).to(transformer.word_embeddings) for e in (start, found))
    curve = torch.stack([objectives.at(transformer, e) for e in inputs]).double().cpu().numpy()
    arrays = OptimaArrays(
        objectives=pd.DataFrame(
            [{"objective": name, "restart": 0, "size": len(group)} for name, group, _ in named]
        ),
        start=start,
        embedding=found,
        activation=curve[-1],
        ceiling=objectives.ceiling(transformer).numpy(),
        largest_entries=np.empty((len(named), 0), int),
        finite=np.isfinite(curve[-1]),
        dead=length[:, 0] == 0,
        taken=np.ones(len(named), int),
        steps=np.array([0, 1]),
        curve=curve,
    )
    return Optima(model, arrays, chosen)


def _named(model: Model, neurons, groups) -> list[tuple[str, list, tuple]]:
    """List the name, the neurons and the identity of every requested neuron and group."""
    named = [
        (_name(neuron), [neuron], ("single", *neuron)) for neuron in _neurons(model, neurons or [])
    ]
    for name, group in (groups or {}).items():
        named.append((str(name), _neurons(model, group, f"group {name!r}"), ("group", str(name))))
    if not named:
        raise RequestError("neurons, groups: name at least one neuron or one group")
    for name, group, _ in named:
        if not group:
            raise RequestError(f"group {name!r}: it is empty (allowed: one or more neurons)")
    return named


def _check(solver, options, dtype, init, **counts) -> None:
    """Raise RequestError for an argument that is not allowed."""
    require_choice("solver", solver, SOLVERS)
    require_choice("dtype", dtype, ("float32", "float64"))
    require_choice("init", init, ("normal", "uniform"))
    known = [field.name for field in fields(SOLVERS[solver]) if field.name not in _SET_INTERNALLY]
    for name in options:
        if name not in known:
            raise RequestError(
                f"{name}: solver {solver} has no such option (allowed: {', '.join(known)})"
            )
    for name, value in counts.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise RequestError(f"{name}: {value!r} is not valid (allowed: whole numbers from 1)")


def _neurons(model: Model, neurons: Sequence, of: str = "neurons") -> list[tuple[str, int, int]]:
    """Parse neurons into (site, layer, index)."""
    if isinstance(neurons, str):
        raise RequestError(f'{of}: {neurons!r} is a string; give a list, as in ["output/3/120"]')
    return [_neuron(model, neuron, of) for neuron in neurons]


def _neuron(model: Model, neuron, of: str) -> tuple[str, int, int]:
    if isinstance(neuron, str):
        parts = re.fullmatch(r"(\w+)/(\d+)/(\d+)", neuron.strip())
        neuron = (parts[1], int(parts[2]), int(parts[3])) if parts else neuron
    try:
        site, layer, index = neuron
        if isinstance(neuron, str) or not isinstance(site, str):
            raise TypeError
        layer, index = int(layer), int(index)
    except (TypeError, ValueError):
        raise RequestError(
            f"{of}: {neuron!r} is not valid (allowed: site/layer/index, as in output/3/120)"
        ) from None
    if site not in SITES:
        raise RequestError(f"{of}: {neuron!r}: unknown site (allowed: {', '.join(SITES)})")
    if not (1 <= layer <= model.layers and 0 <= index < model.width(site)):
        raise RequestError(
            f"{of}: {site}/{layer}/{index} is not a neuron of {model.name} (allowed: layers 1 to "
            f"{model.layers}, indices 0 to {model.width(site) - 1})"
        )
    return site, layer, index


def _name(neuron: tuple[str, int, int]) -> str:
    return "/".join(map(str, neuron))
