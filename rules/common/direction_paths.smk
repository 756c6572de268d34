# The sets of directions of a study: what they are made of, and their optima.
from study.config import direction_sets


def direction_sets_of(model):
    """Return the sets of directions that a model has, by name."""
    return direction_sets.sets_for(config, entry(model))


def direction_set(wildcards):
    """Return a set of directions as declared."""
    return config["directions"][wildcards.direction_set]


def layers_of_set(model, of):
    """List the layers of a set of directions that the model has."""
    return direction_sets.layers_of(of, entry(model)["layers"])


def made_of(wildcards):
    """Return what a set's directions are made of: a file; words and activations; or activations."""
    of = direction_set(wildcards)
    kind, found = direction_sets.kind_of(of), {}
    if kind == "file":
        found["file"] = of["file"]
    if kind in direction_sets.OF_ACTIVATIONS:
        found["activations"] = STUDY / wildcards.model / f"activations/{of['site']}.npy"
    if direction_sets.words_of(of):
        found["words"] = STUDY / wildcards.model / "directions/words.parquet"
    return found


def made_for_nulls(wildcards):
    """Return what the directions of null models are made of: files, and the words that sets name."""
    sets = direction_sets_of(wildcards.model).values()
    found = {"files": [of["file"] for of in sets if "file" in of]}
    if any(map(direction_sets.words_of, sets)):
        found["words"] = STUDY / wildcards.model / "directions/words.parquet"
    return found


def of_direction_sets(path):
    """Return a function that lists a path for every set of directions of a model."""
    return lambda wildcards: expand(
        MODEL / path, model=wildcards.model, direction_set=direction_sets_of(wildcards.model)
    )


def direction_batches(wildcards):
    """List the batches of all sets of directions of a model."""
    return [
        STUDY / wildcards.model / f"ascent/directions/{name}-{batch}.safetensors"
        for name, of in direction_sets_of(wildcards.model).items()
        for batch in range(
            ceil(
                len(layers_of_set(wildcards.model, of))
                * ascents("singles", direction_sets.count_of(of))
                / ASCENT["singles"]["per_job"]
            )
        )
    ]


def sites_of_directions(wildcards):
    """List the sites of a model's sets of directions."""
    return sorted({of["site"] for of in direction_sets_of(wildcards.model).values()})
