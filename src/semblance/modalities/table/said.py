"""Words and values that a person writes in a schema file, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from semblance.core.errors import Problem


def unknown(name: str, known: Iterable[str], what: str, *, where: str = "the schema") -> Problem:
    """The problem of a name that is none of those known, with the nearest one, and with all where they are keywords."""
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.6) or get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    fix = f"did you mean '{near[0]}'?" if near else ""
    if not near or what != "column":
        fix += f" one of: {', '.join(known[:20])}" + (", ..." if len(known) > 20 else "")
    fix = fix.strip()
    return Problem(f"no {what} '{name}'", f"{where} names a {what} as it is spelt", fix)


def is_bound(value: Any) -> bool:
    """Whether a TOML value can be a bound."""
    return isinstance(value, int | float | date) and not isinstance(value, bool)


def as_number(bound: Any) -> float | None:
    """A declared bound as the frame holds it: dates as seconds since 1970-01-01 UTC."""
    if isinstance(bound, date) and not isinstance(bound, datetime):
        bound = datetime(bound.year, bound.month, bound.day)
    if isinstance(bound, datetime):
        return (bound if bound.tzinfo is not None else bound.replace(tzinfo=UTC)).timestamp()
    return None if bound is None else float(bound)
