"""Variables of an experiment's conditions: their defaults, and the values that they may have.

Loads fast: the Snakefile imports this module.
"""

from textualization.models.row_files import SUFFIX
from textualization.registry import BASES, SOLVERS

#: Maximum number of free positions: a converted model's maximum length without the special tokens.
MOST_FREE = 62

#: Solvers that try words, texts of some tokens, or the tokens of a corpus, and the variables that are
#: options of theirs.
SEARCHES = {
    "exhaustive": ("top",),
    "coordinate": ("candidates", "sweeps", "restarts"),
    "corpus": ("top",),
}
#: Bounds of numbers.
ANY, POSITIVE = (0.0, 1e9), (1e-12, 1e9)
#: Variables of a condition: the default (None: that of the solver, or of the study's `ascent`), and the
#: allowed values: names, a range of whole numbers, or the bounds of a number.
VARIABLES = {
    # the ascent
    "solver": (None, (*SOLVERS, *SEARCHES)),
    "steps": (None, range(1, 1_000_001)),
    "rate": (None, POSITIVE),
    "power": (None, (0.0, 2.0)),
    "dtype": (None, ("float32", "float64")),
    "init_kind": (None, ("normal", "uniform")),
    "init_scale": (None, (1e-9, 1e9)),
    "seed": (None, range(2**32)),
    "start": (None, ("random", "mean_word", "own_word")),
    "parametrisation": (
        None,
        ("vocabulary", "embedding", "sphere", "softmax", "gumbel_softmax", "convex_hull"),
    ),
    "penalty": ("none", ("none", "l2_e", "l2_x", "nearest_word", "entropy", "mahalanobis")),
    "strength": (0.0, ANY),
    "project_every": (0, range(1_000_001)),
    "temperature_from": (None, POSITIVE),
    "temperature_to": (None, POSITIVE),
    # of searches: items whose mean embedding is judged as well; what a search for texts may evaluate
    "top": (10, range(1, 1001)),
    "candidates": (None, range(1, 1_000_001)),
    "sweeps": (None, range(1_000_001)),
    "restarts": (None, range(1, 1_000_001)),
    # the number of free positions between the special tokens, and the one that is read: the first
    # unless said; of a text, the one that activates most
    "length": (1, range(1, MOST_FREE + 1)),
    "place": (None, range(1, MOST_FREE + 1)),
    # what is read of a layer, or a .safetensors file of rows; and the choice of neurons
    "basis": ("neurons", BASES),
    "site": ("output", ("output", "intermediate")),
    "scope": ("model", ("model", "layer")),
    "selection": ("absolute", ("absolute", "ratio_to_max", "z_score", "contrast")),
    "activations": ("alone", ("alone", "in_context")),
    "reading": ("word", ("word", "pooled")),
}
#: Kinds of objectives that are one neuron, or one row of a basis.
ALONE = ("single", "leading")
#: Variables that choose neurons.
CHOICE = ("basis", "site", "scope", "selection", "activations", "reading")
DEFAULTS = {name: default for name, (default, _) in VARIABLES.items()}
#: Parametrisations that each solver supports, its default first.
PARAMETRISATIONS = {name: entry.parametrisations for name, entry in SOLVERS.items()}
PARAMETRISATIONS |= dict.fromkeys(SEARCHES, ("word",))
#: Values of `place` that stand for numbers.
PLACES = ("each", "last")
#: Solvers that move several free positions.
SEVERAL = [name for name, entry in SOLVERS.items() if entry.several] + ["coordinate"]


def options_of(solver: str) -> tuple[str, ...]:
    """Return the variables that a solver takes as options."""
    return SOLVERS[solver].options if solver in SOLVERS else SEARCHES[solver]


def is_file(basis) -> bool:
    """Tell whether a basis is the path of a file of rows."""
    return isinstance(basis, str) and basis.endswith(SUFFIX)


def wrong_values(block: dict) -> list[str]:
    """List the faults in the variables and values of a block or a base."""
    found = []
    for key, values in block.items():
        if key not in VARIABLES:
            found.append(f"{key!r} is not a variable (allowed: {', '.join(VARIABLES)})")
            continue
        allowed = VARIABLES[key][1]
        for value in values if isinstance(values, list) and values else [values]:
            if (key == "place" and value in PLACES) or (key == "basis" and is_file(value)):
                continue
            if not _is_allowed(value, allowed):
                text = _as_text(allowed)
                text += f"; or the path of a {SUFFIX} file" if key == "basis" else ""
                found.append(f"{key}: {value!r} is not valid (allowed: {text})")
    return found


def _is_allowed(value, allowed) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(allowed, range):
        return whole and value in allowed
    if isinstance(allowed[0], str):
        return value in allowed
    least, most = allowed
    return (whole or isinstance(value, float)) and least <= value <= most


def _as_text(allowed) -> str:
    if isinstance(allowed, range):
        return f"a whole number from {allowed[0]} to {allowed[-1]}, or a list of them"
    if isinstance(allowed[0], str):
        return f"one of {', '.join(allowed)}, or a list of them"
    least, most = allowed
    return f"a number {'above' if least else 'from'} 0, to {most:g}, or a list of them"
