"""The weights of one draw of a null model: the model's own, changed by a rule."""

from safetensors import safe_open
from safetensors.numpy import save_file

from running import run
from textualization.files import atomic
from textualization.nulls import derive


def main(weights: str, null: str, seed: int, draw: int, derived: str) -> None:
    with safe_open(weights, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
        facts = file.metadata()
    with atomic(derived) as partial:
        save_file(derive(null, tensors, facts, seed, draw), partial, metadata=facts)


if "snakemake" in globals():
    run(
        main,
        snakemake,
        weights=snakemake.input.weights,
        null=snakemake.wildcards.null,
        seed=int(snakemake.wildcards.seed),
        draw=int(snakemake.wildcards.draw),
        derived=snakemake.output[0],
    )
