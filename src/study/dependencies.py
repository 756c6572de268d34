"""The project's files that a script imports. Loads fast: the Snakefile imports this module."""

import ast
from functools import cache
from pathlib import Path


def local_imports(script: str | Path, root: str | Path) -> list[str]:
    """List a script and all modules of this project that it imports, directly or indirectly.

    Args:
        script: a Python file.
        root: the folder of the project's modules; imports from elsewhere are ignored.

    Returns:
        Sorted paths, including the script's.
    """
    script, root = Path(script), Path(root)
    found, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path, root)
    return sorted(str(path) for path in found)


@cache
def _imported(path: Path, root: Path) -> list[Path]:
    names = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    candidates = [root / Path(*name.split(".")) for name in names]
    files = [p.with_suffix(".py") for p in candidates] + [p / "__init__.py" for p in candidates]
    # Importing a module also runs the __init__.py of all packages that it is in.
    parents = {p for f in files if f.is_file() for p in f.parents if root in p.parents}
    files += [parent / "__init__.py" for parent in parents]
    return [file for file in files if file.is_file()]


def _statements(tree: ast.Module):
    """Yield a module's statements, the nested ones too. Most nodes are expressions: no imports."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            waiting += getattr(node, part, [])
