"""Result files: raw numbers as JSON, which reruns of one contender change in one place, and the Markdown made of them.

Every row says the command, the commit, the versions and the machine that made it.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import mean, median
from typing import Any

from scipy.stats import rankdata

from bench.watch import Outcome

REAL, AGAIN = "real against real", "train, drawn again"
OUT, GRID = "train, handed out", "train, on the peers' grid"
CONTROLS, PRIVATE_CONTROLS = (REAL, AGAIN), (REAL, OUT, GRID)
Columns = Mapping[str, tuple[str | tuple[str, str], int]]
"""What stands under each heading: a number, or two with 'to' between them, and how many decimals."""
COLUMNS: Columns = {
    "fit s": ("fit", 1),
    "sample s": ("sample", 1),
    "GiB": ("peak", 1),
    "shape": ("shape", 3),
    "pair": ("pair", 3),
    "C2ST": ("c2st", 3),
    "TSTR gb": ("tstr_gb", 3),
    "TSTR lr": ("tstr_lr", 3),
    "membership": ("gap", 3),
    "±": ("gap_margin", 3),
}
RANKED = {"shape": ("shape", 1), "pair": ("pair", 1), "C2ST": ("c2st", 1), "TSTR": ("tstr", -1)}
PACKAGES = ("numpy", "pandas", "scikit-learn", "torch")


@dataclass(frozen=True)
class Try:
    """One seed of one contender: how it ended, after how many seconds if it did not finish, and its numbers."""

    outcome: Outcome
    seconds: float = 0.0
    values: Mapping[str, float] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True)
class Row:
    """A contender of a section: its tries, and what made them (command, commit, versions, machine)."""

    name: str
    tries: tuple[Try, ...]
    made: Mapping[str, str]

    @property
    def failed(self) -> Try | None:
        """The try that did not finish, if there is one."""
        return next((one for one in self.tries if one.outcome != "finished"), None)

    def middle(self, key: str) -> float | None:
        """The median over the seeds."""
        values = [one.values[key] for one in self.tries if key in one.values]
        return median(values) if values and self.failed is None else None

    @property
    def tstr(self) -> float | None:
        """Both models of TSTR together, for ranks."""
        both = [self.middle(key) for key in ("tstr_gb", "tstr_lr")]
        return mean(value for value in both if value is not None) if None not in both else None


@dataclass(frozen=True)
class Section:
    """One board under one budget: its rows by contender, and the group in which its ranks count."""

    title: str
    group: str = ""
    rows: Mapping[str, Row] = field(default_factory=dict)


Book = dict[str, Section]


def opened(path: Path) -> Book:
    """The sections of a raw file, by name; none where there is no file."""
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {name: _section(said) for name, said in held.items()}


def _section(said: Mapping[str, Any]) -> Section:
    rows = {
        name: Row(name, tuple(Try(**one) for one in row["tries"]), row["made"]) for name, row in said["rows"].items()
    }
    return Section(said["title"], said["group"], rows)


def put(path: Path, name: str, section: Section) -> Book:
    """Write a section's rows into the raw file: rows of the same contenders are replaced, all others stay."""
    book = opened(path)
    kept = book[name].rows if name in book else {}
    book[name] = Section(section.title, section.group, {**kept, **section.rows})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(
        json.dumps({key: asdict(one) for key, one in book.items()}, indent=1) + "\n", encoding="utf-8"
    )
    unfinished.replace(path)
    return book


# Markdown


def told(book: Book, notes: str, columns: Columns = COLUMNS, *, by: str = "c2st") -> str:
    """All sections as one page after the notes; the sections of a group stand together under their mean ranks."""
    lines = notes.splitlines()
    for name in (name for name, section in book.items() if not section.group):
        lines += ["", f"## {book[name].title}", "", *_origins(book[name]), "", *table(book[name], columns, by=by)]
    for group in dict.fromkeys(section.group for section in book.values() if section.group):
        members = [section for section in book.values() if section.group == group]
        lines += ["", f"## {group}", "", *ranks(members)]
        for section in members:
            lines += ["", f"### {section.title}", "", *_origins(section), "", *table(section, columns, by=by)]
    return "\n".join([*lines, ""])


