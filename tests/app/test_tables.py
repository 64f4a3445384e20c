"""The terminal table: one column per run, the best marked, warnings first."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from semblance.app.compare import Cell, Comparison, Row, Run
from semblance.app.tables import comparison_screen
from semblance.core.estimate import Estimate
from semblance.core.report import Report


def test_the_table_marks_the_best_and_says_what_is_missing() -> None:
    runs = (Run("a", Report((), {})), Run("b", Report((), {}), "12 s"), Run("c", Report((), {})))
    cells = (
        Cell(Estimate(0.1, 0.0, 0.2), "public", "", "best"),
        Cell(Estimate(-0.0001, -0.1, 0.3), "none", "", "level"),
        Cell(None, "untested", "not measured"),
    )
    row = Row("privacy.x", "A finding", "privacy", "lower is better", Estimate(0.05, 0, 0.1), cells)
    console = Console(width=120, record=True)
    console.print(comparison_screen(Comparison(runs, (row,), ("other tier",)), Path("page.html")))
    text = console.export_text()
    for said in ("! other tier", "0.100* [0.000, 0.200]", "0.000= [-0.100, 0.300]", "not measured", "0.050", "12 s"):
        assert said in text
    assert text.index("! other tier") < text.index("verdict") and "page.html" in text
