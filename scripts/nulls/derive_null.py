"""Derive one replicate of a null model: change the model's weights by a rule."""

from safetensors import safe_open
from safetensors.numpy import save_file

from study.job import run
from textualization.files import atomic
from textualization.models.null_models import derive


def main(weights: str, null: str, seed: int, replicate: int, derived: str) -> None:
    with safe_open(weights, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
        facts = file.metadata()
    with atomic(derived) as partial:
        save_file(derive(null, tensors, facts, seed, replicate), partial, metadata=facts)


if "snakemake" in globals():
    run(main, snakemake)
