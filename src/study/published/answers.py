"""docs/answers.md: questions with answers whose numbers are read, and whose judgements are checked."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pandas as pd
import yaml

from study.config.strict_yaml import check_yaml
from study.published.facts import Fact, facts_of
from study.published.frozen import shortened
from textualization.files import write_text
from textualization.report.tables import markdown
from textualization.report.verdicts import NULL_VERDICTS

#: Sentences of an answer, and rows of its table at most.
SENTENCES, ROWS = 2, 6
#: How a check compares two intervals: they do not overlap, or do, or the first is not clearly beyond.
COMPARED = {
    ">": lambda a, b: a[0] > b[1],
    "<": lambda a, b: a[1] < b[0],
    "~": lambda a, b: a[0] <= b[1] and b[0] <= a[1],
    "<=": lambda a, b: a[0] <= b[1],
    ">=": lambda a, b: a[1] >= b[0],
}
#: A name of a fact in a sentence.
NAME = re.compile(r"\{([^{}]+)\}")


class AnswersError(ValueError):
    """The template is wrong, or the results contradict its sentences."""


@dataclass(frozen=True)
class Results:
    """Facts by the name of their source; None for a source whose results are not published."""

    facts: dict[str, dict[str, Fact] | None]

    def has(self, name: str) -> bool:
        """Tell whether the results of a fact's source are published."""
        return self._of(name) is not None

    def get(self, name: str) -> Fact:
        """Return a fact.

        Raises:
            AnswersError: no fact has this name.
        """
        facts, key = self._of(name), name.partition("/")[2]
        if key not in facts:
            near = get_close_matches(key, facts, n=3)
            raise AnswersError(f"{name!r} is no number (near: {', '.join(near) or 'none'})")
        return facts[key]

    def _of(self, name: str):
        source = name.partition("/")[0]
        if source not in self.facts:
            known = ", ".join(self.facts)
            raise AnswersError(f"{name!r}: {source!r} is no source (known: {known})")
        return self.facts[source]


def contradiction(check: str, results: Results) -> str:
    """Return how results contradict a check; an empty text if they do not.

    Args:
        check: `<fact> is <verdict on a null>`, or `<fact> <operator> <fact or number>`, see COMPARED.

    Raises:
        AnswersError: it is no check.
    """
    if (judged := re.fullmatch(r"(.+) is ([a-z ]+)", check)) and judged[2] in NULL_VERDICTS:
        fact = results.get(judged[1])
        if not fact.verdict:
            raise AnswersError(f"{check!r}: {judged[1]} has no verdict (name a null: ~permuted)")
        return (
            "" if fact.verdict == judged[2] else f"{judged[1]} is {fact.verdict}, not {judged[2]}"
        )
    if not (compared := re.fullmatch(r"(.+) (>|<|~|<=|>=) (.+)", check)):
        operators = " ".join(COMPARED)
        raise AnswersError(f"{check!r} is no check: say `is` and a verdict, or one of {operators}")
    names = (compared[1], compared[3])
    facts = [Fact(float(n)) if _is_number(n) else results.get(n) for n in names]
    if COMPARED[compared[2]](*(fact.bounds() for fact in facts)):
        return ""
    said = [
        str(fact) if _is_number(n) else f"{n}, {fact}" for n, fact in zip(names, facts, strict=True)
    ]
    return f"not {said[0]} {compared[2]} {said[1]}"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def needed(section: dict) -> set[str]:
    """Return the names of all facts that a section shows or checks."""
    names = {cell for row in section["table"]["rows"].values() for cell in row if cell}
    for sentence in section["answer"]:
        names |= set(NAME.findall(sentence["say"]))
        for check in sentence["holds"]:
            parts = re.split(r" (?:is|>|<|~|<=|>=) ", check)
            names |= {p for p in parts if not _is_number(p) and p not in NULL_VERDICTS}
    return names


def check_form(section: dict) -> None:
    """Raise AnswersError unless a section has two checked sentences, and a table of at most six rows."""
    where = f"{section.get('question')!r}"
    keys = {"question", "answer", "figure", "caption", "table", "change", "more"}
    if missing := keys - set(section):
        raise AnswersError(f"{where}: {', '.join(sorted(missing))} missing")
    if len(section["answer"]) != SENTENCES or not all(s.get("holds") for s in section["answer"]):
        raise AnswersError(f"{where}: an answer is {SENTENCES} sentences, each with `holds`")
    if not 0 < len(section["table"]["rows"]) <= ROWS:
        raise AnswersError(f"{where}: a table has 1 to {ROWS} rows")


def contradictions(section: dict, results: Results) -> list[str]:
    """List the sentences of a section that results contradict, and how."""
    return [
        f"{section['question']!r}: the sentence {sentence['say']!r} does not hold: {said}"
        for sentence in section["answer"]
        for check in sentence["holds"]
        if (said := contradiction(check, results))
    ]


def rendered(section: dict, results: Results, docs: Path) -> str:
    """Return a section as Markdown."""
    answer = " ".join(_filled(sentence["say"], results) for sentence in section["answer"])
    whole = (docs / f"{section['figure']}.txt").read_text(encoding="utf-8").strip()
    alt = shortened(section["figure"], whole)
    return (
        f"## {section['question']}\n\n{answer}\n\n![{alt}]({section['figure']}.png)\n\n"
        f"*{section['caption']}*\n\n{markdown(_table(section['table'], results))}\n"
        f"**What would change our mind.** {section['change']}\n\n{section['more']}\n"
    )


def _filled(text: str, results: Results) -> str:
    return NAME.sub(lambda found: str(results.get(found[1])), text)


def _table(table: dict, results: Results) -> pd.DataFrame:
    rows = []
    for name, cells in table["rows"].items():
        row = {"": name}
        for column, cell in zip(table["columns"], cells, strict=True):
            row[column] = _cell(cell, table.get("nulls", []), results) if cell else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _cell(name: str, nulls: list[str], results: Results) -> str:
    own = str(results.get(name))
    facts = results.facts[name.partition("/")[0]]
    values = [facts.get(f"{name.partition('/')[2]}~{null}") for null in nulls]
    if not values or None in values:
        return own
    return f"{own}; {', '.join(str(Fact(fact.value)) for fact in values)}"


def write_answers(template: Path, frozen: list[Path], docs: Path) -> list[str]:
    """Write docs/answers.md from its template.

    Args:
        template: the YAML file of `opening`, `sources` (see `facts_of`) and `sections`.
        frozen: the folders of the frozen studies, in order of preference.
        docs: the folder of the page and of its figures.

    Returns:
        The questions that are left out, since their results are not published.

    Raises:
        AnswersError: results contradict sentences: all of these, one a line; or the template is wrong.
            The page is not written.
    """
    check_yaml(template)
    content = yaml.safe_load(template.read_text(encoding="utf-8"))
    results = Results({name: facts_of(of, frozen) for name, of in content["sources"].items()})
    texts, wrong, left_out = [content["opening"]], [], []
    for section in content["sections"]:
        check_form(section)
        if not all(results.has(name) for name in needed(section)):
            left_out.append(section["question"])
            continue
        wrong += contradictions(section, results)
        texts.append(rendered(section, results, docs))
    if wrong:
        raise AnswersError("\n".join(wrong))
    if left_out:
        questions = "\n".join(f"- {question}" for question in left_out)
        texts.append(
            f"## Not answered yet\n\nTheir results are not published yet:\n\n{questions}\n"
        )
    write_text("\n".join(texts), docs / "answers.md")
    return left_out
