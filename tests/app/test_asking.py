"""sb.survey: from a schema file or a saved survey, reports from a file or one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import semblance as sb
from semblance.core.errors import DataError, UsageError

SCHEMA = """
[cohort]
id = "clinic"
n_public = 3000

[columns.sex]
categories = ["F", "M"]

[columns.died]
role = "target"
categories = ["no", "yes"]
"""


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "clinic.toml"
    path.write_text(SCHEMA)
    return path


def test_sources_report_and_a_curator_learns(schema: Path, tmp_path: Path) -> None:
    survey = sb.survey(schema, epsilon=6)
    assert survey.guarantee.epsilon == 6 and survey.guarantee.delta == 0
    reports = [survey.report({"sex": "F", "died": "no"}) for _ in range(60)]
    second = survey.next(reports)
    assert second is not None
    second.save(tmp_path / "second.json")
    source = sb.survey(tmp_path / "second.json")
    lines = [json.dumps(source.report({"sex": "F", "died": "no"})) for _ in range(60)]
    (tmp_path / "reports.jsonl").write_text("\n".join(lines) + "\n")
    frame = second.fit(tmp_path / "reports.jsonl", seed=2).sample(200)
    assert len(frame) == 200 and (frame["sex"] == "F").mean() > 0.8


def test_what_cannot_be_read_is_told(schema: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without epsilon"):
        sb.survey(schema)
    with pytest.raises(UsageError, match=r"lost\.json"):
        sb.survey(tmp_path / "lost.json")
    survey = sb.survey(schema, epsilon=6)
    with pytest.raises(UsageError, match=r"'lost\.jsonl' cannot be read"):
        survey.fit(tmp_path / "lost.jsonl")
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(UsageError, match=r"'torn\.json' is not JSON"):
        sb.survey(tmp_path / "torn.json")
    (tmp_path / "reports.jsonl").write_text('{"round": 1, "question": 0, "answer": []}\nnone\n')
    with pytest.raises(DataError, match="line 2 is no report"):
        survey.fit(tmp_path / "reports.jsonl")
