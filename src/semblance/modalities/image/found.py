"""An image as its file tells it, before it is brought in line with the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from semblance.core.errors import DataError
from semblance.core.large import Shelf
from semblance.modalities.image.data import Layout


@dataclass(frozen=True, eq=False)
class Found:
    """`pixels` (channels, height, width) or (channels, depth, height, width) in physical units, and what is told of it.

    `name` says where it stands, for errors; it goes no further. `facts` has texts: `label`, `subject`, `split`,
    `domain` and `pair`; `columns` the texts of what else is known, by column. `masks` has label maps by name, as
    numbers of the file and of the size of one channel; `classes` names the classes of some by their number, `channels`
    the channels, where the file tells them. `tags` names the patient's tags that the file fills, `burned` whether text
    is burned into the pixels, None where the file does not say. `notes` tell of repairs, `subject` how the file calls
    its patients.
    """

    name: str
    pixels: np.ndarray
    layout: Layout
    facts: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    burned: bool | None = None
    notes: tuple[str, ...] = ()
    subject: str | None = None
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)

    def on(self, shelf: Shelf) -> Found:
        """The same, whose arrays need not stay in memory."""
        masks = {name: shelf.put(mask) for name, mask in self.masks.items()}
        return replace(self, pixels=shelf.put(self.pixels), masks=masks)


LABEL, SUBJECT, SPLIT, DOMAIN, PAIR = "label", "subject", "split", "domain", "pair"
BROKEN: tuple[type[Exception], ...] = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, SyntaxError),
)
"""What libraries raise on files that are not what they claim to be."""


@contextmanager
def whole(path: Path, what: str, *others: type[Exception]) -> Iterator[None]:
    """What a library raises on a broken file, as an error that names the file and none of its values."""
    try:
        yield
    except BROKEN + others:
        raise broken(path, what) from None


def broken(path: Path, what: str) -> DataError:
    """The error of a file that cannot be read as `what` it is."""
    empty = path.is_file() and path.stat().st_size == 0
    return DataError.of(
        f"'{path.name}' is empty" if empty else f"'{path.name}' cannot be read as {what}",
        rule="a file is whole, and of the kind that its name says",
        fix="copy or export it again, or leave it out",
    )
