"""The published figures drawn again from docs/data/, by the rules of the workflow."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from study.published.frozen import Published, check, redrawable
from textualization.files import write_text

#: The name of a study that only has figures drawn again.
REDRAWN = "redrawn-{study}"


def redraw(published: Published, data: Path) -> dict[str, Path]:
    """Draw a study's published figures from its frozen tables, into results/redrawn-<study>/.

    The tables are put where the study would have them, and Snakemake is allowed the rules of the figures
    alone. So they are drawn by the workflow's own code, with the study's settings. Run it beside the
    Snakefile.

    Args:
        published: what is published of the study.
        data: the folder of the frozen studies.

    Returns:
        The PNG of every figure, by its path in docs/ without an ending.

    Raises:
        PublishingError: frozen files are not as in their manifest.
        subprocess.CalledProcessError: Snakemake failed; its output says why.
    """
    figures = redrawable(published, data)
    if not figures:
        return {}
    frozen, study = data / published.study, REDRAWN.format(study=published.study)
    check(frozen)
    results = Path("results") / study
    shutil.rmtree(results, ignore_errors=True)
    shutil.copytree(frozen, results)
    settings, defaults = (
        yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        for path in (published.settings or frozen / "config.yaml", "config/config.yaml")
    )
    # Figures show conditions in the order of the settings.
    settings = yaml.safe_dump(settings_over(defaults, settings), sort_keys=False)
    write_text(settings, results / "config.yaml")
    drawn = {name: results / f"{place}.png" for name, place in figures.items()}
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nolock", "--quiet", "all"]
    command += ["--configfile", str(results / "config.yaml"), "--config", f"study={study}"]
    command += ["--allowed-rules", *sorted({_rule(place) for place in figures.values()})]
    subprocess.run([*command, "--", *map(str, drawn.values())], check=True)
    return drawn


def settings_over(defaults: dict, settings: dict) -> dict:
    """Return a study's settings so that today's defaults add no conditions to its experiments.

    Args:
        defaults: config/config.yaml, which Snakemake reads below the study's settings.
        settings: all settings of the study.
    """
    experiments = {}
    for name, experiment in settings.get("experiments", {}).items():
        today = defaults["experiments"].get(name, {}).get("vary", {})
        experiments[name] = experiment | {"vary": dict.fromkeys(today) | experiment["vary"]}
    return settings | {"experiments": experiments}


def _rule(place: str) -> str:
    """Return the rule that draws a figure, by the figure's path in a study."""
    path = Path(place)
    if "experiments" in path.parts:
        return f"figure_of_{path.parent.name}"
    return f"figure_{path.name}"


def compared(drawn: Path, shown: Path) -> str:
    """Say whether a figure drawn again is as in docs/, by the alt texts, which are made of its numbers.

    Args:
        drawn, shown: PNG files with their alt texts beside them.
    """
    texts = [png.with_suffix(".txt").read_text(encoding="utf-8").strip() for png in (drawn, shown)]
    return "as in docs/" if texts[0] == texts[1] else f"not as {shown.with_suffix('.txt')} says"
