"""Numbers of frozen tables by name, such as `basis/random/single/explanation~permuted`."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from textualization.report.csv_tables import read_csv
from textualization.report.sentences import with_interval
from textualization.report.tables import readable

#: The shapes of tables that every study has: the columns that name a row, and those of its values.
CLAIMS = {"key": ["claim"], "values": {"": ("value", "ci_low", "ci_high")}}
EXPERIMENT = {
    "key": ["condition", "of", "statistic"],
    "values": {
        "": ("value", "ci_low", "ci_high"),
        ":difference": ("difference", "difference_low", "difference_high"),
    },
}
OF_NULL = {
    "": ("null_value", "null_low", "null_high"),
    ":excess": ("excess", "excess_low", "excess_high"),
}


@dataclass(frozen=True)
class Fact:
    """A number, or a text such as the paper's number, with its interval and its verdict."""

    value: float | int | str
    low: float = math.nan
    high: float = math.nan
    verdict: str = ""

    def __str__(self) -> str:
        if isinstance(self.value, float):
            if math.isnan(self.low) and 0 < abs(self.value) < 0.0005:
                return f"{self.value:.1g}"  # 0.000 would say that it is 0
            return with_interval(self.value, self.low, self.high)
        return readable(self.value)

    def bounds(self) -> tuple[float, float]:
        """Return the interval; a number without one is its own. What is not reached is +∞."""
        own = math.inf if math.isnan(self.value) else self.value
        return tuple(own if math.isnan(bound) else bound for bound in (self.low, self.high))


def facts_of(source: dict, frozen: list[Path]) -> dict[str, Fact] | None:
    """Read the facts of a source, by name.

    Args:
        source: `model` and `claims`, a study; or `model` and `experiment`, with `file` if it is not its
            numbers.csv; or `table`, a path in the frozen studies. Other tables than these two have
            `key`, the columns that name a row, `values`, the columns of its values, `where`, the
            values that columns must have, and `interval`, the columns of a value's bounds (otherwise
            `<value>_low` and `<value>_high`, if there are such columns).
        frozen: the folders of the frozen studies, in order of preference.

    Returns:
        The facts; None if no frozen study has the table. `~null` after a name is a null's value,
        `:difference` the difference from the experiment's first condition, `:excess` that over a null,
        `:paper` what the paper prints.

    Raises:
        ValueError: several rows have the same name.
    """
    if "experiment" in source:
        folder = f"{source['model']}/experiments/{source['experiment']}"
        name = f"{folder}/{source.get('file', 'numbers.csv')}"
        paths = [study / name for study in frozen]
    else:
        study, _, name = (source.get("claims") or source["table"]).partition("/")
        paths = [folder / (name or "claims.csv") for folder in frozen if folder.name == study]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    table = read_csv(path)
    for column, value in source.get("where", {}).items():
        table = table[table[column] == value]
    if "key" in source:
        return _plain(table, source["key"], source["values"], source.get("interval"))
    if "claims" in source:
        return _compared(table[table["model"] == source["model"]], CLAIMS)
    return _compared(_with_sizes(table), EXPERIMENT)


def _with_sizes(numbers: pd.DataFrame) -> pd.DataFrame:
    """Name the groups of a size: `group 100`."""
    named = (numbers["of"] != "single") & (numbers["of"] != "leading") & numbers["size"].notna()
    sizes = numbers["size"].map("{:g}".format)
    return numbers.assign(of=numbers["of"].where(~named, numbers["of"] + " " + sizes))


def _compared(table: pd.DataFrame, shape: dict) -> dict[str, Fact]:
    """Return the facts of rows of a model, and of the rows below them for its nulls."""
    found = {}
    for row in table.to_dict("records"):
        name = "/".join(str(row[column]) for column in shape["key"])
        of_null = pd.notna(row["null_model"])
        for suffix, columns in (OF_NULL if of_null else shape["values"]).items():
            values = [float(row.get(column, math.nan)) for column in columns]
            null = f"~{row['null_model']}" if of_null else ""
            fact = Fact(*values, row["verdict"] if of_null else "")
            _add(found, f"{name}{null}{suffix}", fact)
        if not of_null and pd.notna(row.get("paper")):
            found[f"{name}:paper"] = Fact(str(row["paper"]))
    return found


def _plain(table: pd.DataFrame, key: list[str], values: list[str], interval) -> dict[str, Fact]:
    """Return the facts of any table: its keys (without empty ones) and the column of the value."""
    found = {}
    for row in table.to_dict("records"):
        parts = [row[column] for column in key if pd.notna(row[column])]
        name = "/".join(f"{p:g}" if isinstance(p, float) else str(p) for p in parts)
        for column in values:
            sides = interval or [f"{column}_low", f"{column}_high"]
            fact = Fact(row[column], *(row.get(side, math.nan) for side in sides))
            _add(found, f"{name}/{column}", fact)
    return found


def _add(found: dict[str, Fact], name: str, fact: Fact) -> None:
    if name in found:
        raise ValueError(f"several rows are named {name!r}: add columns to `key`, or to `where`")
    found[name] = fact
