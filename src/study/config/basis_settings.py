"""What the basis of an experiment needs: words, and rows of a file that fit the model."""

from study.config.variables import is_file
from textualization.models.row_files import check_shapes, row_shapes


def basis_faults(condition: dict, experiment: dict, words: int | str, shape: dict) -> list[str]:
    """List what is missing for a condition's basis.

    Args:
        condition: all variables of the condition.
        experiment: the experiment, for its group sizes.
        words: the number of words whose activations make a basis, or `all` (`nulls.words`).
        shape: the model's `layers`, `hidden` and `intermediate`.
    """
    basis, site = condition["basis"], condition["site"]
    width = shape["hidden" if site == "output" else "intermediate"]
    if basis == "principal" and words != "all" and words <= width:
        return [
            f"basis principal of {width} {site} neurons needs the activations by more words than "
            f"nulls.words: {words} (allowed: {width + 1} or more, or all)"
        ]
    if not is_file(basis):
        return []
    try:
        rows = check_shapes(basis, row_shapes(basis), site, shape["layers"], width)
    except ValueError as error:
        return [f"basis: {error}"]
    has = sum(rows.values()) if condition["scope"] == "model" else min(filter(None, rows.values()))
    return [
        f"basis: a group of {size} is more than the {has} rows that {basis} has in scope "
        f"{condition['scope']!r}"
        for size in experiment.get("groups", {}).get("sizes", [])
        if size > has
    ]
