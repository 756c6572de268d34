"""Scripts compute activations in the study's dtype: groups must not depend on a machine's rounding."""

import ast

from paths import ROOT


def test_every_script_that_opens_a_model_names_its_dtype():
    opened = [
        (path.name, ast.unparse(call))
        for path in sorted((ROOT / "scripts").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Model.open"
    ]
    assert len(opened) >= 9
    # `how`: of the conditions' protocol.
    assert [name for name, call in opened if "dtype=" not in call and "**how" not in call] == []
