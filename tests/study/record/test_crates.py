"""A study as a crate: every file with its checksum, every link answered, no model without its pin."""

import json

import pytest

from study.record.crates import crate

FILES = {
    "claims.csv": {"bytes": 500, "sha256": "a" * 64},
    "m/groups.parquet": {"bytes": 7, "sha256": "b" * 64},
    "a model/100% <b>.tex": {"bytes": 0, "sha256": "c" * 64},
}
PYPI = {"source": "pypi", "family": "bert", "package": "p", "version": "1.0", "sha256": "d" * 64}
PIECES = [{"package": p, "version": "2.0", "sha256": p[0] * 64} for p in ("part-1", "quart-2")]
IN_PIECES = {"source": "pypi", "family": "mpnet", "pieces": PIECES, "sha256": "1" * 64}
HUB = {"source": "hub", "family": "gpt2", "repository": "o/m", "revision": "e" * 40}
FOLDER = {"source": "path", "family": "bert", "path": "/secret/place", "sha256": "f" * 64}


def described(models, commit="abc+changes") -> dict:
    """Things of a crate by their id."""
    record = {"models": models, "commit": commit, "python": "3.11.7"}
    whole = crate("mine", FILES, record, "2023-12-07T12:00:00+00:00")
    found = {thing["@id"]: thing for thing in json.loads(json.dumps(whole))["@graph"]}
    assert len(found) == len(whole["@graph"])
    return found


def links(value):
    if isinstance(value, list):
        return [link for part in value for link in links(part)]
    return [value["@id"]] if isinstance(value, dict) else []


def test_files_carry_size_checksum_and_type_and_are_parts_and_results():
    found = described({"m": PYPI})
    parts = ["claims.csv", "m/groups.parquet", "a%20model/100%25%20%3Cb%3E.tex"]
    assert links(found["./"]["hasPart"]) == links(found["#run"]["result"]) == parts
    for part, (name, facts) in zip(parts, FILES.items(), strict=True):
        thing = found[part]
        assert (thing["@type"], thing["name"], thing["sha256"]) == ("File", name, facts["sha256"])
        assert thing["contentSize"] == str(facts["bytes"])
    types = [found[part]["encodingFormat"] for part in parts]
    assert types == ["text/csv", "application/vnd.apache.parquet", "application/x-tex"]


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        (PYPI, "https://pypi.org/project/p/1.0/"),
        (IN_PIECES, "https://pypi.org/project/part-1/2.0/"),
        (HUB, f"https://huggingface.co/o/m/tree/{'e' * 40}"),
        (FOLDER, "#model-m"),
    ],
)
def test_a_model_is_named_by_its_source_and_pin(entry, address):
    found = described({"m": entry})
    assert found["#run"]["object"] == {"@id": address}
    assert entry.get("sha256", entry.get("revision")) in found[address]["description"]
    assert "secret" not in json.dumps(found)  # a path on this machine tells others nothing


def test_a_model_in_pieces_names_the_checksum_of_each():
    (model,) = [thing for thing in described({"m": IN_PIECES}).values() if thing.get("name") == "m"]
    assert model["description"].endswith(
        f"pinned by sha256 {'1' * 64}, sha256 {'p' * 64} of part-1, sha256 {'q' * 64} of quart-2"
    )


def test_license_and_precision_are_said_where_they_are_known():
    recorded = {"license": "Apache-2.0", "precision": "4-bit weights"}
    found = described({"m": PYPI | recorded, "n": HUB})
    model, other = (found[link["@id"]] for link in found["#run"]["object"])
    assert model["license"] == "https://spdx.org/licenses/Apache-2.0"
    assert "of the family bert, 4-bit weights, weights pinned" in model["description"]
    assert "license" not in other and "bit" not in other["description"]


def test_every_link_within_the_crate_is_answered():
    found = described({"m": PYPI, "n": FOLDER}, commit=None)
    asked = {link for thing in found.values() for value in thing.values() for link in links(value)}
    assert asked - set(found) == {"https://w3id.org/ro/crate/1.1"}
    assert found["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert found["./"]["datePublished"] == found["#run"]["endTime"] == "2023-12-07T12:00:00+00:00"
    assert found["#software"]["softwareVersion"] == "not under version control"
