"""Convert a checkpoint: keep the tensors that the study reads, under this project's names."""

from pathlib import Path

from safetensors.torch import save_file

from study.job import run
from textualization.files import atomic
from textualization.models.architecture import metadata
from textualization.models.conversion import CheckpointError, convert


def main(weights: str, family: str, shape: dict, frozen: str, frame: dict | None = None) -> None:
    tensors, facts = convert(Path(weights).parent, family, frame)
    wrong = [f"{k}: {facts[k]}, not {v}" for k, v in shape.items() if int(facts[k]) != v]
    if wrong:
        raise CheckpointError(
            f"the model is not of the shape in the catalogue ({'; '.join(wrong)})"
        )
    with atomic(frozen) as partial:
        save_file(tensors, partial, metadata=metadata(facts))


if "snakemake" in globals():
    run(main, snakemake)
