"""Writes a tiny random model of every family, each with a tokenizer of its family's kind.

Run with a folder, it also writes an overlay of settings that studies them all:
`python tests/helpers/make_tiny_families.py FOLDER`, and then
`snakemake --cores 2 --configfile FOLDER/families.yaml`.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch
import transformers
import yaml
from safetensors.torch import save_file

from make_tiny_models import TARGETS

SHAPE = {"num_hidden_layers": 3, "hidden_size": 16, "num_attention_heads": 4}
SHAPE |= {"intermediate_size": 32}
WIDE = {"initializer_range": 0.2}
#: In these the last of the target words comes in pieces.
SPLIT = {"gpt2", "t5"}

PIECES = [f"{a}{b}" for a in "abcdefgh" for b in "aeioubcd"]
INVENTED = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]


def words_of(family: str) -> list[str]:
    """Whole words; of some families without the last target."""
    targets = TARGETS[:-1] if family in SPLIT else TARGETS
    return [*targets, "music", "the", *INVENTED[:250]]


def wordpiece(family: str, special: list[str]) -> dict:
    unused = [f"[unused{i}]" for i in range(5)]
    letters = [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    pieces = [f"##{piece}" for piece in PIECES]
    entries = [*special, *unused, *words_of(family), *letters, *pieces]
    return {
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "lowercase": True}
        | {"handle_chinese_chars": True, "strip_accents": False},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 100}
        | {"continuing_subword_prefix": "##", "vocab": {e: i for i, e in enumerate(entries)}},
    }


def pairs(words, first: str) -> tuple[list[str], list[list[str]]]:
    """Entries and merges that build words letter by letter, behind the mark of a word's beginning."""
    letters = sorted({letter for word in words for letter in first + word})
    merges = {}
    for word in words:
        made = first
        for letter in word:
            merges[made, letter] = made + letter
            made += letter
    return [*letters, *dict.fromkeys(merges.values())], [list(pair) for pair in merges]


def byte_level(family: str, special: list[str]) -> dict:
    built, merges = pairs(words_of(family)[:60], "Ġ")
    letters = [c for c in "abcdefghijklmnopqrstuvwxyzĊ!#" if c not in built]
    built, merges = (
        [*letters, *built, "in", "ing", "ti"],
        [*merges, ["i", "n"], ["in", "g"], ["t", "i"]],
    )
    entries = dict.fromkeys([*special, *built])
    piece = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    return {
        "pre_tokenizer": piece,
        "decoder": piece,
        "model": {"type": "BPE", "vocab": {e: i for i, e in enumerate(entries)}, "merges": merges},
    }


def unigram(family: str, special: list[str]) -> dict:
    words = [f"▁{word}" for word in words_of(family)]
    pieces = [*"abcdefghijklmnopqrstuvwxyz", "▁", "ti", "ger", *PIECES]
    scored = [[entry, 0.0] for entry in special] + [[word, -5.0] for word in words]
    scored += [[piece, -9.0] for piece in dict.fromkeys(pieces)]
    piece = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "pre_tokenizer": piece,
        "decoder": piece,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": scored, "byte_fallback": False},
    }


def with_bytes(family: str, special: list[str]) -> dict:
    """As LLaMA 2: sentencepiece's marks, merges, and bytes for what is not in the vocabulary."""
    built, merges = pairs(words_of(family)[:60], "▁")
    letters = [c for c in "abcdefghijklmnopqrstuvwxyz" if c not in built]
    entries = [*special, *(f"<0x{byte:02X}>" for byte in range(16)), *letters, *built]
    mark = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    return {
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Prepend", "prepend": "▁"}, mark],
        },
        "model": {"type": "BPE", "vocab": {e: i for i, e in enumerate(entries)}, "merges": merges}
        | {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True},
    }


