"""What Snakemake's report opens on: the study in short, and the paper's claims beside its values."""

import re

import pandas as pd

from textualization.report.sentences import in_short, lines


def front_page(claims: pd.DataFrame, models, null_models) -> str:
    """Write the page in reStructuredText.

    Args:
        claims: the table of claims.
        models: names of the models.
        null_models: names of the null models.
    """
    text = []
    for model in models:
        own = claims[claims["model"] == model]
        if short := in_short(own, null_models):
            text += [f"**The study in short, {model}.** {_plain(short)}", ""]
        papers = own.dropna(subset="paper").set_index("claim")["paper"]
        told = lines(own, papers.index, null_models)
        if told:
            text += [f"**The paper's claims, {model}:**", ""]
        for line, paper in zip(told, papers, strict=True):
            text += [f"{_plain(line)} The paper: {paper}.", ""]
    return "\n".join(text) + "\n"


def _plain(text: str) -> str:
    """Escape what reStructuredText would read as marks of its own, except for bold."""
    return re.sub(r"(?<!\*)\*(?!\*)|[\\`_|]", r"\\\g<0>", text)
