"""The functions `ascend` and `explain`: inputs for neurons, groups and directions."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import pandas as pd
import torch

from textualization import registry
from textualization.ascent.objectives import weighted_sums
from textualization.ascent.parametrisations import PARAMETRISATIONS, PENALTIES
from textualization.ascent.protocol import Execution, Protocol, ascend_objectives
from textualization.ascent.solvers import SOLVERS
from textualization.directions import mean_word_gradient
from textualization.errors import RequestError, require_choice, require_number, require_whole
from textualization.models.model import Model
from textualization.optima import Optima
from textualization.optima_arrays import OptimaArrays
from textualization.requested import check_model, embeddings_at, requested

#: Fields of a solver that `ascend` sets itself, so they are no options.
_SET_INTERNALLY = ("gram", "words")


def ascend(
    model: Model,
    neurons: Sequence | None = None,
    groups: Mapping[str, Sequence | Mapping] | None = None,
    directions: Mapping[str, tuple | Mapping] | None = None,
    *,
    sign: int = 1,
    start="random",
    solver: str = "paper",
    steps: int = 5000,
    restarts: int = 1,
    seed: int = 0,
    init: str = "normal",
    init_scale: float | str = 1.0,
    tolerance: float = 0.0,
    window: int = 20,
    dtype: str = "float32",
    threads: int | None = None,
    **options,
) -> Optima:
    """Find the input that maximises the activation of each neuron, group and direction.

    The defaults are the paper's protocol (sec. 3), literally, which takes minutes on a CPU.
    `solver="lbfgs", steps=105, dtype="float64"` stands for it (docs/equivalence.md) in seconds.

    Args:
        model: a model that `load` returned.
        neurons: single neurons, each `"site/layer/index"` (`"output/3/120"`) or a tuple of the three.
            `"-output/3/120"` seeks the neuron's minimum.
        groups: lists of neurons by name. The objective is the mean activation of a group. A dict from
            neurons to weights is summed with these weights. If the name is a word of the model, the
            optimum is compared with that word.
        directions: by name, `(site, layer, vector)` with a weight per neuron of the site, (width,),
            used as they are; or a dict from `(site, layer)` to vectors, all of which are summed.
            `read_directions`, `principal_components` and others make them.
        sign: 1 seeks maxima, -1 seeks the minima of all objectives.
        start: where ascents start. `random`: at a drawn x₀. A word; a list of words (their mean
            embedding); `mean_word` (the mean of all candidate words); `Optima`, an optimum for each
            objective; or an array, (H,) or (n, H). `lbfgs` and `sphere` keep the start's length.
        solver: `paper`, `lbfgs`, `sphere`, `adam` or `frank_wolfe`; see `textualization.ascent`.
        steps: number of steps of an ascent.
        restarts: number of starts x₀ per objective; 1 unless they are random.
        seed: seed of random starts.
        init, init_scale: distribution of the entries of x₀ (`normal` or `uniform`) and their standard
            deviation; `words` makes starts as long as words. A minimum is sought from the x₀ of the
            maximum.
        tolerance, window: stop an ascent once its activation rose by less than the share `tolerance`
            over `window` steps. 0: never stop early.
        dtype: `float32` or `float64`.
        threads: number of CPU threads; None keeps torch's setting.
        options: options of the solver, such as `rate` (paper) or `memory` (lbfgs).

    Returns:
        The optima of the neurons, then of the groups, then of the directions, in the given order. The
        restarts of an objective follow one another.

    Raises:
        RequestError: the model has no such neuron or site, a group is empty, a direction has the
            wrong width, or an argument is not allowed.
    """
    check_model(model)
    _check(solver, options, dtype, init)
    steps, restarts = require_whole("steps", steps, 1), require_whole("restarts", restarts, 1)
    window, seed = require_whole("window", window, 1), require_whole("seed", seed)
    threads = None if threads is None else require_whole("threads", threads, 1)
    require_number("tolerance", tolerance)
    if init_scale != "words":
        require_number("init_scale", init_scale, positive=True)
    moving = [name for name, entry in registry.SOLVERS.items() if entry.several]
    if model.places > 1 and solver not in moving:
        raise RequestError(
            f"solver: {solver} moves one x, and {model.context.text!r} has {model.places} places for x "
            f"(allowed: {', '.join(moving)})"
        )
    wanted = requested(model, neurons, groups, directions, sign)
    begin = embeddings_at(model, start, len(wanted))
    if begin is not None and restarts > 1:
        raise RequestError(
            f"restarts: {restarts} ascents from the same start would be equal (allowed: 1, or "
            'start="random")'
        )
    table = pd.DataFrame(
        [
            {"objective": one.name, "restart": restart, "size": one.size, "sign": one.sign}
            | {"neurons": one.neurons, "identity": (*one.identity, restart)}
            for one in wanted
            for restart in range(restarts)
        ]
    )
    if begin is not None:
        table["start"] = list(begin)
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
        entries=Protocol.entries if model.places == 1 else 0,
    )
    candidates = None if model.words is None else np.flatnonzero(model.candidates)
    execution = Execution(device=model.device, threads=threads)
    arrays = ascend_objectives(model, table, protocol, execution, candidates)
    return Optima(model, arrays, table["neurons"].tolist(), dtype)


def explain(
    model: Model,
    neurons: Sequence | None = None,
    groups: Mapping[str, Sequence | Mapping] | None = None,
    directions: Mapping[str, tuple | Mapping] | None = None,
    *,
    sign: int = 1,
) -> Optima:
    """Find the input direction whose closeness says best which words activate an objective.

    It is the activation's gradient at the mean word embedding. It takes one evaluation and looks at no
    word's activation. The optimum answers another question, which input activates most, and explains
    less (docs/explanation.md).

    Args:
        model, neurons, groups, directions: as of `ascend`. The model's words must be known.
        sign: -1 for the words that activate least.

    Returns:
        A direction per objective, in the given order, at the words' mean length. `table()`
        scores it as it scores optima.

    Raises:
        RequestError: as of `ascend`.
    """
    check_model(model)
    words = model.embeddings[model.known_words()["candidate"].to_numpy()]
    wanted = requested(model, neurons, groups, directions, sign)
    chosen, signs = [one.neurons for one in wanted], np.array([one.sign for one in wanted])
    transformer = model.word_transformer()
    objectives = weighted_sums(chosen, transformer)
    gradient = signs[:, None] * mean_word_gradient(model, objectives)
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    scale = np.linalg.norm(words, axis=1).mean() / np.where(length > 0, length, 1)
    start = np.repeat(words.mean(axis=0)[None], len(wanted), axis=0)
    found = (gradient * scale).astype(np.float32)
    inputs = (torch.from_numpy(e).to(transformer.word_embeddings) for e in (start, found))
    curve = torch.stack([objectives.at(transformer, e) for e in inputs]).double().cpu().numpy()
    arrays = OptimaArrays(
        objectives=pd.DataFrame(
            [
                {"objective": one.name, "restart": 0, "size": one.size, "sign": one.sign}
                for one in wanted
            ]
        ),
        start=start,
        embedding=found,
        activation=curve[-1],
        ceiling=objectives.ceiling(transformer).numpy(),
        largest_entries=np.empty((len(wanted), 0), int),
        finite=np.isfinite(curve[-1]),
        dead=length[:, 0] == 0,
        taken=np.ones(len(wanted), int),
        steps=np.array([0, 1]),
        curve=curve,
    )
    return Optima(model, arrays, chosen)


def _check(solver, options, dtype, init) -> None:
    """Raise RequestError for an argument that is not allowed."""
    require_choice("solver", solver, SOLVERS)
    require_choice("dtype", dtype, ("float32", "float64"))
    require_choice("init", init, ("normal", "uniform"))
    known = {
        field.name: field.default
        for field in fields(SOLVERS[solver])
        if field.name not in _SET_INTERNALLY
    }
    for name, value in options.items():
        if name not in known:
            raise RequestError(
                f"{name}: solver {solver} has no such option (allowed: {', '.join(known)}; and the "
                "arguments of ascend)"
            )
        if isinstance(known[name], int):  # a count, of which 0 is allowed where it is the default
            require_whole(name, value, min(known[name], 1))
        elif isinstance(known[name], float):
            require_number(name, value)
        elif name == "parametrisation":
            require_choice(name, value, PARAMETRISATIONS)
        elif name == "penalty":
            require_choice(name, value, ("none", *PENALTIES))
