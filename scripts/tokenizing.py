"""A model's tokenizer as the scripts use it."""

from tokenizers import Tokenizer


def load_tokenizer(path) -> Tokenizer:
    """Read tokenizer.json; whatever length it asks for, texts are neither padded nor cut."""
    found = Tokenizer.from_file(str(path))
    found.no_padding()
    found.no_truncation()
    return found
