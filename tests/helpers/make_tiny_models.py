"""Writes the tiny random BERTs of tests/data and the words of their vocabulary.

Their files are kept in the repository; this says how they came about. Weights are drawn wide enough
that words activate neurons differently, and narrow enough that ascent is not chaotic: then rounding
stays rounding, and long trajectories can be compared.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from paths import DATA

SHAPES = {
    "tiny-wide": {"num_hidden_layers": 2, "hidden_size": 24, "intermediate_size": 48},
    "tiny-deep": {"num_hidden_layers": 3, "hidden_size": 16, "intermediate_size": 32},
}
#: Rows of tests/data/features.safetensors, read in place of tiny-deep's neurons, by layer.
ROWS = {1: 20, 3: 8}
WORDS = 400
TARGETS = ["apple", "river", "seven", "quickly", "green", "tiger"]


def entries() -> list[str]:
    """400 entries: special, [unused], whole words (real ones first), wordpieces."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"[unused{i}]" for i in range(15)]
    words = [*TARGETS, "music", "<b>", "&", "é", "年"]
    pieces = [f"##{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    invented = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]
    return special + words + pieces + invented[: WORDS - len(special + words + pieces)]


def tokenizer(vocabulary: list[str]) -> dict:
    """A WordPiece tokenizer in the format of the tokenizers library."""
    return {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "lowercase": True}
        | {"handle_chinese_chars": True, "strip_accents": False},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: i for i, word in enumerate(vocabulary)},
        },
    }


def write_model(folder: Path, shape: dict, seed: int) -> None:
    """One tiny model in the files that a model folder holds."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=WORDS,
        num_attention_heads=4,
        max_position_embeddings=8,
        initializer_range=0.1,
        **shape,
    )
    state = BertModel(config, add_pooling_layer=False).state_dict()
    state["embeddings.word_embeddings.weight"] *= 3
    for name, tensor in state.items():
        if "bias" in name or "LayerNorm" in name:
            tensor += 0.1 * torch.randn_like(tensor)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: t.contiguous() for name, t in state.items() if t.is_floating_point()}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config.to_diff_dict(), indent=1) + "\n")
    text = json.dumps(tokenizer(entries()), ensure_ascii=False)
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    data = Path(sys.argv[1] if len(sys.argv) > 1 else DATA)
    for seed, (name, shape) in enumerate(SHAPES.items()):
        write_model(data / name, shape, seed)
    torch.manual_seed(9)
    hidden = SHAPES["tiny-deep"]["hidden_size"]
    found = {f"output/{layer}": torch.randn(count, hidden) for layer, count in ROWS.items()}
    save_file(found, data / "features.safetensors")
    rows = [f"{word}\tnoun\t{'high' if i % 2 else 'low'}" for i, word in enumerate(TARGETS)]
    (data / "words.tsv").write_text("\n".join(["word\tcategory\tfrequency_band", *rows]) + "\n")
