"""Snakemake jobs: bind the arguments of a script's `main`, check inputs, report errors."""

import contextlib
import dataclasses
import inspect
import logging
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

from study.record import checksums


def run(main, job) -> None:
    """Call `main` as a job: check its inputs' checksums first, store its outputs' checksums last.

    On an error, print a message of one line, log the traceback, and exit with status 1.

    Args:
        main: the script's function; see `bind` for its arguments.
        job: Snakemake's job object.
    """
    log_file = str(job.log[0])
    logging.raiseExceptions = False  # on a full disk, logging fails first
    text = {"encoding": "utf-8", "errors": "backslashreplace"}  # whatever the locale
    style = {"level": logging.INFO, "format": "%(asctime)s %(message)s"}
    logging.basicConfig(filename=log_file, filemode="w", **style, **text)
    try:
        checksums.forget(job.output)
        checksums.check(job.input)
        # Files from a cache that several checkouts share have no checksum yet.
        checksums.record(path for path in job.input if _linked(path))
        arguments = bind(main, job)
        main(**arguments)
        checksums.record(job.output)
        for value in arguments.values():
            if hasattr(value, "remove_snapshots"):  # the optima are written
                value.remove_snapshots()
    except Exception as error:
        with contextlib.suppress(OSError), Path(log_file).open("a", **text) as log:
            traceback.print_exc(file=log)
        script = Path(main.__globals__["__file__"]).stem
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        print(f"{script}: {error}{notes}\n(details: {log_file})", file=sys.stderr)
        sys.exit(1)


def bind(main, job) -> dict:
    """Find the arguments of `main` in a job, by the names of its parameters.

    A parameter takes the input, output, param, wildcard or resource of its name, or the threads. Its
    annotation may change this:

    - `int`: the value is converted (wildcards are strings). `list`: several files become a list.
    - a dataclass with a classmethod `of_job(job)`: the result of that method.
    - another dataclass: its fields come from the outputs of their names, with the prefix `<parameter>_`
      if there are such outputs (`csv` or `senses_csv`); or the value is a mapping of its fields.

    Args:
        main: a function; a parameter with a default may be missing in the job.
        job: Snakemake's job object.

    Returns:
        The arguments by name.

    Raises:
        TypeError: a parameter is nowhere in the job, or in several places with different values.
    """
    found = {}
    for name, parameter in inspect.signature(main).parameters.items():
        kind = parameter.annotation
        if hasattr(kind, "of_job"):
            found[name] = kind.of_job(job)
        elif dataclasses.is_dataclass(kind) and (files := _files(kind, name, job)):
            found[name] = files
        else:
            places = (job.input, job.output, job.params, job.wildcards, job.resources)
            places += ({"threads": job.threads},)
            values = [place[name] for place in places if name in place.keys()]  # noqa: SIM118
            if not values and parameter.default is not parameter.empty:
                continue
            if not values or any(value != values[0] for value in values[1:]):
                where = "nowhere" if not values else "in several places"
                raise TypeError(
                    f"{name!r} is {where} in the rule (input, output, params, wildcards, resources)"
                )
            found[name] = _as(kind, values[0])
    return found


def _files(kind, name, job):
    """Build a dataclass of files from the job's outputs; None if they are not there."""
    fields = [field.name for field in dataclasses.fields(kind)]
    for names in ([f"{name}_{field}" for field in fields], fields):
        if all(output in job.output.keys() for output in names):  # noqa: SIM118
            return kind(*(job.output[output] for output in names))
    return None


def _as(kind, value):
    if dataclasses.is_dataclass(kind):
        return kind(**value)
    if kind in (int, list):
        return kind([value] if kind is list and isinstance(value, str) else value)
    return value


def _linked(path) -> bool:
    """Tell whether an input is a link to a result elsewhere, without a checksum."""
    path = Path(path)
    return path.parts[0] == "results" and path.is_symlink() and not checksums.has_record(path)


def in_turn(what: str, items: Iterable) -> Iterator:
    """Yield the items; log each one's number before, such as `replicate 1 of 2`."""
    items = list(items)
    for number, item in enumerate(items, start=1):
        logging.info("%s %d of %d", what, number, len(items))
        yield item
