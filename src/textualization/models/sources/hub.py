"""Models on the Hugging Face hub, or without a connection in the hub's cache.

The client is imported on use, since every parse of the Snakefile imports this module.
"""

from pathlib import Path

from textualization.errors import ModelFileError, SourceError
from textualization.models.sources.model_files import (
    PICKLE,
    Find,
    Found,
    check_files,
    find_files,
    unread_form,
)
from textualization.models.sources.shards import INDEX


def name_on_hub(source: dict) -> str:
    """Return a model's repository for a message."""
    return f"{source['repository']}@{source['revision']} (Hugging Face hub)"


def find_on_hub(source: dict) -> Found:
    """Find a model's files in the hub's cache, after a download.

    Args:
        source: an entry of the catalogue, with `repository` and `revision`.

    Raises:
        SourceError: a file cannot be fetched.
    """
    from huggingface_hub import hf_hub_download

    def find(name: str) -> Path:
        return Path(hf_hub_download(source["repository"], name, revision=source["revision"]))

    return _on_hub(source, find)


def check_hub(source: dict) -> None:
    """Raise SourceError if a file cannot be fetched; download no weights."""
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )

    repository, revision = source["repository"], source["revision"]

    def find(name: str) -> Path:
        if name.endswith(INDEX):  # small, and names the shards
            return Path(hf_hub_download(repository, name, revision=revision))
        cached = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(cached, str):
            return Path(cached)
        address = hf_hub_url(repository, name, revision=revision)
        get_hf_file_metadata(address)
        return Path(address)  # only its name is read

    _on_hub(source, find)


def _on_hub(source: dict, request: Find) -> Found:
    """Find a model's files on the hub, or without a connection in the hub's cache.

    Args:
        source: an entry of the catalogue.
        request: returns the path of a file by its name; raises what the hub's client raises.
    """
    from huggingface_hub import try_to_load_from_cache

    repository, revision = source["repository"], source["revision"]
    pickled, gguf = source.get("pickled", False), source.get("gguf")

    def find(name: str) -> Path | None:
        try:
            return request(name)
        except Exception as error:
            if _is_absence(error):
                return None
            raise

    def find_cached(name: str) -> Path | None:
        path = try_to_load_from_cache(repository, name, revision=revision)
        return Path(path) if isinstance(path, str) else None

    def absent(name: str) -> SourceError:
        unread = unread_form(find, name, repository)
        allowed = "; pickled: true in the catalogue reads its tensors" if PICKLE in unread else ""
        return SourceError(f"{name_on_hub(source)} has no {name}{unread}{allowed}")

    try:
        return check_files(find_files(find, pickled, gguf), absent)
    except (SourceError, ModelFileError):
        raise
    except Exception as error:  # the client raises many types; all mean: not available
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]

    def unreachable(name: str) -> SourceError:
        return SourceError(
            f"{name} of {name_on_hub(source)} could not be fetched: {cause}\n"
            "Ways out: connect this machine to huggingface.co (or set HF_ENDPOINT to a mirror);"
            f" or run `hf download {repository} --revision {revision}` on a"
            " connected machine, copy its cache here and set HF_HUB_CACHE; or give a folder of"
            " the files: in the catalogue (source: path), or to tx.load"
        )

    return check_files(find_files(find_cached, pickled, gguf), unreachable)


def _is_absence(error: Exception | None) -> bool:
    """Tell whether an error of the hub's client means that a revision does not have a file."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, LocalEntryNotFoundError):  # not in the cache, and the hub did not help
        error = error.__cause__
    if isinstance(error, EntryNotFoundError):
        return True
    # Mirrors may leave out the header by which the client tells what was not found.
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status == 404 and not isinstance(error, RepositoryNotFoundError | RevisionNotFoundError)
