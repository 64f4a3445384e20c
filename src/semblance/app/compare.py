"""Several runs side by side: the findings that decide, the verdict of each, and which run is best where.

Runs are compared only where they judged against the same real records with the same effort; anything else is refused,
or (`anyway`) said at the top.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semblance.app import words
from semblance.app.config import read_toml
from semblance.app.exports.schema import problems as misfits
from semblance.app.frontier import between, by_epsilon, drawn, drawn_by_epsilon, promise_of, released
from semblance.app.judged import Judged, judge
from semblance.core.errors import Problem, SignatureError, UsageError
from semblance.core.estimate import Estimate
from semblance.core.report import Report

GOALS = {"lower": "lower is better", "higher": "higher is better", "half": "0.5 is best"}


@dataclass(frozen=True)
class Run:
    """A run folder with what its report says."""

    name: str
    report: Report
    time: str = ""

    @property
    def generator(self) -> str:
        """Who made the records."""
        card = self.report.subject.get("generator")
        return str(card["name"]) if isinstance(card, Mapping) else "unknown"

    @property
    def verdict(self) -> str:
        """The gate's verdict."""
        return words.verdict(self.report)


@dataclass(frozen=True)
class Cell:
    """One run's number: `mark` is "best", "level" (its interval meets that of the best) or nothing."""

    estimate: Estimate | None
    level: str
    said: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Row:
    """One finding over all runs, with the control once."""

    metric: str
    title: str
    section: str
    goal: str
    control: Estimate | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Comparison:
    """All runs, the rows by section, and what should have been the same and is not."""

    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()

    @property
    def sections(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """The rows under the title of their section."""
        grouped = ((words.SECTIONS[s][0], tuple(r for r in self.rows if r.section == s)) for s in words.SECTIONS)
        return tuple((title, rows) for title, rows in grouped if rows)

    @property
    def wins(self) -> tuple[int, ...]:
        """In how many rows each run is best."""
        return tuple(sum(row.cells[i].mark == "best" for row in self.rows) for i in range(len(self.runs)))

    @property
    def frontier(self) -> dict[str, Any]:
        """The pictures of what privacy costs: utility over leak, and over epsilon where two runs or more have one."""
        ends = next((found for run in self.runs if (found := tuple(between(run.report)))), ())
        made = [mark for run in self.runs if (mark := released(run.report, run.name)) is not None]
        priced = by_epsilon({run.name: run.report for run in self.runs})
        leak = {"plot": drawn([*made, *ends]), "rows": (*made, *ends)} if made else {}
        cost = {"plot": drawn_by_epsilon(priced, ends), "rows": priced} if len(priced) > 1 else {}
        return {"leak": leak, "epsilon": cost}

    def to_json(self) -> dict[str, Any]:
        """What --json prints."""
        runs = [
            {
                "run": r.name,
                "generator": r.generator,
                "verdict": r.verdict,
                "time": r.time,
                "best": n,
                "epsilon": None if (promise := promise_of(r.report)) is None else promise.epsilon,
            }
            for r, n in zip(self.runs, self.wins, strict=True)
        ]
        return {"runs": runs, "findings": [_row_json(row) for row in self.rows], "warnings": list(self.warnings)}


def _row_json(row: Row) -> dict[str, Any]:
    def plain(e: Estimate | None) -> Any:
        return None if e is None else {**e.plain(), "n": e.n}

    cells = [{"estimate": plain(c.estimate), "level": c.level, "mark": c.mark, "said": c.said} for c in row.cells]
    told = {"metric": row.metric, "title": row.title, "section": row.section, "goal": row.goal}
    return {**told, "control": plain(row.control), "runs": cells}


def compare(folders: Sequence[Path], *, anyway: bool = False) -> Comparison:
    """Read and compare run folders. Raises UsageError with every folder that is no run, and everything that differs."""
    runs, found = _read_all(folders)
    different = list(differences(runs))
    if not anyway:
        found += [Problem(said, "runs are compared on the same real records and tier", fix) for said, fix in different]
    if found:
        raise UsageError(*found)
    return Comparison(runs, tuple(_rows(runs)), tuple(said for said, _ in different))


def _read_all(folders: Sequence[Path]) -> tuple[tuple[Run, ...], list[Problem]]:
    """The runs that can be read, named apart, and the problems of those that cannot."""
    problems = []
    if len(folders) < 2:
        problems.append(Problem(f"{len(folders)} run", "at least two are compared", "semblance compare RUN RUN"))
    runs = []
    for folder, name in zip(folders, _names(folders), strict=True):
        try:
            runs.append(_read(folder, name))
        except UsageError as error:
            problems += error.problems
    return tuple(runs), problems


def _names(folders: Sequence[Path]) -> list[str]:
    """The last part of each path; numbered where two are alike."""
    plain = [folder.resolve().name or str(folder) for folder in folders]
    return [name if plain.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(plain, start=1)]


def _read(folder: Path, name: str) -> Run:
    """One run. Raises SignatureError where a sealed folder was changed."""
    from semblance.release.bundle import verify

    path = folder / "report.json"
    if not path.is_file() or not (folder / "attestation.json").is_file():
        raise _no_run(name, "no report.json with its seal in it")
    try:
        verify(folder)
    except SignatureError as error:
        raise SignatureError(*(replace(p, found=f"{p.found} (in '{name}')") for p in error.problems)) from None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise _no_run(name, "its report.json is not JSON") from None
    if found := next(misfits(data), None):
        raise _no_run(name, f"its report.json is not of this version ({found})")
    return Run(name, Report.from_json(data), _time(folder, data["subject"]))


def _no_run(name: str, why: str) -> UsageError:
    rule = "a folder that `semblance synth`, `evaluate` or `demo` has finished"
    return UsageError.of(f"'{name}' is no run: {why}", rule=rule, fix="give finished run folders")


def _time(folder: Path, subject: Mapping[str, Any]) -> str:
    """Seconds of fitting where the report knows them, or the budget that was given."""
    seconds = subject.get("times", {}).get("fit")
    if isinstance(seconds, int | float):
        return f"{seconds:.0f} s"
    config = read_toml(folder / "config.toml") if (folder / "config.toml").is_file() else {}
    budget = config.get("synth", {}).get("time_budget")
    return f"{budget:g} s budget" if isinstance(budget, int | float) else ""


def differences(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """What should be the same over all runs and is not, each with the line that fixes it."""
    # No seed repeats the coin that splits the patients of a private run: only their sum is the same.
    tossed = any(promise_of(run.report) is not None for run in runs)
    for key, fix in SAME.items():
        held = {run.name: _of(run.report.subject, key, tossed=tossed) for run in runs}
        if len({json.dumps(value, sort_keys=True) for value in held.values() if value is not None}) > 1:
            shown = ", ".join(f"{name}: {_shown(value)}" for name, value in held.items() if value is not None)
            yield f"other {TITLES[key]} ({shown})", fix


DATA_FIX = "judge both against the same files, or add --anyway"
SAME = {
    "rows": DATA_FIX,
    "patients": DATA_FIX,
    "columns": DATA_FIX,
    "inputs": DATA_FIX,
    "target": "judge both with the same --target, or add --anyway",
    "tier": "judge both with the same --tier, or add --anyway",
}
TITLES = {
    "rows": "real records",
    "patients": "real patients",
    "columns": "columns",
    "inputs": "real data by SHA-256",
    "target": "target",
    "tier": "tier",
}


def _of(subject: Mapping[str, Any], key: str, *, tossed: bool = False) -> Any:
    """The part of the subject that tells of the real data alone; of a split that a coin `tossed`, its sum."""
    if key in ("rows", "patients"):
        counts = {part: subject.get(key, {}).get(part) for part in ("train", "holdout")} if subject.get(key) else None
        return {"together": sum(counts.values())} if tossed and counts and all(counts.values()) else counts
    if key == "columns":
        return sorted((c["name"], c["kind"], c["role"]) for c in subject.get(key, ())) or None
    if key == "inputs":
        sums = subject.get(key, {})
        return {part: sums[part] for part in ("train", "holdout") if part in sums} or None
    return subject.get(key)


def _shown(value: Any) -> str:
    """A short text for the error: counts, not lists."""
    if isinstance(value, Mapping):
        return " and ".join(f"{v:,}" if isinstance(v, int) else str(v)[:12] for v in value.values())
    return f"{len(value)} columns" if isinstance(value, list) else str(value)


def _rows(runs: Sequence[Run]) -> Iterator[Row]:
    """The findings that a rule decides on, of any run, in the order of the sections."""
    judged = [{one.finding.metric: one for one in judge(run.report)} for run in runs]
    order = list(dict.fromkeys(metric for found in judged for metric in found))
    for metric in sorted(order, key=lambda m: _place(m)):
        held = [found.get(metric) for found in judged]
        if any(one is not None and one.ruled for one in held):
            yield _row(metric, held)


def _place(metric: str) -> int:
    section = metric.partition(".")[0]
    return list(words.SECTIONS).index(section) if section in words.SECTIONS else len(words.SECTIONS)


def _row(metric: str, held: Sequence[Judged | None]) -> Row:
    first = next(one for one in held if one is not None)
    control = next((one.finding.control for one in held if one is not None and one.finding.control is not None), None)
    better = first.finding.better
    cells = tuple(_cell(one) for one in held)
    marks = _marks([cell.estimate for cell in cells], better)
    marked = tuple(Cell(c.estimate, c.level, c.said, m) for c, m in zip(cells, marks, strict=True))
    return Row(metric, first.title, first.finding.section, GOALS[better], control, marked)


def _cell(one: Judged | None) -> Cell:
    if one is None:
        return Cell(None, "untested", "not measured")
    said = "" if one.finding.estimate is not None else one.finding.status.replace("_", " ")
    return Cell(one.finding.estimate, one.level, said)


def _marks(estimates: Sequence[Estimate | None], better: str) -> list[str]:
    """The best of at least two; those that it cannot be told apart from, by their intervals, are level with it."""
    known = [e for e in estimates if e is not None]
    if len(known) < 2:
        return ["" for _ in estimates]
    best = min(known, key=lambda e: _badness(e.value, better))
    return [_mark(e, best, better) for e in estimates]


def _mark(e: Estimate | None, best: Estimate, better: str) -> str:
    if e is None:
        return ""
    if _badness(e.value, better) == _badness(best.value, better):
        return "best"
    return "level" if e.low <= best.high and best.low <= e.high else ""


def _badness(value: float, better: str) -> float:
    return {"lower": value, "higher": -value, "half": abs(value - 0.5)}[better]
