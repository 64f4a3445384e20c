from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from semblance.app.events import Finished, Profiled, Progressed, Started
from semblance.app.screens import Lines, first_screen, last_screen
from semblance.core.modality import FieldPlan, Profile
from semblance.core.model import Wanted

WIDE = Profile(
    1000,
    900,
    (
        FieldPlan(
            "patient identifier of the hospital", "identifier", "key", 0.0, "name of an identifier", "number anew"
        ),
        FieldPlan("lab", "integer", "feature", 0.0004, "98% distinct", "keep", unclear=True, fix="..."),
        *(FieldPlan(f"c{i}", "numeric" if i % 2 else "categorical", "feature", i / 100) for i in range(80)),
    ),
    ("a note",),
)


class Ended:
    """What a finished run tells, written down."""

    def __init__(self, verdict: str, reasons: list[str]) -> None:
        self.told = {
            "verdict": verdict,
            "asked": "controlled",
            "granted": None,
            "against": "controlled",
            "exit_code": 5 if verdict == "REFUSED" else 0,
            "reasons": reasons,
            "headline": [
                {
                    "metric": "fidelity.c2st",
                    "title": "Told from real records",
                    "better": "half",
                    "status": "measured",
                    "estimate": {"value": 0.531, "low": 0.52, "high": 0.542},
                    "control": {"value": 0.501},
                    "floor": None,
                    "level": "public",
                },
                {
                    "metric": "utility.tstr",
                    "title": "Prediction",
                    "status": "insufficient",
                    "better": "higher",
                    "level": "none",
                },
            ],
            "paths": {"report": "/somewhere/report.html"},
        }

    def to_json(self) -> dict[str, Any]:
        return self.told


def printed(thing: Any, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(thing)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [80, 120])
def test_first_screen_fits_and_groups_many_columns(width: int) -> None:
    text = printed(first_screen(WIDE, "wide.csv"), width)
    assert max(map(len, text.splitlines())) <= width
    assert "! lab" in text and "<0.1%" in text and "98% distinct" in text
    assert "80 columns: 40 categorical, 40 numeric" in text and "c17" not in text
    assert "\x1b" not in text


def test_patients_whom_nobody_knows_are_not_counted() -> None:
    assert "1,000 records of 900 patients" in printed(first_screen(WIDE, "wide.csv"), 120)
    assert "1,000 records, patients unknown" in printed(first_screen(replace(WIDE, patients=None), "wide.csv"), 120)


def test_many_tags_that_files_hold_are_a_line_for_each_kind() -> None:
    names, dates = [f"Name{i:02}" for i in range(12)], [f"Date{i}" for i in range(3)]
    beside = [FieldPlan(n, "DICOM name", "drop", i / 100, "12 of 99", "drop", beside=True) for i, n in enumerate(names)]
    beside += [FieldPlan(n, "DICOM date", "drop", 0.0, "9 of 99", "drop", beside=True) for n in dates]
    columns = [FieldPlan(f"c{i}", "text", "drop", 0.0, "declared", "drop") for i in range(9)]
    profile = Profile(99, 99, (FieldPlan("pixels", "1 x 8x8", "feature", 0.0), *columns, *beside))
    text = printed(first_screen(profile, "x"), 120)
    squeezed = " ".join(text.split())
    assert "10 columns" in text and all(name in text for name in (*dates, *(column.name for column in columns)))
    assert "Name02 and" in text and "Name03" not in text and "12 of this kind; each is in the report" in squeezed


@pytest.mark.parametrize("width", [80, 120])
def test_last_screen_says_verdict_numbers_and_reasons(width: int) -> None:
    text = printed(last_screen(Ended("REFUSED", ["Copies: too many"])), width)
    assert max(map(len, text.splitlines())) <= width
    assert "REFUSED" in text and "Copies: too many" in text and "0.520 to 0.542" in text and "insufficient" in text
    assert "public" in text and "Not even internal use" in text
    assert "not granted" in text and "What stands against controlled access, as asked for" in text


def test_a_number_that_certifies_nothing_is_shown_with_one_status() -> None:
    ended = Ended("REFUSED", [])
    known = {"estimate": {"value": -0.01, "low": -0.012, "high": 0.005}, "control": None}
    ended.told["headline"][1] |= {**known, "level": "insufficient"}
    row = next(line for line in printed(last_screen(ended), 120).splitlines() if "Prediction" in line)
    assert "-0.010" in row and "-0.012 to 0.005" in row
    assert row.count("insufficient") == 1 and "failed" not in row
    crashed = Ended("REFUSED", [])
    crashed.told["headline"][1] |= {"status": "error"}
    assert "error" in printed(last_screen(crashed), 120) and "failed" not in printed(last_screen(crashed), 120)


@pytest.mark.parametrize("verdict", ["REFUSED", "CONTROLLED"])
def test_under_differential_privacy_the_last_screen_says_why_public_is_written_whatever_the_gate_says(
    verdict: str,
) -> None:
    refused = Ended(verdict, ["Copies: too many"])
    refused.told["paths"] = {"guarantee": "RUN/public/GUARANTEE.md"}
    text = " ".join(printed(last_screen(refused), 80).replace("│", " ").split())
    assert "must not leave" not in text and "would tell the verdict" in text and "a person to decide" in text
    refused.told["paths"]["public"] = "RUN/public"
    assert "would tell the verdict" not in printed(last_screen(refused), 200)


def test_the_last_screen_stays_short() -> None:
    text = printed(last_screen(Ended("REFUSED", [f"Reason {i}: no" for i in range(40)])), 80)
    assert "Reason 4" in text and "Reason 5" not in text and "and 35 more, in the report" in text
    assert len(text.splitlines()) < 30


def test_the_last_screen_says_what_was_asked_for_where_something_was() -> None:
    ended = Ended("CONTROLLED", [])
    assert "Asked for" not in printed(last_screen(ended), 120)
    ended.told["wanted"] = Wanted(given={"age": (60, None)}, quota={"sex": "balanced"}).to_json()
    assert "Asked for: age = 60..; shares of sex: balanced" in printed(last_screen(ended), 120)


def test_lines_are_json_and_do_not_flood() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines(Started("fit", 6, 10))
    for step in range(1, 1001):
        lines(Progressed("fit", step, 1000, loss=1.0))
    lines(Finished("fit", 1.5, False))
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert told[0]["event"] == "started" and told[-1]["event"] == "finished"
    assert told[-1]["seconds"] == 1.5 and 3 <= len(told) < 20 and told[-2]["step"] == 1000


def test_the_profile_is_a_line_too() -> None:
    stream = io.StringIO()
    Lines(stream)(Profiled(WIDE, "wide.csv"))
    assert json.loads(stream.getvalue())["profile"]["records"] == 1000
