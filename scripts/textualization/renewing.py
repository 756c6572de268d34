"""Older forms of a model's files, turned into those that the study reads.

Light until it is asked: where models come from is known whenever the Snakefile is parsed.
"""

import json
from pathlib import Path
from pickle import UnpicklingError


def tokenizer_of(vocabulary: str | Path, tokenizer: str | Path) -> None:
    """Write the tokenizer.json of a BERT's vocab.txt, one entry per line.

    Of a vocabulary with entries in capitals, capitals are kept; of another, words are lowered.
    Raises ValueError if it is no text, or lacks the entries that BERT puts around words.
    """
    from tokenizers import BertWordPieceTokenizer

    # Of odd characters some vocabularies have, more than newlines would count as ends of lines.
    entries = Path(vocabulary).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    # A capital that has no small letter says nothing: BERT's uncased vocabulary has one.
    lowered = all(entry[:1] == entry[:1].lower() for entry in entries)
    ids = {entry: row for row, entry in enumerate(entries)}
    try:
        made = BertWordPieceTokenizer(vocab=ids, lowercase=lowered)
    except TypeError as error:
        raise ValueError(str(error)) from None
    made.save(str(tokenizer))
    contents = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    Path(tokenizer).write_text(json.dumps(contents, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_of(pickle: str | Path, weights: str | Path) -> None:
    """Write the tensors of a pickle as safetensors. Nothing but tensors is read of it.

    Raises pickle.UnpicklingError if it holds anything else, or is broken.
    """
    import torch
    from safetensors.torch import save_file

    try:
        state = torch.load(pickle, map_location="cpu", weights_only=True)
    except (UnpicklingError, OSError, MemoryError):
        raise
    except Exception as error:  # torch raises many kinds, all of them mean: broken
        raise UnpicklingError(str(error) or "it ends too early") from None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and torch.is_tensor(tensor) and tensor.layout == torch.strided
        for name, tensor in state.items()
    ):
        raise UnpicklingError("it is not a list of tensors by name")
    # A tensor that two names share is written twice.
    state = {name: tensor.clone().contiguous() for name, tensor in state.items()}
    save_file(state, weights, metadata={"format": "pt"})
