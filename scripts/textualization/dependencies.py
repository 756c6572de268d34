"""Which files of this project a script is made of. Light: imported whenever the Snakefile is parsed."""

import ast
from functools import cache
from pathlib import Path


def local_imports(script: str | Path, root: str | Path | None = None) -> list[str]:
    """The script itself and, through all its imports, every module below `root`; sorted paths.

    root: where imports are looked for; the script's own folder unless given.
    """
    script = Path(script)
    root = script.parent if root is None else Path(root)
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
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    candidates = [root / Path(*name.split(".")) for name in names]
    files = [p.with_suffix(".py") for p in candidates] + [p / "__init__.py" for p in candidates]
    # A package's own file runs before its modules.
    files += [f.parent / "__init__.py" for f in files if f.is_file() and f.parent != root]
    return [file for file in files if file.is_file()]
