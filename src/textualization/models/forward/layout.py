"""The tokens of an input: which ones are fixed, which ones are x, and which one is read."""

from dataclasses import dataclass, field

import torch

from textualization.models.architecture import Architecture


@dataclass(frozen=True)
class Layout:
    """The tokens of an input that are computed, special ones among them.

    entries: the id of every token, None for an x.
    x: where x stands, or each x, from 0.
    read: the token that is read, from 0.
    length: the number of x, those included that are not computed.
    index: `x` as a tensor on the device.
    """

    entries: tuple[int | None, ...]
    x: list[int]
    read: int
    length: int
    index: torch.Tensor = field(repr=False, compare=False)

    @classmethod
    def of(cls, architecture: Architecture, context, read: str, place: int, device) -> "Layout":
        """Lay out a context between the special tokens of an architecture.

        Args:
            architecture: the model's architecture.
            context: the id of a fixed token, or None for an x.
            read: `cls`, `word` or `sep`: the special token before, an x, or the special token after.
            place: the x that is read as `word`, from 1.
            device: the device of the computation.

        Raises:
            ValueError: the context has no x, or the position does not exist or does not depend on x.
        """
        length = list(context).count(None)
        if not length:
            raise ValueError("context: it has no free position")
        if not 1 <= place <= length:
            raise ValueError(f"place: {place} is not one of the {length} free positions")
        frame = [("cls", architecture.before)] if architecture.before >= 0 else []
        frame += [("word" if entry is None else "", entry) for entry in context]
        frame += [("sep", architecture.after)] if architecture.after >= 0 else []
        names, entries = zip(*frame, strict=True)
        if read not in names or not read:
            known = ", ".join(dict.fromkeys(filter(None, names)))
            raise ValueError(f"read: {read!r} is not a position of this model (has: {known})")
        x = [token for token, entry in enumerate(entries) if entry is None]
        token = x[place - 1] if read == "word" else names.index(read)
        if architecture.causal:
            if token < x[0]:
                raise ValueError(
                    f"read: {read!r} comes before x and does not depend on it in a causal model"
                )
            # Later tokens do not affect the one that is read.
            entries, x = entries[: token + 1], [place for place in x if place <= token]
        # On the device once, since a CUDA graph cannot copy a list to it.
        return cls(entries, x, token, length, torch.tensor(x, device=device))

    @property
    def fixed(self) -> list[int]:
        """Where tokens stand that are no x."""
        return [token for token, entry in enumerate(self.entries) if entry is not None]

    def span(self, tokens: list[int]) -> slice | torch.Tensor:
        """Return tokens as an index: adjacent ones, which all but the x are, as a slice."""
        if not tokens:
            return slice(0, 0)
        if tokens[-1] - tokens[0] + 1 == len(tokens):
            return slice(tokens[0], tokens[-1] + 1)
        return self.index if tokens == self.x else torch.tensor(tokens, device=self.index.device)
