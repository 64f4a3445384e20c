"""Runs side by side: the best is marked, ties by interval are said, and what cannot be compared is refused at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from semblance.app.assemble import Bundle, assemble
from semblance.app.cli import app
from semblance.app.compare import compare
from semblance.app.html import render_comparison
from semblance.core.errors import SignatureError, UsageError
from semblance.core.estimate import Estimate
from semblance.core.promise import Guarantee
from semblance.core.report import Report
from tests.app.test_html import Page


def shifted(report: Report, metric: str, value: float, half: float) -> Report:
    changed = replace(report[metric], estimate=Estimate(value, value - half, value + half, n=5000))
    return replace(report, findings=tuple(changed if f.metric == metric else f for f in report.findings))


def run(folder: Path, report: Report, **subject: Any) -> Path:
    told = replace(report, subject={**report.subject, **subject})
    assemble(Bundle(told, {"versions": {}, "synth": {"time_budget": 60.0}}), folder)
    return folder


@pytest.fixture
def pair(tmp_path: Path, full: Report) -> tuple[Path, Path]:
    other = shifted(shifted(full, "privacy.inference", 0.02, 0.001), "rare.modes", 0.90, 0.001)
    other = shifted(other, "utility.gap.linear", 0.0201, 0.004)
    return run(tmp_path / "ours", full), run(tmp_path / "theirs", other, generator={"name": "ctgan"})


def test_the_best_of_a_row_is_marked_and_those_that_chance_may_explain(pair: tuple[Path, Path]) -> None:
    rows = {row.metric: row for row in compare(pair).rows}
    assert [cell.mark for cell in rows["privacy.inference"].cells] == ["", "best"]
    assert [cell.mark for cell in rows["rare.modes"].cells] == ["best", ""]  # higher is better
    assert [cell.mark for cell in rows["utility.gap.linear"].cells] == ["best", "level"]
    assert [cell.mark for cell in rows["privacy.linkability"].cells] == ["best", "best"]
    assert "privacy.dcr" not in rows  # no rule judges it


def test_runs_tell_who_made_them_and_how_long(pair: tuple[Path, Path]) -> None:
    found = compare(pair)
    assert [r.name for r in found.runs] == ["ours", "theirs"]
    assert [r.generator for r in found.runs] == ["autoregressive", "ctgan"] and found.runs[0].time == "60 s budget"
    assert found.to_json()["runs"][0]["verdict"] == "REFUSED"


def test_a_run_given_twice_is_named_apart(pair: tuple[Path, Path]) -> None:
    assert [r.name for r in compare((pair[0], pair[0])).runs] == ["ours (1)", "ours (2)"]


def test_what_cannot_be_compared_is_told_at_once(tmp_path: Path, full: Report) -> None:
    a = run(tmp_path / "a", full)
    rows = {"train": 5000, "holdout": 1000, "synthetic": 7864}
    b = run(tmp_path / "b", full, rows=rows, tier="fast", inputs={"train": "f" * 64})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        compare((a, b, tmp_path / "empty", tmp_path / "absent"))
    text = str(caught.value)
    for said in ("'empty' is no run", "'absent' is no run", "other real records (a: 6,291", "other tier", "by SHA-256"):
        assert said in text


def test_a_report_of_another_version_is_no_run(tmp_path: Path, full: Report) -> None:
    old = run(tmp_path / "old", replace(full, version=0))
    with pytest.raises(UsageError, match="not of this version"):
        compare((old, run(tmp_path / "new", full)))


def test_a_changed_run_is_refused(pair: tuple[Path, Path]) -> None:
    path = pair[0] / "report.json"
    path.write_text(path.read_text().replace("0.013", "0.001"))
    with pytest.raises(SignatureError, match=f"in '{pair[0].name}'"):
        compare(pair)


def test_one_run_is_not_a_comparison(pair: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="at least two"):
        compare(pair[:1])


def test_anyway_goes_on_with_a_warning_on_the_page(tmp_path: Path, full: Report) -> None:
    a, b = run(tmp_path / "a", full), run(tmp_path / "b", full, tier="fast")
    found = compare((a, b), anyway=True)
    page = Page(render_comparison(found))
    assert "cannot be compared fairly" in page.text and "other tier (a: standard, b: fast)" in page.text


def test_what_privacy_costs_is_drawn_over_all_runs(tmp_path: Path, full: Report) -> None:
    promises = [Guarantee(epsilon, 1e-6).to_json() for epsilon in (3.0, 0.5)]
    runs = [run(tmp_path / f"e{i}", full, promise=promise) for i, promise in enumerate(promises)]
    found = compare([*runs, run(tmp_path / "plain", full)])
    assert [r["epsilon"] for r in found.to_json()["runs"]] == [3.0, 0.5, None]
    page = render_comparison(found)
    assert page.count('<svg class="plot"') == 2 and "What a smaller epsilon costs" in page
    assert [one.name for one in found.frontier["epsilon"]["rows"]] == ["e1", "e0"]
    alone = render_comparison(compare([runs[0], tmp_path / "plain"]))
    assert alone.count('<svg class="plot"') == 1 and "What a smaller epsilon costs" not in alone


def test_private_runs_split_by_a_coin_and_can_be_compared(tmp_path: Path, full: Report) -> None:
    promise = {"promise": Guarantee(1.0, 1e-6).to_json()}
    split = [
        {"rows": {"train": n, "holdout": 9_000 - n}, "patients": {"train": n, "holdout": 9_000 - n}}
        for n in (7_231, 7_128)
    ]
    assert compare([run(tmp_path / f"p{i}", full, **one, **promise) for i, one in enumerate(split)]).warnings == ()
    with pytest.raises(UsageError, match="other real patients"):
        compare([run(tmp_path / f"o{i}", full, **one) for i, one in enumerate(split)])
    more = {"rows": {"train": 7_000, "holdout": 1_999}, "patients": {"train": 7_000, "holdout": 1_999}}
    with pytest.raises(UsageError, match="other real records"):
        compare([tmp_path / "p0", run(tmp_path / "other", full, **more, **promise)])


def test_the_page_is_whole_safe_and_readable(pair: tuple[Path, Path]) -> None:
    text = render_comparison(compare(pair))
    page = Page(text)
    assert "<script" not in text and "http" not in text and page.tags.count("h1") == 1
    for said in ("ours", "theirs", "ctgan", "REFUSED", "Inference", "best", "level", "Internal: do not share"):
        assert said in page.text
    assert all(a.get("scope") for tag, a in page.elements if tag == "th")
    assert all("aria-hidden" in a or "aria-label" in a for tag, a in page.elements if tag == "svg")


def test_the_command_writes_a_page_and_a_table_and_overwrites_nothing(pair: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["compare", *map(str, pair), "-o", str(tmp_path / "page.html")]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.output
    assert "Inference" in ran.output and "* best" in ran.output and (tmp_path / "page.html").exists()
    again = CliRunner().invoke(app, [*words, "--json"])
    assert again.exit_code == 2 and "page.html" in json.loads(again.stdout)["problems"][0]["found"]


def test_the_command_prints_one_object(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["compare", *map(str, pair), "-o", str(tmp_path / "page.html"), "--json"])
    told = json.loads(ran.stdout)
    assert told["exit_code"] == 0 and len(told["runs"]) == 2 and told["findings"][0]["runs"][0]["estimate"]["n"]
    bad = CliRunner().invoke(
        app, ["compare", str(pair[0]), str(tmp_path), "-o", str(tmp_path / "no" / "p.html"), "--json"]
    )
    assert bad.exit_code == 2 and len(json.loads(bad.stdout)["problems"]) == 2
