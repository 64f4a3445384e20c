"""A survey in the hands of its parties: records in, reports out, a model of reports."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.modalities.table.data import concat
from semblance.modalities.table.questionnaire import Questionnaire

DECLARED: dict[str, Any] = {
    "cohort": {"id": "clinic", "n_public": 4000},
    "columns": {
        "pid": {"role": "subject"},
        "age": {"kind": "integer", "min": 18, "max": 99},
        "sex": {"categories": ["F", "M"]},
        "died": {"role": "target", "categories": ["no", "yes"]},
    },
}


def records(n: int) -> list[dict[str, Any]]:
    rng = stream(0, "records")
    died = np.where(rng.random(n) < 0.2, "yes", "no").tolist()
    ages = rng.integers(18, 100, n).tolist()
    return [{"age": age, "sex": "F", "died": dead} for age, dead in zip(ages, died, strict=True)]


def test_a_model_is_made_of_reports_and_nothing_else() -> None:
    first = Questionnaire.of(DECLARED, epsilon=8.0, components=8, steps=100)
    reports = json.loads(json.dumps([first.report(record) for record in records(150)]))
    second = first.next(reports)
    assert second is not None and str(second.guarantee).startswith("(8, 0)-differential privacy per patient")
    again = Questionnaire.from_json(json.loads(json.dumps(second.to_json())))
    more = [again.report(record) for record in records(150)]  # a source makes the second round from JSON
    frames = [concat(list(q.learned(more, seed=1).sample(500, rng=stream(0)))).frame for q in (second, again)]
    assert frames[0].equals(frames[1])
    assert (frames[0]["sex"] == "F").mean() > 0.7 and (frames[0]["died"] == "no").mean() > 0.6
    with pytest.raises(UsageError, match="third round"):
        second.next(more)
    with pytest.raises(DataError, match="report 1 is none"):
        second.learned(reports, seed=0)


def test_what_is_left_out_is_missing_and_what_is_not_declared_is_refused() -> None:
    asked = Questionnaire.of(DECLARED, epsilon=4.0)
    assert set(asked.report({"pid": "P1"})) == {"round", "question", "answer"}
    assert asked.report({"age": None, "sex": float("nan")})["round"] == 1
    with pytest.raises(UsageError, match="not declared") as told:
        asked.report({"agee": 71})
    assert "71" not in str(told.value)


def test_a_number_of_patients_is_public_or_named() -> None:
    declared = {**DECLARED, "cohort": {"id": "clinic"}}
    with pytest.raises(UsageError, match="n_public"):
        Questionnaire.of(declared, epsilon=4.0)
    assert Questionnaire.of(declared, epsilon=4.0, patients=90).survey.asking.seats == 90


def test_dates_of_a_schema_file_survive_json() -> None:
    seen = {"kind": "date", "min": date(2020, 1, 1), "max": date(2024, 12, 31)}
    declared = {**DECLARED, "columns": {**DECLARED["columns"], "seen": seen}}
    asked = Questionnaire.of(declared, epsilon=4.0)
    again = Questionnaire.from_json(json.loads(json.dumps(asked.to_json())))
    assert again.survey.coder.to_json() == asked.survey.coder.to_json()
    assert again.report({"seen": "2021-03-04"})["round"] == 1
