"""The words of a column's name, by which a judge knows what it is about."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def words(name: str) -> tuple[str, ...]:
    """In lower case, whichever way they are joined.

    >>> words("native-country"), words("patientAge"), words("HDL_chol2")
    (('native', 'country'), ('patient', 'age'), ('hdl', 'chol'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))
