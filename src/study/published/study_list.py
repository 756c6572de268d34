"""The list of published studies: which models, neurons, words and steps a number of docs/ comes from."""

from pathlib import Path

import pandas as pd
import yaml

from textualization.report.csv_tables import read_csv
from textualization.report.tables import readable


def published_studies(data: Path) -> pd.DataFrame:
    """Return a row per study in docs/data/, from the settings that are frozen there."""
    rows = [_row(path.parent) for path in sorted(data.glob("*/config.yaml"))]
    return pd.DataFrame(rows).sort_values(
        "about", key=lambda about: about != "the claims", kind="stable"
    )


def _row(study: Path) -> dict[str, str]:
    settings = yaml.safe_load((study / "config.yaml").read_text(encoding="utf-8"))
    ascent, experiments = settings["ascent"], settings["experiments"]
    # Older settings lack `run`, and name the replicates and the precision otherwise.
    asked = [name for name in settings.get("run", ()) if name in experiments]
    sites = {"output": "block output", "intermediate": "feed-forward layer"}
    row = {
        "study": study.name,
        "about": ", ".join(asked).replace("_", " ") or "the claims",
        "models": ", ".join(settings["models"]),
        "neurons of": ", ".join(sites[site] for site in settings["singles"]["sites"]),
    }
    if asked:
        parts = [experiments[name] for name in asked]
        return row | {
            "neurons per layer": _largest(part.get("singles", {}).get("neurons") for part in parts),
            "words": _largest(part.get("groups", {}).get("words") for part in parts),
            "replicates of nulls": _largest(part["nulls"]["replicates"] for part in parts),
            "ascent": "by condition",
        }
    claims = read_csv(study / "claims.csv") if (study / "claims.csv").is_file() else None
    words = ""
    if claims is not None:
        recovered = claims[claims["claim"].str.startswith("group.recovery")]
        words = readable(int(recovered.loc[recovered["null_model"].isna(), "n"].max()))
    dtype = ascent.get("dtype") or ascent["precision"]["dtype"]
    nulls = settings["nulls"]
    minimum = ", minima" if settings.get("seek") == "minimum" else ""
    return row | {
        "neurons per layer": str(settings["singles"]["neurons"]),
        "words": words,
        "replicates of nulls": str(nulls["replicates" if "replicates" in nulls else "draws"]),
        "ascent": f"{ascent['groups']['steps']:,} steps of {ascent['solver']}, {dtype}{minimum}",
    }


def _largest(numbers) -> str:
    known = [number for number in numbers if number is not None]
    return str(max(known)) if known else ""
