"""A recording as its file tells it, before it is brought in line with the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semblance.modalities.signal.data import Recording


@dataclass(frozen=True, eq=False)
class Found:
    """A recording and what its file says of it as a whole.

    `facts` are texts under the names that the file gives them; `age` (years) and `sex` (female, male) are named alike
    in all formats. `patient` is whom the file names: it groups recordings and goes no further. `ends` are the lowest
    and the highest value that each lead's converter can give, where the file says so. `notes` tell of repairs.
    `remarks` says that the texts of states are free, so that some may be remarks; `columns` that the facts are columns
    of data, all meant to be learned; `state` names the column that the states are from. `lacks` says that nothing was
    measured of a lead.
    """

    recording: Recording
    facts: Mapping[str, str] = field(default_factory=dict)
    patient: str | None = None
    ends: tuple[tuple[float, float] | None, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: bool = False
    columns: bool = False
    state: str | None = None
    lacks: bool = False


FEMALE, MALE = "female", "male"


def sex_of(text: str | None) -> str | None:
    """'female', 'male', or None where a header says neither.

    >>> sex_of("F"), sex_of("Male"), sex_of("?")
    ('female', 'male', None)
    """
    word = (text or "").strip().lower()
    return FEMALE if word in ("f", "female", "w", "woman") else MALE if word in ("m", "male", "man") else None


def age_of(text: str | None) -> str | None:
    """Whole years from 0 to 130 as text, or None where a header says nothing that can be an age."""
    word = (text or "").strip()
    return str(int(word)) if word.isdecimal() and int(word) <= 130 else None


def text_of(value: Any) -> str:
    """A cell as text: whole numbers without a point, nothing for a missing one.

    >>> text_of(60.0), text_of(float("nan")), text_of("a ")
    ('60', '', 'a')
    """
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def told(**facts: str | None) -> dict[str, str]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value is not None}