BERTS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTAS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
#: Per family: its config, its tokenizer, the special entries, rows beyond these.
FAMILIES = {
    "bert": (lambda n: transformers.BertConfig(**SHAPE, **WIDE, vocab_size=n), wordpiece, BERTS, 0),
    "distilbert": (
        lambda n: transformers.DistilBertConfig(
            vocab_size=n, n_layers=3, dim=16, n_heads=4, hidden_dim=32, **WIDE
        ),
        wordpiece,
        BERTS,
        0,
    ),
    "electra": (
        lambda n: transformers.ElectraConfig(**SHAPE, **WIDE, vocab_size=n, embedding_size=12),
        wordpiece,
        BERTS,
        0,
    ),
    "mpnet": (
        lambda n: transformers.MPNetConfig(**SHAPE, **WIDE, vocab_size=n),
        wordpiece,
        [*ROBERTAS, "[UNK]"],
        0,
    ),
    "roberta": (
        lambda n: transformers.RobertaConfig(**SHAPE, **WIDE, vocab_size=n, type_vocab_size=1),
        byte_level,
        ROBERTAS,
        0,
    ),
    "gpt2": (
        lambda n: transformers.GPT2Config(
            vocab_size=n, n_embd=16, n_layer=3, n_head=4, n_inner=32, bos_token_id=0,
            eos_token_id=0, **WIDE,
        ),
        byte_level,
        ["<|endoftext|>"],
        0,
    ),
    "modernbert": (
        lambda n: transformers.ModernBertConfig(
            **SHAPE, **WIDE, vocab_size=n, pad_token_id=0, cls_token_id=2, sep_token_id=3,
            bos_token_id=2, eos_token_id=3,
        ),
        byte_level,
        [*BERTS, "  ", "[unused0]"],
        6,
    ),
    "albert": (
        lambda n: transformers.AlbertConfig(**SHAPE, **WIDE, vocab_size=n, embedding_size=12),
        unigram,
        ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"],
        0,
    ),
    "t5": (
        lambda n: transformers.T5Config(
            vocab_size=n, d_model=16, d_kv=3, d_ff=32, num_layers=3, num_heads=4, eos_token_id=1
        ),
        unigram,
        ["<pad>", "</s>", "<unk>", "<extra_id_0>"],
        8,
    ),
    "llama": (
        lambda n: transformers.LlamaConfig(
            **SHAPE, **WIDE, vocab_size=n, num_key_value_heads=2, bos_token_id=1
        ),
        with_bytes,
        ["<unk>", "<s>", "</s>"],
        0,
    ),
}  # fmt: skip


def write_family(folder: Path, family: str) -> dict:
    """One model in the files of a model folder; returns its entry in the catalogue."""
    config_of, tokenizer_of, special, beyond = FAMILIES[family]
    parts = tokenizer_of(family, special)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [
        {"id": i, "content": entry, "special": not entry.isspace(), **flags}
        for i, entry in enumerate(special)
    ]
    tokenizer = {"version": "1.0", "added_tokens": added} | parts
    words = len(parts["model"]["vocab"]) + beyond
    config = config_of(words)
    config.max_position_embeddings = 12
    torch.manual_seed(len(family))
    made = getattr(transformers, "T5EncoderModel" if family == "t5" else "AutoModel")
    model = made(config) if family == "t5" else made.from_config(config)
    state = model.state_dict()
    if family == "t5":
        del state["encoder.embed_tokens.weight"]
    for tensor in state.values():
        if tensor.ndim == 1:
            tensor += 0.1 * torch.randn_like(tensor)
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "model.safetensors"
    kept = {name: t.contiguous() for name, t in state.items() if t.is_floating_point()}
    save_file(kept, weights, metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config.to_diff_dict(), indent=1) + "\n")
    text = json.dumps(tokenizer, ensure_ascii=False)
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    return {
        "source": "path",
        "path": str(folder),
        "family": family,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "layers": 3,
        "hidden": 16,
        "intermediate": 32,
        "words": words,
    }


def write_families(folder: Path) -> dict[str, dict]:
    """All families below a folder; returns their catalogue."""
    return {f"tiny-{name}": write_family(folder / f"tiny-{name}", name) for name in FAMILIES}


def study_of(catalogue: dict, name: str = "families") -> dict:
    """Settings that study these models in the fewest steps that still are a study."""
    return {
        "study": name,
        "models": list(catalogue),
        "missing": {"words": "skip"},
        "catalogue": catalogue,
        "words": {"targets": "tests/data/words.tsv"},
        "activations": {"sites": ["output", "intermediate"]},
        "singles": {"sites": ["output", "intermediate"], "layers": [1, 3], "neurons": 4},
        "groups": {"sites": ["output"], "selections": ["absolute"], "sizes": {"model": [4, 16]}},
        "ascent": {
            "singles": {"steps": 12, "restarts": 1},
            "groups": {"steps": 12, "restarts": 1},
            "twins": {"singles": 0, "groups": 1},
            "recorded": 5,
            "device": "cpu",
        },
        "nulls": {
            "models": ["untrained"],
            "replicates": 1,
            "words": 100,
            "singles": {"neurons": 1},
            "groups": {"words": 2},
        },
        "statistics": {"resamples": 100, "permutations": 200, "leading_directions": 4},
    }


if __name__ == "__main__":
    here = Path(sys.argv[1]).resolve()
    settings = study_of(write_families(here))
    (here / "families.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
