"""Older forms of a model's files, turned into those that the study reads.

Light until it is asked: where models come from is known whenever the Snakefile is parsed.
"""

import json
from pathlib import Path


def tokenizer_of(vocabulary: str | Path, tokenizer: str | Path) -> None:
    """Write the tokenizer.json of a BERT's vocab.txt, one entry per line.

    Of a vocabulary with entries in capitals, capitals are kept; of another, words are lowered.
    """
    from tokenizers import BertWordPieceTokenizer

    entries = Path(vocabulary).read_text(encoding="utf-8").splitlines()
    lowered = not any(entry[:1].isupper() for entry in entries)
    ids = {entry: row for row, entry in enumerate(entries)}
    BertWordPieceTokenizer(vocab=ids, lowercase=lowered).save(str(tokenizer))
    contents = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    Path(tokenizer).write_text(json.dumps(contents, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_of(pickle: str | Path, weights: str | Path) -> None:
    """Write the tensors of a pickle as safetensors. Nothing but tensors is read of it.

    Raises pickle.UnpicklingError if it holds anything else.
    """
    import torch
    from safetensors.torch import save_file

    state = torch.load(pickle, map_location="cpu", weights_only=True)
    # A tensor that two names share is written twice.
    state = {name: tensor.clone().contiguous() for name, tensor in state.items()}
    save_file(state, weights, metadata={"format": "pt"})
