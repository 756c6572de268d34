"""Read a checkpoint once; keep the tensors that the study reads, under this project's names."""

from pathlib import Path

from safetensors.torch import save_file

from running import run
from textualization.architecture import metadata
from textualization.files import atomic
from textualization.freezing import CheckpointError, freeze


def main(weights: str, family: str, shape: dict[str, int], frozen: str) -> None:
    tensors, facts = freeze(Path(weights).parent, family)
    wrong = [f"{k}: {facts[k]}, not {v}" for k, v in shape.items() if int(facts[k]) != v]
    if wrong:
        raise CheckpointError(
            f"the model is not of the shape in the catalogue ({'; '.join(wrong)})"
        )
    with atomic(frozen) as partial:
        save_file(tensors, partial, metadata=metadata(facts))


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        family=snakemake.params.family,
        shape=snakemake.params.shape,
        frozen=snakemake.output[0],
    )
