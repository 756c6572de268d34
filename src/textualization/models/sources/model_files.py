"""The files of a model, in the forms that they may have, wherever they are."""

from collections.abc import Callable
from pathlib import Path

from textualization.errors import ModelFileError
from textualization.models.sources.shards import INDEX, shard_names
from textualization.models.sources.tokenizer_settings import ADDED, SETTINGS

MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")
WEIGHTS, CONFIG, TOKENIZER = MODEL_FILES
#: Older forms of the weights and the tokenizer.
PICKLE, VOCABULARY = "pytorch_model.bin", "vocab.txt"
#: Forms that are not read, and what reads and saves them in a form that is.
UNREAD = {
    WEIGHTS: ("AutoModel", (PICKLE, PICKLE + INDEX)),
    TOKENIZER: (
        "AutoTokenizer",
        ("vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"),
    ),
}
#: How files begin that tools of Git leave in place of large ones, and what fetches those.
POINTERS = {
    b"version https://git-lfs.github.com/spec/": ("Git LFS", "git lfs pull"),
    b"/annex/objects/": ("git-annex", "git annex get"),
}

#: The files that provide each of MODEL_FILES; none if it is missing. The first one tells the form.
#: After an index come its shards, and after a vocabulary the files of the tokenizer's settings.
Found = dict[str, list[Path]]
#: Returns the path of a file by its name, or None if there is none.
Find = Callable[[str], Path | None]


def in_folder(folder: str | Path) -> Find:
    """Return the function that finds files in a folder."""

    def find(name: str) -> Path | None:
        path = Path(folder) / name
        return path if path.is_file() or path.is_symlink() else None

    return find


def find_files(find: Find, pickled: bool, gguf: str | None = None) -> Found:
    """Find what provides each of a model's files, in the newest form that is there.

    Args:
        find: finds a file by its name.
        pickled: whether weights may be a pickle.
        gguf: the name of a GGUF file, which is then the only one that is read.
    """
    if gguf:
        path = find(gguf)
        return {WEIGHTS: [path]} if path else {gguf: []}
    return {
        WEIGHTS: _weights(find, pickled),
        CONFIG: [path for path in [find(CONFIG)] if path],
        TOKENIZER: _tokenizer(find),
    }


def check_files(found: Found, lacks: Callable[[str], Exception]) -> Found:
    """Return a model's files if all are there.

    Args:
        found: see `find_files`.
        lacks: returns the error for a file that is missing.

    Raises:
        ModelFileError: something else is in place of a file, or an index names no shards.
    """
    for paths in found.values():
        for path in paths:
            _refuse_stand_in(path)
    for name, paths in found.items():
        if not paths:
            raise lacks(name)
    index, *shards = found[WEIGHTS]
    if index.name.endswith(INDEX):
        for name in shard_names(index):
            if name not in {path.name for path in shards}:
                raise lacks(f"{name}, a shard in {index.name}")
    return found


def _refuse_stand_in(path: Path) -> None:
    """Raise ModelFileError for a file that only stands for another one."""
    if path.is_symlink() and not path.exists():
        raise ModelFileError(path.name, "is a link to a file that is not there")
    if not path.is_file():  # one on the hub
        return
    with path.open("rb") as stream:
        begins = stream.read(max(map(len, POINTERS)))
    for beginning, (tool, command) in POINTERS.items():
        if begins.startswith(beginning):
            raise ModelFileError(
                path.name,
                f"is a pointer of {tool}, not the file itself (run `{command}` in the clone that it "
                f"comes from, with {tool} installed)",
            )


def unread_form(find: Find, name: str, model: str) -> str:
    """Return, after `has no <name>`, a form that is there but not read, and the remedy."""
    reader, forms = UNREAD.get(name, ("", ()))
    for form in forms:
        if find(form):
            packages = "with sentencepiece and protobuf " if form.endswith(".model") else ""
            return (
                f" but {form}, which is not read (transformers {packages}converts it once and for "
                f"all: {reader}.from_pretrained({model!r}).save_pretrained(FOLDER))"
            )
    return ""


def _weights(find: Find, pickled: bool) -> list[Path]:
    for name in (WEIGHTS, PICKLE) if pickled else (WEIGHTS,):
        if path := find(name):
            return [path]
        if index := find(name + INDEX):
            try:
                names = shard_names(index)
            except ModelFileError:  # raised again by check_files
                names = []
            return [index, *filter(None, map(find, names))]
    return []


def _tokenizer(find: Find) -> list[Path]:
    if path := find(TOKENIZER):
        return [path]
    # The settings first: if a connection breaks there, the hub's cache has no vocabulary without.
    settings = [find(SETTINGS), find(ADDED)]
    vocabulary = find(VOCABULARY)
    return [path for path in (vocabulary, *settings) if path] if vocabulary else []
