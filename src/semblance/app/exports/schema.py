"""The JSON Schema of report.json, and the few keywords of it that are checked without a further dependency."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "report.schema.json"
TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda x: isinstance(x, dict),
    "array": lambda x: isinstance(x, list),
    "string": lambda x: isinstance(x, str),
    "boolean": lambda x: isinstance(x, bool),
    "null": lambda x: x is None,
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "number": lambda x: isinstance(x, int | float) and not isinstance(x, bool),
}


@cache
def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12)."""
    read: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return read


def problems(data: Any) -> Iterator[str]:
    """Every place where `data` is no report: its path, and what it should be. It never quotes a value."""
    yield from _check(data, schema(), "report")


def _check(data: Any, rule: Mapping[str, Any], path: str) -> Iterator[str]:
    if "$ref" in rule:
        yield from _check(data, schema()["$defs"][rule["$ref"].rpartition("/")[2]], path)
        return
    if "anyOf" in rule:
        if not any(next(_check(data, one, path), None) is None for one in rule["anyOf"]):
            yield f"{path}: fits none of the allowed forms"
        return
    types = rule.get("type", [])
    if types and not any(TYPES[kind](data) for kind in ([types] if isinstance(types, str) else types)):
        yield f"{path}: must be {types if isinstance(types, str) else ' or '.join(types)}"
        return
    if "const" in rule and data != rule["const"]:
        yield f"{path}: must be {rule['const']}"
    if "enum" in rule and data not in rule["enum"]:
        yield f"{path}: must be one of {', '.join(map(str, rule['enum']))}"
    if isinstance(data, dict):
        yield from _object(data, rule, path)
    if isinstance(data, list) and "items" in rule:
        for i, item in enumerate(data):
            yield from _check(item, rule["items"], f"{path}[{i}]")


def _object(data: Mapping[str, Any], rule: Mapping[str, Any], path: str) -> Iterator[str]:
    known = rule.get("properties", {})
    yield from (f"{path}: '{name}' is missing" for name in rule.get("required", ()) if name not in data)
    other = rule.get("additionalProperties", True)
    for name, value in data.items():
        if name in known:
            yield from _check(value, known[name], f"{path}.{name}")
        elif other is False:
            yield f"{path}: an entry that the schema does not know"
        elif isinstance(other, dict):
            yield from _check(value, other, f"{path}.*")
