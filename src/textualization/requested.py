"""Objectives and starts as a user names them: neurons, groups, directions; words, optima, arrays."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from textualization.errors import RequestError
from textualization.models.model import Model
from textualization.models.transformer import SITES
from textualization.optima import Optima


class Requested(NamedTuple):
    """A requested objective.

    name: its name.
    neurons: a list of (site, layer, index), or a dict of weights by neuron or by (site, layer).
    identity: the tuple that its x₀ is drawn by, without the restart.
    sign: 1 if its maximum is sought, -1 if its minimum is.
    """

    name: str
    neurons: list | dict
    identity: tuple
    sign: int

    @property
    def size(self) -> int:
        """The number of neurons with a weight."""
        if isinstance(self.neurons, Mapping):
            return sum(int(np.count_nonzero(weight)) for weight in self.neurons.values())
        return len(self.neurons)


def requested(model: Model, neurons, groups, directions, sign: int) -> list[Requested]:
    """Parse the requested neurons, groups and directions, see `textualization.api.ascend`."""
    if sign not in (1, -1):
        raise RequestError(f"sign: {sign!r} is not valid (allowed: 1 for maxima, -1 for minima)")
    listed = [] if neurons is None else _listed(neurons, "neurons")
    found = [_single(model, neuron, sign) for neuron in listed]
    for name, group in _named(groups, "groups", '{"music": ["output/3/120"]}'):
        members = _group(model, group, f"group {name!r}")
        found.append(Requested(str(name), members, ("group", str(name)), sign))
    for name, direction in _named(directions, "directions", '{"probe": ("output", 3, vector)}'):
        weights = _direction(model, direction, f"direction {name!r}")
        found.append(Requested(str(name), weights, ("direction", str(name)), sign))
    if not found:
        raise RequestError(
            "neurons, groups, directions: name at least one neuron, group or direction"
        )
    return found


def check_model(model) -> None:
    """Raise RequestError if a model is none that `load` returned."""
    if not isinstance(model, Model):
        shown = repr(model) if isinstance(model, str | Path) else type(model).__name__
        raise RequestError(f"model: {shown} is not a loaded model (allowed: what tx.load returns)")


def embeddings_at(model: Model, start, count: int) -> np.ndarray | None:
    """Find where `count` ascents start.

    Args:
        model: the model.
        start: see `textualization.api.ascend`.
        count: the number of objectives.

    Returns:
        e₀, (count, H); (count, places · H) if the model's context has several places for x, which
        start alike unless told apart; None for random starts.
    """
    if isinstance(start, str) and start == "random":
        return None
    found, width = _embeddings(model, start), model.places * model.embeddings.shape[1]
    if model.places > 1 and found.shape[-1] == model.embeddings.shape[1]:
        found = np.tile(found, model.places)
    if found.shape not in ((width,), (1, width), (count, width)):
        raise RequestError(
            f"start: the shape {found.shape} is not valid (allowed: ({width},), or ({count}, {width}) "
            "with a row per objective)"
        )
    if not np.isfinite(found).all() or not found.any(axis=-1).all():
        raise RequestError("start: it has values that are not finite, or a row of zeros")
    return np.broadcast_to(found, (count, width))


def _embeddings(model: Model, start) -> np.ndarray:
    """Return the embedding of a start, (H,), or several, (n, H)."""
    e = model.embeddings
    if isinstance(start, Optima):
        return start.embedding
    if isinstance(start, str):
        if start == "mean_word":
            return e[model.candidates].mean(axis=0)
        start = [start]
    if isinstance(start, Sequence) and start and all(isinstance(word, str) for word in start):
        try:
            return e[[model.id_of(word) for word in start]].mean(axis=0)
        except RequestError as error:
            raise RequestError(f"start: {error}") from None
    return _array(
        start, "start", "random, mean_word, a word, a list of words, optima, or an array of numbers"
    )


def _array(values, of: str, allowed: str) -> np.ndarray:
    """Return numbers as a float64 array."""
    try:
        if isinstance(values, torch.Tensor):
            values = values.detach().double().cpu().numpy()
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise RequestError(f"{of}: {values!r} is not valid (allowed: {allowed})") from None


def _single(model: Model, neuron, sign: int) -> Requested:
    """Parse a single neuron; a minus in front seeks its minimum."""
    if isinstance(neuron, str) and neuron.strip().startswith("-"):
        if sign < 0:
            raise RequestError(
                f"neurons: {neuron!r} and sign=-1 both seek a minimum (allowed: one of the two)"
            )
        sign, neuron = -1, neuron.strip()[1:]
    neuron = _neuron(model, neuron, "neurons")
    name = "/".join(map(str, neuron))
    return Requested(name if sign > 0 else f"-{name}", [neuron], ("single", *neuron), sign)


def _group(model: Model, group, of: str) -> list | dict:
    """Parse a group: a list of neurons, or weights by neuron."""
    if not isinstance(group, Mapping):
        members = [_neuron(model, neuron, of) for neuron in _listed(group, of)]
        twice = [neuron for neuron, count in Counter(members).items() if count > 1]
        if twice:
            name = "/".join(map(str, twice[0]))
            raise RequestError(
                f"{of}: {name} is named more than once (allowed: every neuron once, or weights, as in "
                f'{{"{name}": 2.0}})'
            )
    else:
        members = {}
        for neuron, weight in group.items():
            neuron, name = _neuron(model, neuron, of), neuron
            weight = _array(weight, f"{of}: {name!r}", "a finite number")
            if weight.shape or not np.isfinite(weight):
                raise RequestError(
                    f"{of}: {name!r}: the weight {weight} is not valid (allowed: a finite number)"
                )
            members[neuron] = members.get(neuron, 0.0) + float(weight)
    if not members:
        raise RequestError(f"{of}: it is empty (allowed: one or more neurons)")
    if isinstance(members, dict) and not any(members.values()):
        raise RequestError(f"{of}: all weights are 0 (allowed: at least one other weight)")
    return members


def _direction(model: Model, direction, of: str) -> dict:
    """Parse a direction, (site, layer, vector) or vectors by (site, layer)."""
    allowed = '("output", 3, vector) or {("output", 3): vector}'
    if not isinstance(direction, Mapping):
        if not isinstance(direction, Sequence) or len(direction) != 3:
            raise RequestError(f"{of}: it is not valid (allowed: {allowed})")
        *tap, vector = direction
        direction = {tuple(tap): vector}
    if not direction:
        raise RequestError(f"{of}: it is empty (allowed: {allowed})")
    found = {}
    for tap, vector in direction.items():
        if not isinstance(tap, tuple) or len(tap) != 2:
            raise RequestError(f"{of}: {tap!r} is not a place (allowed: {allowed})")
        site, layer, _ = _neuron(model, (*tap, 0), of)
        width, place = model.units((site, layer)), f"{of} at {site}/{layer}"
        vector = _array(vector, place, f"{width} numbers")
        if vector.shape != (width,):
            raise RequestError(f"{place}: its shape is {vector.shape} (allowed: ({width},))")
        if not np.isfinite(vector).all():
            raise RequestError(f"{place}: it has values that are not finite (allowed: numbers)")
        if not vector.any():
            raise RequestError(f"{place}: all weights are 0 (allowed: at least one other weight)")
        found[site, layer] = vector
    return found


def _named(objectives, of: str, example: str) -> list[tuple]:
    """Return the names of groups or directions, and what they name."""
    if objectives is None:
        return []
    if not isinstance(objectives, Mapping):
        raise RequestError(
            f"{of}: {type(objectives).__name__} is not valid (allowed: a dict by name, as in {example})"
        )
    return list(objectives.items())


def _listed(neurons, of: str) -> Iterable:
    """Return a list of neurons; refuse a string, which would be read letter by letter."""
    if isinstance(neurons, str):
        raise RequestError(f'{of}: {neurons!r} is a string; give a list, as in ["output/3/120"]')
    if not isinstance(neurons, Iterable):
        raise RequestError(f'{of}: {neurons!r} is not a list of neurons, as in ["output/3/120"]')
    return neurons


def _neuron(model: Model, neuron, of: str) -> tuple[str, int, int]:
    """Parse a neuron into (site, layer, index)."""
    if isinstance(neuron, str):
        parts = re.fullmatch(r"(\w+)/(\d+)/(\d+)", neuron.strip())
        neuron = (parts[1], int(parts[2]), int(parts[3])) if parts else neuron
    try:
        site, layer, index = neuron
        if isinstance(neuron, str) or not isinstance(site, str):
            raise TypeError
        if not (float(layer).is_integer() and float(index).is_integer()):
            raise TypeError
        layer, index = int(layer), int(index)
    except (TypeError, ValueError):
        raise RequestError(
            f"{of}: {neuron!r} is not valid (allowed: site/layer/index, as in output/3/120)"
        ) from None
    if site not in SITES:
        raise RequestError(f"{of}: {neuron!r}: unknown site (allowed: {', '.join(SITES)})")
    if not (1 <= layer <= model.layers and 0 <= index < model.units((site, layer))):
        raise RequestError(
            f"{of}: {site}/{layer}/{index} is not a neuron of {model.name} (allowed: layers 1 to "
            f"{model.layers}, indices 0 to {model.units((site, layer)) - 1})"
        )
    return site, layer, index
