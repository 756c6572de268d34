"""Loading of models from the Hugging Face hub, a folder, or transformers."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer

from textualization.errors import RequestError, SourceError, require_choice
from textualization.models import sources
from textualization.models.architecture import Architecture
from textualization.models.config import config_of, family_of, model_type_of
from textualization.models.context import read_context
from textualization.models.conversion import convert, convert_loaded
from textualization.models.families import NAMES, unknown
from textualization.models.frame import check_frame
from textualization.models.model import Model
from textualization.models.sources.catalogue import cached_folder, catalogue, source_of_path
from textualization.models.tokenizer import load_tokenizer, plain
from textualization.models.transformer import POSITIONS
from textualization.models.vocabulary import CANDIDATES, vocabulary_table, with_candidates


def load(
    source,
    tokenizer=None,
    *,
    family: str | None = None,
    frame: Mapping[str, str | None] | None = None,
    revision: str = "main",
    candidates: str = "whole_words",
    read: str = "word",
    context: str | None = None,
    place: int = 1,
    device: str = "auto",
) -> Model:
    """Load a model.

    Args:
        source: a model of the catalogue (`mpnet-base`, see catalogue.yaml), which is fetched once and
            checked; a repository on the hub (`owner/name`); a folder with `config.json`,
            `model.safetensors` and `tokenizer.json`; a GGUF file; or a transformers model.
        tokenizer: fast tokenizer of transformers; for a transformers model only.
        family: the model's family (docs/families.md); found by the model's type if None.
        frame: what stands `before` and `after` x, each an entry of the tokenizer or None for nothing;
            what is left out is as the family says.
        revision: branch, tag or commit on the hub.
        candidates: entries that count as words: `whole_words`, `with_wordpieces` or `all`.
        read: position at which neurons are read: `word`, `cls` or `sep`.
        context: a sentence in which x stands, with `{}` in its place: `"the {} sat on the mat"`; x alone
            if None. Several `{}` are several x.
        place: of several x, the one that is read as `word`, from 1.
        device: `cpu`, `cuda` or `auto` (a GPU if one is visible).

    Raises:
        RequestError: the model cannot be found or read, or an argument is not allowed.
    """
    require_choice("candidates", candidates, CANDIDATES)
    require_choice("read", read, POSITIONS)
    require_choice("device", device, ("auto", "cpu", "cuda"))
    if family is not None and family not in NAMES:
        raise RequestError(f"family: {unknown(family)}")
    frame = check_frame(frame)
    if isinstance(source, str | Path):
        if tokenizer is not None:
            raise RequestError("tokenizer: a hub id or a folder brings its own (leave it out)")
        with tempfile.TemporaryDirectory() as temporary:
            folder = _folder_of(source, revision, Path(temporary))
            family = family or family_of(source, model_type_of(folder))
            tensors, facts = convert(folder, family, frame)
            config = config_of(folder, family)
            tokens = load_tokenizer(folder / "tokenizer.json")
        name = Path(source).name if Path(source).exists() else str(source)
    else:
        tensors, facts, tokens, name = _of_transformers(source, tokenizer, family, frame)
        config = source.config
    vocabulary = json.loads(tokens.to_str())
    entries = tokens.get_vocab(with_added_tokens=True)
    try:
        around = Architecture.read(facts).frame
        words = vocabulary_table(vocabulary, entries, len(tensors["word_embeddings"]), around)
        words = with_candidates(words, candidates)
        stated = None if context is None else read_context(context, words, tokens)
        how = {"read": read, "context": stated, "place": place}
        model = Model(tensors, facts, words, tokens, name=name, device=device, **how)
        model.tied = getattr(config, "tie_word_embeddings", None)
        model.transformer()  # raises if the model has no such position, or too few
    except (ValueError, RuntimeError) as error:
        raise RequestError(f"{name}: {error}") from None
    return model


def _folder_of(source: str | Path, revision: str, temporary: Path) -> Path:
    """Return a folder of the model's files in their current formats."""
    known = catalogue()
    found = source_of_path(source)
    try:
        if found is None and source in known:
            return cached_folder(source, known[source])
        if found is None and (
            isinstance(source, Path) or str(source)[:1] in "/.~" or str(source).count("/") > 1
        ):
            raise RequestError(f"{source}: there is no such folder")
        hub = {"source": "hub", "repository": source, "revision": revision}
        origin = found | {"pickled": True} if found else hub
        folder = sources.local_folder(origin)
        if folder is None:
            sources.fetch(origin, temporary)
    except SourceError as error:
        raise RequestError(str(error)) from None
    return folder or temporary


def _of_transformers(model, tokenizer, family: str | None, frame: Mapping):
    """Return the tensors, facts, tokenizer and name of a transformers model."""
    if not hasattr(model, "config") or not hasattr(model, "state_dict"):
        raise RequestError(
            f"source: {type(model).__name__} is not a hub id, folder or transformers model"
        )
    if tokenizer is None:
        raise RequestError(
            "tokenizer: a transformers model needs its tokenizer (pass its fast one)"
        )
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(backend, Tokenizer):
        raise RequestError(
            f"tokenizer: {type(tokenizer).__name__} is not a fast tokenizer of transformers"
        )
    tokens = plain(Tokenizer.from_str(backend.to_str()))
    tensors, facts = convert_loaded(model, tokens, family, frame)
    return tensors, facts, tokens, model.config.name_or_path or type(model).__name__
