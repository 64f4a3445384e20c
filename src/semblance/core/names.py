"""The words of a column's name, by which one knows what it is about."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def words(name: str) -> tuple[str, ...]:
    """In lower case, whichever way they are joined.

    >>> words("native-country"), words("patientAge"), words("HDL_chol2")
    (('native', 'country'), ('patient', 'age'), ('hdl', 'chol'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))


AGES = (18, 40, 65, 80)
"""Years: the usual cuts between children, adults and the old."""
OLDEST = 130


def age_cuts(name: str, low: float, high: float) -> tuple[int, ...]:
    """The usual cuts within a range of numbers, if the name says that they are ages; else none.

    >>> age_cuts("patientAge", 17, 90), age_cuts("age", 20, 39), age_cuts("dosage", 0, 100)
    ((18, 40, 65, 80), (), ())
    """
    return tuple(cut for cut in AGES if low < cut <= high) if aged(name, low, high) else ()


def aged(name: str, low: float, high: float) -> bool:
    """Whether numbers from `low` to `high` are years of age, by the column's name."""
    return "age" in words(name) and low >= 0 and high <= OLDEST
