# The files of tables and figures, and how the report shows them.
import ast

import yaml

# The paper's numbers.
PAPER = yaml.safe_load((ROOT / "resources/paper.yaml").read_text(encoding="utf-8"))
# The report sorts its parts by name; numbers keep the paper's order.
PARTS = {
    name: f"{place} {name}"
    for place, name in enumerate(
        (
            "Claims",
            "Single neurons",
            "Groups of words",
            "Relative against absolute selection",
            "Explanation",
            "Sentences and short texts",
            "Nulls",
            "Robustness",
            "Experiments",
            "Comparison of models",
        ),
        start=1,
    )
}


def part_of_report(name):
    """Return a part's name with its number; stop planning if it is unknown."""
    if name not in PARTS:
        raise WorkflowError(f"{name!r} is no part of the report (known: {', '.join(PARTS)})")
    return PARTS[name]


def takes(script, name):
    """Tell whether the `main` of a script has an argument of this name."""
    tree = ast.parse((ROOT / f"scripts/{script}.py").read_text(encoding="utf-8"))
    mains = [node for node in tree.body if getattr(node, "name", "") == "main"]
    return any(name in (argument.arg for argument in main.args.args) for main in mains)


def caption(script):
    """Return a result's caption: the docstring of the script that makes it, and how neurons are read."""
    text = ast.get_docstring(ast.parse((ROOT / f"scripts/{script}.py").read_text(encoding="utf-8")))
    said = "\n\n".join(filter(None, (text, reading.note(config))))
    # A function: Snakemake would take braces for wildcards.
    return lambda wildcards: said


def in_report(path, part, **labels):
    """Mark a file for a part of the report, with labels. Its rule needs a `caption`."""
    place = {"category": part_of_report(part)}
    if part == "Experiments":
        place["subcategory"] = labels.pop("experiment", "{experiment}")
    return report(path, caption="../report/result.rst", labels=labels, **place)


def as_table(name, part, **labels):
    """Return a table's files: CSV, Markdown, LaTeX, and HTML for the report."""
    labels = {"result": name.name, "as": "table"} | labels
    files = {kind: f"{name}.{kind}" for kind in ("csv", "md", "tex")}
    return files | {"html": in_report(f"{name}.html", part, **labels)}


def as_figure(name, part, **labels):
    """Return a figure's files: PDF, and PNG and alt text for the report."""
    files = {"pdf": f"{name}.pdf"}
    for kind, what in (("png", "figure"), ("txt", "figure in words")):
        own = {"result": name.name, "as": what} | labels
        files[kind] = in_report(f"{name}.{kind}", part, **own)
    return files


def prefixed(prefix, files):
    """Prefix the names of files, for a rule with several tables."""
    return {f"{prefix}_{kind}" if prefix else kind: path for kind, path in files.items()}


def every_kind(paths):
    """List all files of the given tables (.md) and figures (.pdf)."""
    kinds = {".md": ("csv", "md", "tex", "html"), ".pdf": ("pdf", "png", "txt")}
    texts = {"findings.md": ("md", "html"), "answer.md": ("md", "html")}
    return [
        path.with_suffix(f".{kind}")
        for path in paths
        for kind in texts.get(path.name, kinds[path.suffix])
    ]
