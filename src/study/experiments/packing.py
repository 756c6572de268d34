"""Conditions that ascend together, because they differ in their number of steps only.

An experiment has few objectives, and a replicate of a null model fewer still: alone, a condition would
leave the device idle. An objective's optimum depends on those beside it by rounding only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from study.config.variables import SEARCHES
from textualization.ascent.loop import recorded_steps
from textualization.ascent.protocol import STEPS, Execution, Protocol, ascend_objectives
from textualization.models.model import Model
from textualization.optima_arrays import OptimaArrays


def packs(conditions: Mapping[str, dict]) -> list[dict[str, dict]]:
    """Divide resolved conditions, by name, into those that ascend together. Searches stay alone."""
    found: dict[str, dict] = {}
    for name, condition in conditions.items():
        protocol = {key: of for key, of in condition["protocol"].items() if key != "steps"}
        alone = name if protocol["solver"] in SEARCHES else None
        rest = {key: of for key, of in condition.items() if key not in ("protocol", "varied")}
        found.setdefault(repr((alone, protocol, rest)), {})[name] = condition
    return list(found.values())


def ascend_together(
    model: Model,
    objectives: pd.DataFrame,
    protocols: list[Protocol],
    execution: Execution,
    candidates: np.ndarray,
) -> Iterator[OptimaArrays]:
    """Ascend on the same objectives by several protocols; yield the optima of each.

    Args:
        model, objectives, execution, candidates: see `ascend_objectives`.
        protocols: protocols that differ in `steps` only.
    """
    rows = [objectives.assign(**{STEPS: protocol.steps}) for protocol in protocols]
    longest = replace(protocols[0], steps=max(protocol.steps for protocol in protocols))
    rows = pd.concat(rows, ignore_index=True)
    optima = ascend_objectives(model, rows, longest, execution, candidates)
    for number, protocol in enumerate(protocols):
        first = number * len(objectives)
        recorded = recorded_steps(protocol.steps, protocol.recorded)
        yield optima.part(slice(first, first + len(objectives)), recorded)
