"""Runs a command and watches over its time and memory, so that one that needs too much is told and not waited for."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

GIB = 2**30
EVERY = 0.1  # seconds between two looks
NO_MEMORY = ("MemoryError", "Unable to allocate", "bad_alloc", "allocate memory", "out of memory")

Outcome = Literal["finished", "ran out of memory", "not finished", "failed"]


@dataclass(frozen=True)
class Limits:
    """The most seconds and GiB that a command may take."""

    seconds: float
    memory: float


@dataclass(frozen=True)
class Watched:
    """How a command ended, its seconds and its peak memory (GiB, it and its workers together); the last words of one
    that failed, and the seconds that processors were busy with it."""

    outcome: Outcome
    seconds: float
    peak: float
    said: str = ""
    cpu: float = 0.0


def by_processor() -> None:
    """From now on budgets are seconds of this process's processors: one that shares its machine learns no less."""
    setattr(time, "monotonic", time.process_time)  # noqa: B010 mypy takes no assignment to a module's function


def watched(command: Sequence[str | Path], *, limits: Limits, folder: Path) -> Watched:
    """Run a command in `folder` until it ends or passes a limit; then it is ended with all its workers."""
    with tempfile.TemporaryFile("w+") as errors:
        begun, peak, busy = time.perf_counter(), 0.0, 0.0
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
        outcome: Outcome | None = None
        while process.poll() is None and outcome is None:
            time.sleep(EVERY)
            resident, spent = _used(process.pid)
            peak, busy = max(peak, resident), max(busy, spent)
            outcome = _passed(time.perf_counter() - begun, peak, limits)
        if outcome is not None:
            _end(process.pid)
        code, seconds = process.wait(), time.perf_counter() - begun
        errors.seek(0)
        said = errors.read().strip()
    last = said.splitlines()[-1] if said and code else ""
    return Watched(outcome or _ended(code, said), seconds, peak, last, busy)


def _passed(seconds: float, peak: float, limits: Limits) -> Outcome | None:
    if peak > limits.memory:
        return "ran out of memory"
    return "not finished" if seconds > limits.seconds else None


def _ended(code: int, said: str) -> Outcome:
    """What an exit code means; the system ends a process that takes too much memory with signal 9."""
    if code == 0:
        return "finished"
    return "ran out of memory" if code == -9 or any(words in said for words in NO_MEMORY) else "failed"


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _used(pid: int) -> tuple[float, float]:
    """GiB and seconds of processors, of a process and its workers together."""
    resident, busy = 0, 0.0
    for process in _family(pid):
        try:
            resident += process.memory_info().rss
            busy += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return resident / GIB, busy


def _end(pid: int) -> None:
    for process in reversed(_family(pid)):
        try:
            process.kill()
        except psutil.Error:
            continue
