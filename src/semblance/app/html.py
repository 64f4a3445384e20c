"""Pages as self-contained files: no script, nothing loaded, every text passed through Jinja's escaping."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from semblance.app import words
from semblance.app.compare import Comparison
from semblance.app.facts import count, guarantee
from semblance.app.redact import LEFT_OUT, redact
from semblance.app.views import view
from semblance.core.report import Report

HERE = Path(__file__).parent / "templates"


def render(report: Report, *, public: bool) -> str:
    """The report's page. `public=True` renders the redacted report and says what was left out."""
    report = redact(report) if public else report
    return page("report.html.j2", public=public, left_out=LEFT_OUT if public else (), **view(report))


def render_comparison(comparison: Comparison) -> str:
    """The page of several runs side by side."""
    return page(
        "compare.html.j2",
        runs=comparison.runs,
        sections=comparison.sections,
        warnings=comparison.warnings,
        wins=comparison.wins,
        total=len(comparison.rows),
        guarantees=tuple(guarantee(run.report.subject.get("guarantee")) for run in comparison.runs),
        levels=words.LEVELS,
        frontier=comparison.frontier,
    )


def page(template: str, **values: Any) -> str:
    """A template of this folder with the style of all pages in it."""
    style = Markup((HERE / "report.css").read_text(encoding="utf-8"))
    return templates().get_template(template).render(style=style, **values)


@cache
def templates() -> jinja2.Environment:
    """The templates of this folder, each compiled once: to compile them takes as long as to render a report."""
    loader, strict = jinja2.FileSystemLoader(HERE), jinja2.StrictUndefined
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=strict, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(num=words.number, limits=words.limits, count=count)
    return made
