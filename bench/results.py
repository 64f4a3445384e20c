"""A result file: the numbers with the command, the commit, the versions and the machine that made them."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

COLUMNS = {
    "fit s": "fit",
    "sample s": "sample",
    "shape": "fidelity.shape",
    "pairs": "fidelity.pairs",
    "C2ST": "fidelity.c2st",
    "membership": "privacy.membership",
    "copies": "privacy.copies",
}
PACKAGES = ("numpy", "pandas", "scikit-learn", "torch")


@dataclass(frozen=True)
class Row:
    """A contender's numbers, by finding id."""

    name: str
    values: Mapping[str, float]


def write(path: Path, title: str, rows: list[Row], *, seeds: int, time_budget: float) -> str:
    """Write the result file and return its text."""
    notes = [
        f"- medians over {seeds} seed(s), {time_budget:g} s for fitting; lower is better, C2ST is best at 0.5,",
        "  TSTR is the AUC on holdout of a model trained on the synthetic records: higher is better",
    ]
    text = "\n".join([f"# {title}", "", *facts("boards", notes), "", *_table(rows), ""])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return text


def facts(module: str, notes: Sequence[str] = ()) -> list[str]:
    """What made a result file, as lines: the command (`python -m bench.MODULE`), commit, versions and machine."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"- command: `python -m bench.{module} {shlex.join(sys.argv[1:])}`",
        f"- commit: {_commit()}",
        f"- versions: Python {platform.python_version()}, {packages}",
        f"- machine: {_processor()}, {os.cpu_count()} cores",
        *notes,
    ]


def _table(rows: list[Row]) -> list[str]:
    tstr = sorted({key for row in rows for key in row.values if key.startswith("utility.tstr")})
    columns = {**COLUMNS, **{f"TSTR {key.split('.')[-1]}": key for key in tstr}}
    lines = [f"| generator | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    return lines + [f"| {row.name} | {' | '.join(_cell(row, key) for key in columns.values())} |" for row in rows]


def _cell(row: Row, key: str) -> str:
    value = row.values.get(key)
    if value is None or (key in ("fit", "sample") and row.name.startswith("real")):
        return ""
    return f"{value:.1f}" if key in ("fit", "sample") else f"{value:.3f}"


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain") else ""
    return f"{git('rev-parse', '--short', 'HEAD')}{changed}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
