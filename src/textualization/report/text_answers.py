"""Sentences and short texts of one neuron or direction in lines of text, from a part of the atlas."""

from textualization.report.answers import printable

#: Number of sentences that are listed.
LISTED = 5
#: Characters shown on each side of the token.
AROUND = 60


def texts_answer(document: dict, kind: str, place: int, optimum: float) -> list[str]:
    """List an objective's sentences and short texts; nothing if the study has none.

    Args:
        document: a model's part of the atlas, see `textualization.report.atlas_sentences`.
        kind: `singles`, `groups` or `directions`.
        place: the objective's row among those of its kind.
        optimum: the activation of its optimum.
    """
    lines = []
    if kind in document.get("sentences", {}):
        of = document["corpus"]
        said = f"of {of['tokens']:,} tokens in {of['sentences']:,} sentences"
        lines += sentence_lines(document["sentences"][kind][place], optimum, said)
    if found := document.get("texts", {}).get(kind, [[]] * (place + 1))[place]:
        lines += [
            "",
            "short texts      found by replacing words one by one; the token read in brackets",
        ]
        lines += [
            _line(row, optimum, f"{row[4]} tokens" if row[4] > 1 else "1 token") for row in found
        ]
    return lines


def word_texts_answer(document: dict, word: str) -> list[str]:
    """List the sentences and short texts of a word's largest group of every selection, over all layers.

    Args:
        document: a model's part of the atlas.
        word: the word; nothing is listed if the study has no groups of it.
    """
    if not document.keys() & {"sentences", "texts"}:
        return []
    groups, lines, largest = document["groups"], [], {}
    for row, (own, scope) in enumerate(zip(groups["word"], groups["scope"], strict=True)):
        if own == word and scope == "model":
            known = largest.setdefault(groups["selection"][row], row)
            if groups["size"][row] > groups["size"][known]:
                largest[groups["selection"][row]] = row
    for selection, row in largest.items():
        if found := texts_answer(document, "groups", row, groups["activation"][row]):
            lines += ["", f"Its group of {groups['size'][row]} neurons, {selection}", *found[1:]]
    return lines


def sentence_lines(rows: list[list], optimum: float, said: str) -> list[str]:
    """List the first sentences of an objective, with the token in brackets.

    Args:
        rows: lists of [activation, before, token, after].
        optimum: the activation of its optimum.
        said: what is said of all of them; nothing is listed if that is empty.
    """
    if not said:
        return []
    said += "; the token in brackets" if rows else ""
    shown = [_line(row, optimum, f"{rank}.") for rank, row in enumerate(rows[:LISTED], start=1)]
    return ["", f"sentences        {said}", *shown]


def _line(row: list, optimum: float, name: str) -> str:
    activation, before, token, after = row[:4]
    share = f" ({100 * activation / optimum:.3g} %)" if optimum and optimum > 0 else ""
    before, after = _cut(before[::-1])[::-1], _cut(after)
    text = printable(f"{before}[{token}]{after}".replace("\t", " "))
    return f"  {name:<9} {f'{activation:.3g}{share}':<16} {text}"


def _cut(text: str) -> str:
    return text if len(text) <= AROUND else f"{text[:AROUND]}…"
