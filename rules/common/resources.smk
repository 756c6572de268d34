# Resources of jobs. On one machine, `--resources gpu=` limits how many GPU jobs run at a time; a
# scheduler runs them in parallel.
from study.machine.hardware import gpu_computes


resource_scopes:
    gpu="local",


def growing(amount):
    """Return an amount (megabytes or minutes) that grows with every attempt."""
    return lambda wildcards, attempt: amount * attempt


def weights_mb(model):
    """Return the megabytes of float32 weights: attention, gated feed-forward layers, embeddings."""
    layers, hidden, intermediate, words = (entry(model)[key] for key in SHAPE)
    numbers = layers * (4 * hidden**2 + 3 * hidden * intermediate) + words * hidden
    return ceil(4 * numbers / 2**20)


def holding_model(fixed, copies):
    """Return the megabytes of a job with some copies of the weights; they grow with every attempt."""

    def megabytes(wildcards, attempt):
        model = wildcards.get("model") or wildcards.name
        return attempt * (fixed + copies * weights_mb(model))

    return megabytes


def holding_reference(fixed, copies):
    """Return the same, with the activations of the groups' neurons by the words of null models."""
    of_model = holding_model(fixed, copies)

    def megabytes(wildcards, attempt):
        words = entry(wildcards.model)["words"] if NULLS["words"] == "all" else NULLS["words"]
        numbers = words * neurons_of(wildcards.model, "model")
        return of_model(wildcards, attempt) + attempt * ceil(4 * numbers / 2**20)

    return megabytes


def gpus():
    """Return the GPUs an ascent requests: one for `cuda`, and for `auto` if one computes here."""
    return int(ASCENT["device"] == "cuda" or (ASCENT["device"] == "auto" and gpu_computes()))


# How an ascent runs. These change results by rounding only, so a new value re-runs nothing.
HOW = {"device": ASCENT["device"], "snapshot_seconds": ASCENT["snapshot_seconds"]}
