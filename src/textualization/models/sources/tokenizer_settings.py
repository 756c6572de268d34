"""The settings beside a vocab.txt: how the text is read before it is cut into entries."""

import json
import unicodedata
from pathlib import Path

from textualization.errors import ModelFileError

SETTINGS, ADDED = "tokenizer_config.json", "added_tokens.json"
_BERT = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "cls_token": "[CLS]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}
_MPNET = {"sep_token": "</s>", "cls_token": "<s>", "pad_token": "<pad>", "mask_token": "<mask>"}
#: Special tokens by tokenizer class. The classes' names may also end in `Fast`.
CLASSES = {
    "BertTokenizer": _BERT,
    "DistilBertTokenizer": _BERT,
    "ElectraTokenizer": _BERT,
    "MPNetTokenizer": _BERT | _MPNET,
}
#: What a flag is called by BertWordPieceTokenizer.
FLAGS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
FURTHER = ("additional_special_tokens", "extra_special_tokens")
#: Types of settings; null means that a setting is not set.
TYPES = {
    **dict.fromkeys((*FLAGS, "do_basic_tokenize"), bool),
    **dict.fromkeys((*FURTHER, "never_split"), list),
    "added_tokens_decoder": dict,
}
REMEDY = "give the model a tokenizer.json"


def settings_of(
    entries: dict[str, int], config: Path, beside: list[Path]
) -> tuple[dict, list[str]]:
    """Return how a vocabulary's tokenizer is to be made.

    Args:
        entries: the id of every entry of vocab.txt.
        config: the model's config.json.
        beside: those of tokenizer_config.json and added_tokens.json that the model has.

    Returns:
        Arguments of BertWordPieceTokenizer, and further special tokens. If do_lower_case is not
        set, capitals are kept if some entry begins with one.

    Raises:
        ModelFileError: the settings need another tokenizer, or contradict the vocabulary.
    """
    files = {path.name: _contents(path) for path in beside}
    settings = {k: value for k, value in files.get(SETTINGS, {}).items() if value is not None}
    for key, kind in TYPES.items():
        if not isinstance(settings.get(key, kind()), kind):
            raise _fault(f"has {key}: {settings[key]!r}, which is not a {kind.__name__}")
    arguments = dict(CLASSES[_class(settings, _contents(config))])
    # A capital without a lowercase form does not count: BERT's uncased vocabulary has one.
    capital = next((entry for entry in entries if entry[:1] != entry[:1].lower()), None)
    arguments["lowercase"] = capital is None
    arguments |= {ours: settings[key] for key, ours in FLAGS.items() if key in settings}
    arguments |= {key: _entry(key, settings[key], entries) for key in _BERT if key in settings}
    further = _further_tokens(settings, entries)
    for token, row in files.get(ADDED, {}).items():
        if entries.get(token) != row:
            raise ModelFileError(ADDED, f"adds {token!r} to the entries of vocab.txt ({REMEDY})")
    if not settings.get("do_basic_tokenize", True):
        raise _fault(f"has do_basic_tokenize: false ({REMEDY})")
    for token in settings.get("never_split", []):
        if token not in {*further, *(arguments[key] for key in _BERT)}:
            raise _fault(f"has never_split: {token!r}, which is no special token ({REMEDY})")
    if SETTINGS in files and arguments["lowercase"]:
        _check_lowercase(settings, capital, entries)
    return arguments, further


def _fault(what: str) -> ModelFileError:
    return ModelFileError(SETTINGS, what)


def _contents(path: Path) -> dict:
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFileError(path.name, f"is not JSON ({error})") from None
    if not isinstance(contents, dict):
        raise ModelFileError(path.name, "is not a JSON object")
    return contents


def _class(settings: dict, config: dict) -> str:
    """Return the name of the tokenizer's class, as transformers finds it."""
    for file, contents in ((SETTINGS, settings), ("config.json", config)):
        name = contents.get("tokenizer_class")
        if name is None:
            continue
        if str(name).removesuffix("Fast") not in CLASSES:
            raise ModelFileError(
                file,
                f"has tokenizer_class: {name}, and a vocab.txt is read for {', '.join(CLASSES)} "
                f"only ({REMEDY})",
            )
        return name.removesuffix("Fast")
    return "MPNetTokenizer" if config.get("model_type") == "mpnet" else "BertTokenizer"


def _further_tokens(settings: dict, entries: dict[str, int]) -> list[str]:
    """Return special tokens without a use of their own."""
    found = [_entry(key, t, entries) for key in FURTHER for t in settings.get(key, [])]
    for row, token in settings.get("added_tokens_decoder", {}).items():
        text = _entry("added_tokens_decoder", token, entries)
        if str(entries[text]) != row or not token.get("special"):
            raise _fault(
                f"has added_tokens_decoder: {text!r} is not a special token with the id {row} "
                f"({REMEDY})"
            )
        found.append(text)
    return found


def _entry(key: str, token, entries: dict[str, int]) -> str:
    """Return the text of a special token, which may be an object with its properties."""
    text = token.get("content") if isinstance(token, dict) else token
    if not isinstance(text, str) or text not in entries:
        raise _fault(f"has {key}: {text!r}, which is no entry of vocab.txt")
    return text


def _check_lowercase(settings: dict, capital: str | None, entries: dict[str, int]) -> None:
    """Raise ModelFileError if text in lower case cannot be read as some entry."""
    if capital is not None:
        raise _fault(
            f"has do_lower_case: true, but vocab.txt has {capital!r}, which no text would be read "
            f"as (set it to false, or {REMEDY})"
        )
    accented = next((entry for entry in entries if _has_accent(entry)), None)
    if "strip_accents" not in settings and accented is not None:
        raise _fault(
            "does not set strip_accents, so text in lower case would lose its accents, but "
            f"vocab.txt has {accented!r} (set it to true or false, or {REMEDY})"
        )


def _has_accent(entry: str) -> bool:
    return not entry.isascii() and any(
        unicodedata.category(character) == "Mn" for character in unicodedata.normalize("NFD", entry)
    )
