"""Codes in a row, as a schema file may list them: "V01..V91" stands for V01, V02, ..., V91.

Classifications have thousands of codes, and under differential privacy all of them are declared: a code that nobody has
costs little, one that was left out counts as missing.

>>> listed(["250", "250.1..250.3", "E8..E10", "08..11"])
('250', '250.1', '250.2', '250.3', 'E8', 'E9', 'E10', '08', '09', '10', '11')
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ROW = re.compile(r"(?P<head>.*?)(?P<first>\d+)\.\.(?P<again>.*?)(?P<last>\d+)")
MOST = 100_000
"""Codes in one row."""


def listed(codes: Sequence[object]) -> tuple[str, ...]:
    """All codes, each once, where some of them may be rows. Raises ValueError for what looks like a row and is none."""
    return tuple(dict.fromkeys(code for said in codes for code in _of(str(said))))


def is_listed(codes: Sequence[object]) -> bool:
    """Whether every row is one."""
    try:
        listed(codes)
    except ValueError:
        return False
    return True


def _of(said: str) -> Iterator[str]:
    """The codes of a row in their order, with the zeros that its first one begins with; what is no row is one code."""
    if ".." not in said:
        yield said
        return
    found = _ROW.fullmatch(said)
    if found is None or found["head"] != found["again"] or not 0 <= int(found["last"]) - int(found["first"]) < MOST:
        raise ValueError(f"'{said}' is no row of codes")
    width = len(found["first"]) if found["first"].startswith("0") else 0
    for number in range(int(found["first"]), int(found["last"]) + 1):
        yield found["head"] + str(number).zfill(width)
