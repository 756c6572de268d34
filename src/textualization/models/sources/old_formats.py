"""Conversion of a model's older files (vocab.txt, pickled weights) into the current formats.

Large libraries are imported on use, since every parse of the Snakefile imports this module.
"""

import json
from pathlib import Path
from pickle import UnpicklingError

from textualization.errors import ModelFileError
from textualization.models.sources.tokenizer_settings import settings_of


def tokenizer_of(vocabulary: Path, config: Path, beside: list[Path], tokenizer: str | Path) -> None:
    """Write the tokenizer.json of a BERT's vocab.txt, which has one entry per line.

    Args:
        vocabulary: vocab.txt.
        config, beside: further files that have the tokenizer's settings, see `settings_of`.
        tokenizer: the file to write.

    Raises:
        ModelFileError: the vocabulary is not text, lacks BERT's special tokens, or contradicts the
            settings.
    """
    from tokenizers import BertWordPieceTokenizer

    try:
        # Not splitlines(), which also splits at characters that some entries contain.
        entries = vocabulary.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        ids = {entry: row for row, entry in enumerate(entries)}
        settings, special = settings_of(ids, config, beside)
        converted = BertWordPieceTokenizer(vocab=ids, **settings)
        if converted.token_to_id(settings["unk_token"]) is None:
            raise TypeError("unk_token not found in the vocabulary")
    except (UnicodeDecodeError, TypeError) as error:
        raise ModelFileError(vocabulary.name, f"is not the vocabulary of a BERT: {error}") from None
    converted.add_special_tokens(special)
    converted.save(str(tokenizer))
    contents = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    Path(tokenizer).write_text(json.dumps(contents, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_of(pickle: Path, weights: str | Path) -> None:
    """Write the tensors of a pickle as safetensors, without running code from the pickle.

    Raises:
        ModelFileError: the pickle holds anything but tensors, or is broken.
    """
    from safetensors.torch import save_file

    try:
        state = _tensors_of(pickle)
    except UnpicklingError as error:
        raise ModelFileError(
            pickle.name, f"holds more than tensors, or is broken, and is not read: {error}"
        ) from None
    # Safetensors refuses tensors that share memory, so each is copied.
    state = {name: tensor.clone().contiguous() for name, tensor in state.items()}
    save_file(state, weights, metadata={"format": "pt"})


def _tensors_of(pickle: Path) -> dict:
    """Return the tensors of a pickle; raise UnpicklingError if it holds anything else."""
    import torch

    try:
        state = torch.load(pickle, map_location="cpu", weights_only=True)
    except (UnpicklingError, OSError, MemoryError):
        raise
    except Exception as error:  # torch raises many types; all mean a broken file
        raise UnpicklingError(str(error) or "it ends too early") from None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and torch.is_tensor(tensor) and tensor.layout == torch.strided
        for name, tensor in state.items()
    ):
        raise UnpicklingError("it is not a dict of tensors")
    return state
