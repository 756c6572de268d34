"""Validation of a study's settings, with one line of text per fault.

Loads fast: the Snakefile imports this module.
"""

import math
from pathlib import Path

from study.config import direction_sets
from study.config.contradictions import contradictions
from study.config.schema_faults import problems
from study.config.text_files import read_tab_separated
from textualization.errors import SettingsError
from textualization.spelling import composed

#: Maximum number of jobs of a study; Snakemake cannot plan more in reasonable time.
MOST_JOBS = 100_000
#: Columns of a table of target words.
TARGET_COLUMNS = ("word", "category", "frequency_band")


def check_settings(settings: dict, schema: dict) -> None:
    """Check the settings against the schema and for contradictions that no schema can express.

    Raises:
        SettingsError: there are faults; the message has one line for each.
    """
    found = problems(settings, schema) or _nameless(settings) or contradictions(settings)
    if found:
        raise SettingsError("\n".join(found))


def _nameless(settings: dict, place: str = "") -> list[str]:
    """List names that YAML does not read as text, such as 2 or yes; the schema's patterns skip them."""
    lines = []
    for key, value in settings.items():
        if not isinstance(key, str):
            lines.append(
                f"{place or 'config'}: {key!r} is not a name (allowed: text; put it in quotes)"
            )
        elif isinstance(value, dict):
            lines += _nameless(value, f"{place}.{key}".lstrip("."))
    return lines


def in_order(value):
    """Sort the keys of settings, and convert whole floats to integers."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def normalised(settings: dict) -> dict:
    """Bring settings into the form that Snakemake compares: `in_order`, each reference block first."""
    found = in_order(settings)
    for name, experiment in settings["experiments"].items():
        order = sorted(experiment["vary"], key=lambda block: block != experiment["reference"])
        vary = found["experiments"][name]["vary"]
        found["experiments"][name]["vary"] = {block: vary[block] for block in order}
    return found


def differing(settings: dict, others: dict, key: str = "") -> list[str]:
    """List the dotted keys in which two settings differ."""
    if not (isinstance(settings, dict) and isinstance(others, dict)):
        return [] if settings == others else [key]
    return [
        found
        for name in sorted({*settings, *others}, key=str)
        for found in differing(settings.get(name), others.get(name), f"{key}.{name}".lstrip("."))
    ]


def group_sizes(sizes: list, neurons: int) -> list[int]:
    """Return the sizes that a scope of so many neurons has, ascending; one below 1 is a share of it."""
    found = {max(1, round(size * neurons)) if size < 1 else size for size in sizes}
    return sorted(size for size in found if size <= neurons)


def jobs_at_most(settings: dict, words: int) -> int:
    """Return an upper bound on a study's jobs, except for a few per model. words: number of targets."""
    nulls, ascent, found = settings["nulls"], settings["ascent"], 0
    sizes = settings["groups"]["sizes"]
    for name in settings["models"]:
        shape = settings["catalogue"][name]
        layers, objectives = shape["layers"], 0
        width = {"output": shape["hidden"], "intermediate": shape["intermediate"]}
        for site in settings["singles"]["sites"]:
            neurons = settings["singles"]["neurons"]
            drawn = width[site] if neurons == "all" else min(neurons, width[site])
            objectives += layers * drawn
            of = ascent["singles"]
            found += layers * math.ceil(drawn * of["restarts"] / of["per_job"])
            found += layers if ascent["twins"]["singles"] else 0
        groups = len(sizes["model"]) + layers * len(sizes.get("layer", []))
        of = ascent["groups"]
        objectives += len(settings["groups"]["selections"]) * groups * words
        found += (
            len(settings["groups"]["selections"])
            * groups
            * math.ceil(words * of["restarts"] / of["per_job"])
        )
        found += len(settings["groups"]["selections"]) if ascent["twins"]["groups"] else 0
        for of in direction_sets.sets_for(settings, shape).values():
            drawn = direction_sets.count_of(of) * len(direction_sets.layers_of(of, layers))
            objectives += drawn
            found += 1 + math.ceil(
                drawn * ascent["singles"]["restarts"] / ascent["singles"]["per_job"]
            )
        texts = settings["texts"]
        found += len(texts["tokens"]) * math.ceil(objectives / texts["per_job"])
        if settings["corpus"] is not None:
            found += len(nulls["models"]) * math.ceil(nulls["replicates"] / nulls["per_job"])
        ascended = len(nulls["models"]) + len(nulls["objectives"])
        found += nulls["replicates"] * len(nulls["models"])
        found += 2 * ascended * math.ceil(nulls["replicates"] / nulls["per_job"])
        if settings["directions"]:
            found += len(nulls["models"]) * math.ceil(nulls["replicates"] / nulls["per_job"])
        for experiment in settings["run"]:
            of = settings["experiments"].get(experiment)
            found += of["nulls"]["replicates"] * len(of["nulls"]["models"]) if of else 0
    return found


def check_job_count(settings: dict, words: int) -> None:
    """Raise SettingsError for a study with more than MOST_JOBS jobs."""
    if (jobs := jobs_at_most(settings, words)) > MOST_JOBS:
        raise SettingsError(
            f"ascent: the study would have about {jobs} jobs (allowed: {MOST_JOBS}; raise `batch` of "
            "singles, groups or nulls, or lower the numbers of replicates and restarts)"
        )


def read_target_rows(path: str | Path) -> list[dict[str, str]]:
    """Read a tab-separated table of target words, row by row: TARGET_COLUMNS.

    Raises:
        SettingsError: the file cannot be read (see `study.config.text_files`), lacks a column or has
            it twice, or a row has a wrong number of fields or a word that is missing, surrounded by
            spaces, or repeated, perhaps in another Unicode form.
    """
    try:
        rows = read_tab_separated(path, TARGET_COLUMNS)
    except SettingsError as error:
        raise SettingsError(f"words.targets: {error}") from None
    (_, head), *rows = rows or [(1, [])]
    if not rows or not {*TARGET_COLUMNS} <= {*head} or len({*head}) < len(head):
        raise SettingsError(
            f"words.targets: {path} needs rows of words below the tab-separated header "
            f"{' '.join(TARGET_COLUMNS)}"
        )
    found, lines = [], {}
    for number, row in rows:
        if len(row) != len(head):
            raise SettingsError(
                f"words.targets: {path} has {len(row)} fields in row {number} (allowed: {len(head)}, "
                "as in the header)"
            )
        fields = {column: row[head.index(column)] for column in TARGET_COLUMNS}
        word = fields["word"]
        # The word stays as it is listed: the table of requested words says how it is read.
        found.append({column: composed(field) for column, field in fields.items()} | {"word": word})
        if not word or word != word.strip() or not word.isprintable():
            raise SettingsError(
                f"words.targets: {path} has no word in row {number}: {word!r} (allowed: text without "
                "spaces around it)"
            )
        lines.setdefault(composed(word), []).append(number)
    twice = [f"{word!r}" for word, numbers in sorted(lines.items()) if len(numbers) > 1]
    if twice:
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        raise SettingsError(f"words.targets: {path} lists twice: {', '.join(twice[:5])}{more}")
    return found