def table(section: Section, columns: Columns = COLUMNS, *, by: str = "c2st") -> list[str]:
    """The rows of a section, controls first, then from the least to the most of `by`: the AUC of telling from real."""
    rows = sorted(section.rows.values(), key=lambda row: _order(row, by))
    lines = [_line(row, columns) for row in rows]
    return [f"| generator | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}", *lines]


def _order(row: Row, by: str) -> tuple[bool, bool, float]:
    value = row.middle(by)
    return row.name not in (*CONTROLS, *PRIVATE_CONTROLS), value is None, 1.0 if value is None else value


def _line(row: Row, columns: Columns) -> str:
    cells = [_cell(row, (key,) if isinstance(key, str) else key, digits) for key, digits in columns.values()]
    if row.failed is not None:
        cells[0] = _ended(row.failed)
    return f"| {row.name} | {' | '.join(cells)} |"


def _cell(row: Row, keys: Sequence[str], digits: int) -> str:
    """The numbers of a row under a heading; nothing where it lacks one."""
    values = [value for key in keys if (value := row.middle(key)) is not None]
    return " to ".join(f"{value:.{digits}f}" for value in values) if len(values) == len(keys) else ""


def _ended(one: Try) -> str:
    if one.outcome != "failed":
        return f"{one.outcome} in {one.seconds:.0f} s" + (f" ({one.said})" if one.said else "")
    return f"failed ({one.said[:80]})".replace("|", "/")


def _origins(section: Section) -> Iterator[str]:
    """What made the rows; rows that were made together are told together."""
    groups: dict[str, list[Row]] = {}
    for row in section.rows.values():
        groups.setdefault(json.dumps(row.made), []).append(row)
    for rows in groups.values():
        made, seeds = rows[0].made, max(len(row.tries) for row in rows)
        yield f"- {', '.join(row.name for row in rows)}: `{made['command']}`, {seeds} seed(s), commit {made['commit']},"
        yield f"  {made['versions']}; {made['machine']}"


def ranks(members: Sequence[Section]) -> list[str]:
    """Mean ranks over the sections, for contenders that took part in all; one that did not finish shares the last."""
    names = [name for name in members[0].rows if name not in CONTROLS and all(name in one.rows for one in members)]
    each = {what: _mean_ranks(members, names, *key) for what, key in RANKED.items()}
    overall = {name: mean(by[name] for by in each.values()) for name in names}
    lines = [f"Mean ranks over {len(members)} table(s), 1 is best.", ""]
    lines += [f"| generator | all | {' | '.join(each)} |", f"|---|---:|{'---:|' * len(each)}"]
    for name in sorted(names, key=overall.__getitem__):
        cells = [overall[name], *(by[name] for by in each.values())]
        lines.append(f"| {name} | {' | '.join(f'{cell:.1f}' for cell in cells)} |")
    return lines


def _mean_ranks(members: Sequence[Section], names: Sequence[str], key: str, sign: int) -> dict[str, float]:
    ranked = []
    for section in members:
        rows = [section.rows[name] for name in names]
        values = [row.tstr if key == "tstr" else row.middle(key) for row in rows]
        ranked.append(rankdata([float("inf") if value is None else sign * value for value in values]))
    return {name: mean(float(places[i]) for places in ranked) for i, name in enumerate(names)}


# What made a result


def made(module: str, *, versions: str = "") -> dict[str, str]:
    """The command (`python -m bench.MODULE`), commit, versions and machine of this process."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "command": f"python -m bench.{module} {shlex.join(sys.argv[1:])}".rstrip(),
        "commit": _commit(),
        "versions": f"Python {platform.python_version()}, {packages}{versions}",
        "machine": f"{_processor()}, {os.cpu_count()} cores",
    }


def facts(module: str, notes: Sequence[str] = ()) -> list[str]:
    """The same as lines."""
    said = made(module)
    return [
        f"- command: `{said['command']}`",
        *(f"- {key}: {said[key]}" for key in ("commit", "versions", "machine")),
        *notes,
    ]


def _commit() -> str:
    """The commit; results that a bench wrote before do not count as changes."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain", "--", ":!bench/results") else ""
    return f"{git('rev-parse', '--short', 'HEAD')}{changed}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
