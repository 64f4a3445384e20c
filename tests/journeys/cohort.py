"""A small made-up cohort with planted canaries, and the command line as a person runs it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests import warm

PATIENTS = 420
STAGES = ["profile", "contract", "identifiers", "split", "plan", "fit", "sample", "evaluate", "decide", "sign"]
# The options of the run `simple`.
SIMPLE = ("--config", "fast.toml", "--subject", "pid", "--target", "outcome", "--model", "marginals", "--yes")
# One patient each: a name, a rare category, a number and a date that nobody else has.
CANARIES = ("Zebulonia Quixworth", "kuru-canary", "8137.2619", "1911-03-07")


def cohort_csv(path: Path, *, seed: int = 5, canaries: bool = True) -> Path:
    """Visits of PATIENTS patients: pid, name, sex, age, weight, ward, admitted, outcome."""
    rng = np.random.default_rng(seed)
    lines = ["pid,name,sex,age,weight,ward,admitted,outcome"]
    for patient in range(PATIENTS):
        age, sex = int(rng.integers(18, 95)), "FM"[int(rng.random() < 0.5)]
        for _ in range(1 + int(rng.random() < 0.4)):
            weight = f"{rng.normal(60 + 15 * (sex == 'M'), 9):.1f}" if rng.random() > 0.1 else ""
            ward = ("cardiology", "surgery", "oncology")[int(rng.integers(3))]
            day = np.datetime64("2015-01-01") + int(rng.integers(0, 900))
            outcome = int(rng.random() < 1 / (1 + np.exp(-(age - 60) / 10)))
            cells = [
                str(10_000 + patient),
                f"Person{patient} Name{patient}",
                sex,
                str(age),
                weight,
                ward,
                str(day),
                str(outcome),
            ]
            if canaries and patient == PATIENTS // 2:
                cells[1], cells[5], cells[4], cells[6] = CANARIES
            lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(frozen=True)
class Ran:
    """How a call of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as one JSON object."""
        return json.loads(self.out)


def started(words: Sequence[str | Path]) -> subprocess.Popen[str]:
    """The command line at work; its events come as JSON lines on stderr."""
    return subprocess.Popen(
        [sys.executable, "-m", "semblance", *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=warm.environment(),
    )


def semblance(*words: str | Path, cwd: Path | None = None, timeout: float = 240) -> Ran:
    """Run the command line to its end, warm."""
    done = warm.run(["-m", "semblance", *words], cwd=cwd, env=warm.environment(), timeout=timeout)
    return Ran(done.returncode, done.stdout, done.stderr)


def semblance_otherwise(*words: str | Path, cwd: Path | None = None, timeout: float = 240) -> Ran:
    """The same with another order of hashes: for runs that end in the same bytes, whatever that is."""
    done = warm.run(["-m", "semblance", *words], cwd=cwd, env=warm.environment(), timeout=timeout, other=True)
    return Ran(done.returncode, done.stdout, done.stderr)


def kill_in(stage: str, words: Sequence[str | Path], cwd: Path | None = None) -> None:
    """Run it with another order of hashes, and SIGKILL it as soon as the stage says that it has begun."""
    said = rf'"event": "started".*"name": "{stage}"'
    killed = warm.run(["-m", "semblance", *words], cwd=cwd, env=warm.environment(), other=True, until=said)
    assert (killed.returncode, bool(re.search(said, killed.stderr))) == (-signal.SIGKILL, True), killed.stderr


def semblance_alone(*words: str | Path, cwd: Path | None = None, timeout: float = 240, **kwargs: Any) -> Ran:
    """The same in an interpreter of its own, for what is asked of that."""
    done = subprocess.run(
        [sys.executable, "-m", "semblance", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=warm.environment(),
        timeout=timeout,
        **kwargs,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
