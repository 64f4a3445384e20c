"""The schema: every report fits it, and what is no report does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from semblance.app.exports.schema import problems, schema
from semblance.app.redact import redact
from semblance.core.report import Report


def test_reports_of_both_editions_fit(report: Report, full: Report) -> None:
    for one in (report, full, redact(full), redact(report), Report((), {})):
        assert list(problems(one.to_json())) == []


def test_the_schema_has_the_version_of_the_reports() -> None:
    assert schema()["properties"]["version"]["const"] == Report((), {}).version
    assert schema()["$id"].endswith(f":{Report((), {}).version}")


def _without(data: Any, *path: Any) -> Any:
    changed = copy.deepcopy(data)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def _with(data: Any, value: Any, *path: Any) -> Any:
    changed = copy.deepcopy(data)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


@pytest.mark.parametrize("path", [("findings",), ("findings", 0, "estimate"), ("decision", "checks")])
def test_what_is_missing_is_found(full: Report, path: tuple[Any, ...]) -> None:
    assert any("missing" in line or "allowed forms" in line for line in problems(_without(full.to_json(), *path)))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (2, ("version",)),
        ("secret", ("findings", 0, "section")),
        ("secret", ("findings", 0, "estimate", "value")),
        (True, ("findings", 0, "estimate", "n")),
        ("secret", ("decision", "verdict")),
        (3, ("subject", "columns", 0, "name")),
        ([], ("findings", 0, "detail")),
        (1, ("more",)),
        (1, ("findings", 0, "more")),
        (1, ("subject", "versions", "numpy")),
    ],
)
def test_what_does_not_fit_is_found_and_never_quoted(full: Report, value: Any, path: tuple[Any, ...]) -> None:
    found = list(problems(_with(full.to_json(), value, *path)))
    assert found and "secret" not in " ".join(found)


@pytest.mark.parametrize("data", [None, [], 3, "report", {}])
def test_other_json_is_no_report(data: Any) -> None:
    assert list(problems(data))
