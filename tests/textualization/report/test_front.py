"""The text that the report opens on, from a table small enough to read."""

import pandas as pd
from docutils.core import publish_parts

from textualization.report.front import front_page


def test_the_front_has_the_papers_claims_in_valid_text():
    own = {"model": "a_b", "claim": "single.nearest_cosine", "statement": "cosine of x* to z_score"}
    own |= {"paper": "0.124", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6}
    null = {"model": "a_b", "claim": "single.nearest_cosine", "null_model": "permuted"}
    null |= {"value": 0.5, "null_value": 0.2, "verdict": "above null", "excess": 0.3}
    null |= {"excess_low": 0.2, "excess_high": 0.4}
    other = {"model": "a_b", "claim": "single.other", "statement": "not the paper's", "value": 1.0}
    text = front_page(pd.DataFrame([own, null, other]), ["a_b"], ["permuted"])
    page = publish_parts(text, writer="html5", settings_overrides={"halt_level": 2})["html_body"]
    assert "<strong>0.500 [0.400, 0.600]</strong>; permuted 0.200" in page
    assert "cosine of x* to z_score" in page and "The paper: 0.124." in page
    assert "not the paper" not in page


def test_a_study_without_claims_has_an_empty_front():
    table = pd.DataFrame(columns=["model", "claim", "paper", "null_model"])
    assert front_page(table, ["a"], []).strip() == ""
