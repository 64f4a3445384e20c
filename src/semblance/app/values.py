"""Values that a person wrote for a dataclass of numbers: options of a generator, or a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, get_args, get_origin, get_type_hints

from semblance.app.config import nearest
from semblance.core.errors import Problem

RULES: Mapping[Any, str] = {
    int: "a whole number, at least 1",
    float: "a number from 0 to below 1",
    tuple[float, ...]: "a list of numbers from 0 to below 1",
}


def wrong_keys(kind: Any, asked: Mapping[str, Any]) -> Iterator[Problem]:
    """What `kind` does not know, and what it cannot do without."""
    known = [field.name for field in fields(kind)]
    for name in asked:
        if name not in known:
            yield Problem(f"[plan] {name}", f"known: {', '.join(known)}", nearest(name, known))
    for field in fields(kind):
        if field.default is MISSING and field.name not in asked:
            yield Problem(f"[plan] holds no {field.name}", "it says how much work to do", "leave out the whole [plan]")


def wrong_values(kind: Any, asked: Mapping[str, Any], *, section: str) -> Iterator[Problem]:
    """Values of another type than the fields of `kind`, or out of range: whole numbers count, others are shares."""
    types = get_type_hints(kind)
    for field in fields(kind):
        if field.name in asked and not _fits(asked[field.name], types[field.name]):
            rule = RULES.get(types[field.name], f"a {types[field.name].__name__}")
            yield Problem(f"[{section}] {field.name} = {asked[field.name]!r}", rule, f"correct {field.name}")


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(_fits(part, get_args(kind)[0]) for part in value)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int | float) and 0 <= value < 1
    if kind is int:
        return isinstance(value, int) and value >= 1
    return isinstance(value, kind)
