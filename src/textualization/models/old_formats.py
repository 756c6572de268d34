"""Conversion of a model's older files (vocab.txt, pickled weights) into the current formats.

Large libraries are imported on use, since every parse of the Snakefile imports this module.
"""

import json
from pathlib import Path
from pickle import UnpicklingError


def tokenizer_of(vocabulary: str | Path, tokenizer: str | Path) -> None:
    """Write the tokenizer.json of a BERT's vocab.txt, which has one entry per line.

    The tokenizer keeps capitals if some entry begins with one; otherwise it lowercases text.

    Raises:
        ValueError: the vocabulary is not text or lacks BERT's special tokens.
    """
    from tokenizers import BertWordPieceTokenizer

    # Not splitlines(), which also splits at characters that some entries contain.
    entries = Path(vocabulary).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    # A capital without a lowercase form does not count: BERT's uncased vocabulary has one.
    lowered = all(entry[:1] == entry[:1].lower() for entry in entries)
    ids = {entry: row for row, entry in enumerate(entries)}
    try:
        converted = BertWordPieceTokenizer(vocab=ids, lowercase=lowered)
    except TypeError as error:
        raise ValueError(str(error)) from None
    converted.save(str(tokenizer))
    contents = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    Path(tokenizer).write_text(json.dumps(contents, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_of(pickle: str | Path, weights: str | Path) -> None:
    """Write the tensors of a pickle as safetensors, without running code from the pickle.

    Raises:
        pickle.UnpicklingError: the pickle holds anything but tensors, or is broken.
    """
    import torch
    from safetensors.torch import save_file

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
    # Safetensors refuses tensors that share memory, so each is copied.
    state = {name: tensor.clone().contiguous() for name, tensor in state.items()}
    save_file(state, weights, metadata={"format": "pt"})
