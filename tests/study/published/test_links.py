"""Links of the documentation: every page, figure and heading that is linked to exists."""

import re

import pytest

from paths import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/*.md")])
LINK = re.compile(r"\]\(([^()\s]+)\)")


def headings(text: str) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    found = re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", line)) for line in found)
    return {line.strip().lower().replace(" ", "-") for line in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_exists(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in headings(target.read_text(encoding="utf-8")), link


def test_a_page_was_found():
    assert ROOT / "docs/answers.md" in PAGES and ROOT / "README.md" in PAGES
