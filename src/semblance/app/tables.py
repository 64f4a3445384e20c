"""The comparison of runs as a table of the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from semblance.app.compare import Cell, Comparison
from semblance.app.screens import COLOURS

MARKS = {"best": "*", "level": "=", "": " "}


def comparison_screen(found: Comparison, page: Path) -> RenderableType:
    """Verdicts and findings with one column per run; * is the best of a row, = cannot be told apart from it."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    table.add_column("", overflow="fold", min_width=20)
    for run in found.runs:
        table.add_column(Text(run.name), justify="right", overflow="fold")
    table.add_column("real", justify="right", no_wrap=True, header_style="dim")
    table.add_row("verdict", *(Text(run.verdict, COLOURS.get(run.verdict, "dim")) for run in found.runs), "")
    table.add_row("generator", *(Text(run.generator) for run in found.runs), "")
    table.add_row("fitting", *(Text(run.time or "-", "dim") for run in found.runs), "")
    for title, rows in found.sections:
        table.add_row(Text(f"\n{title}", "dim"))
        for row in rows:
            control = "-" if row.control is None else f"{row.control.value:.3f}"
            table.add_row(Text(f"  {row.title}"), *map(_cell, row.cells), Text(control, "dim"))
    said = Text("\n* best, = its interval meets that of the best", "dim")
    warned = [Text(f"! {line}", "bold yellow") for line in found.warnings]
    return Group(Text(), *warned, table, said, Text(f"\n  Page  {page}\n"))


def _cell(cell: Cell) -> Text:
    if cell.estimate is None:
        return Text(cell.said, "dim")
    colour = {"none": "red", "insufficient": "red", "internal": "yellow"}.get(cell.level, "")
    style = f"bold {colour}".strip() if cell.mark == "best" else colour
    e = cell.estimate
    value, low, high = (f"{round(number, 3) + 0.0:.3f}" for number in (e.value, e.low, e.high))
    return Text.assemble((f"{value}{MARKS[cell.mark]}", style), (f" [{low}, {high}]", "dim"))
