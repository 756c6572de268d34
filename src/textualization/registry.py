"""The names of solvers, null models and bases: a new one is a class or function, and a line here.

Light: it is imported whenever the Snakefile is parsed.
"""

from typing import NamedTuple


class SolverEntry(NamedTuple):
    """A solver as settings and experiments know it.

    name_of_class: the class in `textualization.ascent.solvers`.
    parametrisations: those that it supports, its own first.
    options: variables of an experiment that it takes.
    for_studies: whether a whole study may use it, as `ascent.solver`.
    several: whether it moves several free positions.
    """

    name_of_class: str
    parametrisations: tuple[str, ...]
    options: tuple[str, ...] = ()
    for_studies: bool = True
    several: bool = False


_ADAM = ("rate", "parametrisation", "penalty", "strength", "project_every")
_ADAM += ("temperature_from", "temperature_to")
_FREE = ("embedding", "vocabulary", "sphere", "softmax", "gumbel_softmax")
SOLVERS = {
    "paper": SolverEntry("Paper", ("vocabulary",), ("rate",), several=True),
    "lbfgs": SolverEntry("Lbfgs", ("sphere",), ("power",), several=True),
    "sphere": SolverEntry("Sphere", ("sphere",), ("power",), several=True),
    "adam": SolverEntry("Adam", _FREE, _ADAM, for_studies=False),
    "frank_wolfe": SolverEntry("FrankWolfe", ("convex_hull",), ("penalty", "strength"), False),
}
#: Longest text that is sought, in tokens.
MOST_TOKENS = 8
#: Functions of `textualization.models.null_models`.
NULL_MODELS = ("permuted", "permuted_keep_embeddings", "untrained", "rotated_basis")
#: What can be read of a layer: its neurons, or a basis of `textualization.models.bases`.
BASES = ("neurons", "principal", "random", "differences")

#: By what a study seeks, the sign that activations are read with.
SIGNS = {"maximum": 1, "minimum": -1}
