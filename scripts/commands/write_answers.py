"""Write docs/answers.md from docs/answers.template.yaml and the tables in docs/data/.

Fails, and names the sentence, where the tables contradict it.
"""

import sys
from pathlib import Path

from study.machine.terminal import command_line
from study.published.answers import AnswersError, write_answers
from study.published.frozen import read_published
from textualization.errors import SettingsError

DOCS = Path("docs")


def main() -> int:
    studies = [published.study for published in read_published(DOCS / "published.yaml")]
    frozen = [DOCS / "data" / study for study in studies]
    try:
        left_out = write_answers(DOCS / "answers.template.yaml", frozen, DOCS)
    except (AnswersError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    for question in left_out:
        print(f"left out, since its results are not in docs/data: {question}")
    return 0


if __name__ == "__main__":
    command_line()
    sys.exit(main())
