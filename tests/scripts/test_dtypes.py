"""Scripts compute activations in the study's dtype: groups must not depend on a machine's rounding."""

import ast

from paths import ROOT


def test_every_script_that_opens_a_model_names_its_dtype():
    opened = [
        (path.name, ast.unparse(call))
        for path in sorted((ROOT / "scripts").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("Model.open", "open_model")
    ]
    assert len(opened) >= 9
    # `reading` has the dtype.
    assert [name for name, call in opened if "reading" not in call] == []
    # A context that is left out would be read as x alone.
    assert [name for name, call in opened if "context" not in call] == []
