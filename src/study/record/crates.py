"""A finished study as a Process Run Crate, for archives.

See https://w3id.org/ro/wfrun/process/0.5, a profile of RO-Crate 1.1 (https://w3id.org/ro/crate/1.1).
The authors of a study have to add their names and a licence.
"""

import mimetypes
from urllib.parse import quote

STANDARD = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TITLE = "Investigating the Encoding of Words in BERT's Neurons using Feature Textualization"
PAPER = "https://arxiv.org/abs/2311.08240"
#: Media types that Python's `mimetypes` lacks.
TYPES = {".parquet": "application/vnd.apache.parquet", ".tex": "application/x-tex"}


def crate(study: str, files: dict[str, dict], record: dict, finished: str) -> dict:
    """Describe a study's files and the workflow that made them as JSON-LD.

    Args:
        study: the study's name.
        files: `bytes` and `sha256` of every final file, by its path in the study's folder.
        record: the study's provenance.json (`commit`, `python`, `models`).
        finished: time of completion, ISO 8601.
    """
    parts = [_file(name, facts) for name, facts in files.items()]
    models = [_model(name, entry) for name, entry in record["models"].items()]
    software = {
        "@id": "#software",
        "@type": "SoftwareApplication",
        "name": "Feature textualization",
        "softwareVersion": record["commit"] or "not under version control",
        "url": PAPER,
        "softwareRequirements": f"Python {record['python']}, and the packages in provenance.json",
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"The workflow of study {study}",
        "description": "snakemake, with the settings in config.yaml",
        "instrument": _links([software]),
        "object": _links(models),
        "result": _links(parts),
        "endTime": finished,
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": PROFILE},
        "name": f"Feature textualization: study {study}",
        "description": f"Words that activate neurons of {', '.join(record['models'])} most, found by "
        f"the method of {PAPER}: tables, figures, optima and their provenance",
        "datePublished": finished,
        "license": "To be chosen by whoever publishes these results; the code has the MIT license",
        "citation": {"@id": PAPER},
        "hasPart": _links(parts),
        "mentions": _links([run]),
    }
    about = [
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": PAPER, "@type": "ScholarlyArticle", "name": TITLE},
    ]
    head = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": STANDARD},
        "about": {"@id": "./"},
    }
    context = [f"{STANDARD}/context", "https://w3id.org/ro/terms/workflow-run/context"]
    return {"@context": context, "@graph": [head, root, *about, software, run, *models, *parts]}


def _links(things: list[dict]) -> list[dict] | dict:
    """Link to things; the standard wants a single link outside of a list."""
    links = [{"@id": thing["@id"]} for thing in things]
    return links[0] if len(links) == 1 else links


def _file(name: str, facts: dict) -> dict:
    suffix = name[name.rfind(".") :]
    kind = TYPES.get(suffix) or mimetypes.guess_type(name, strict=False)[0]
    return {
        "@id": quote(name),
        "@type": "File",
        "name": name,
        "contentSize": str(facts["bytes"]),
        "sha256": facts["sha256"],
        "encodingFormat": kind or "application/octet-stream",
    }


def _model(name: str, entry: dict) -> dict:
    pieces = entry.get("pieces", [])
    address = {
        "hub": "https://huggingface.co/{repository}/tree/{revision}",
        "pypi": "https://pypi.org/project/{package}/{version}/",
        "path": "#model-{name}",
    }[entry["source"]].format(**(pieces[0] if pieces else {}) | entry | {"name": quote(name)})
    pins = [f"{key} {entry[key]}" for key in ("sha256", "revision") if key in entry]
    pins += [f"sha256 {piece['sha256']} of {piece['package']}" for piece in pieces]
    precision = f", {entry['precision']}" if "precision" in entry else ""
    thing = {
        "@id": address,
        "@type": "CreativeWork",
        "name": name,
        "description": f"pretrained model of the family {entry['family']}{precision}, weights pinned by "
        f"{', '.join(pins)}",
    }
    if "license" in entry:
        thing["license"] = f"https://spdx.org/licenses/{quote(entry['license'])}"
    return thing
