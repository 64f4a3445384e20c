"""RUN.work: what a run has finished so far, so that a killed run can be taken up and ends in the same bytes.

Every stage has a folder. `key.json` says for which inputs it was begun, `done.json` (written last) what came out. The
key of a stage hashes its own options and the key of the stage before it, so a changed option redoes all that follows.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semblance.app.events import Finished, Show, Started
from semblance.core.errors import DataError, IdentifierError, ResourceError, UsageError, reason
from semblance.core.files import write_json, write_text
from semblance.core.promise import MEASURED, MEASURED_SCHEMA

Make = Callable[[Path], Any]
KIND = "kind"
"""The file in RUN.work that names the command that began the run."""


def work_of(run: Path) -> Path:
    """The folder beside RUN that holds the state of a run in progress."""
    return run.with_name(run.name + ".work")


def open_work(run: Path, *, kind: str, resume: bool) -> Path:
    """Make RUN.work (mode 0700) for a command (`kind`), or find it again.

    Raises UsageError where something would be overwritten, and for a place that no folder can have.
    """
    try:
        return _open(run, kind=kind, resume=resume)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ENOENT, errno.EEXIST, errno.ENAMETOOLONG):
            raise
        raise UsageError.of(
            f"no folder can be made at the place of -o ({reason(error)})",
            rule="-o names a new folder inside a folder",
            fix="choose another -o folder",
        ) from error


def _open(run: Path, *, kind: str, resume: bool) -> Path:
    if run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise UsageError.of(
            f"'{run.name}' holds something", rule="nothing is ever overwritten", fix="choose another -o folder"
        )
    folder = work_of(run)
    _refuse_foreign(folder, kind)
    if folder.exists() and not resume:
        raise UsageError.of(
            f"'{folder.name}' holds an unfinished run",
            rule="it is taken up or removed, never overwritten",
            fix=f"add --resume, or remove '{folder.name}', or choose another -o folder",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    return folder


def _refuse_foreign(folder: Path, kind: str) -> None:
    """Raise UsageError where `folder` is the work of another command, or of a person."""
    marked = (folder / KIND).exists()
    held = {path.name for path in folder.iterdir()} if folder.exists() and not marked else set()
    begun = (folder / KIND).read_text() if marked else kind
    if begun == kind and not held - {"lock", f".{KIND}.part"}:
        return
    raise UsageError.of(
        f"'{folder.name}' holds " + (f"an unfinished run of `semblance {begun}`" if marked else "something else"),
        rule="unfinished work is taken up by the command that began it",
        fix=f"finish it with that command, or remove '{folder.name}', or choose another -o folder",
    )


@contextmanager
def working(run: Path, *, kind: str, resume: bool) -> Iterator[Path]:
    """RUN.work while a run is in progress. It stays after an interruption, and for every failure that can be resumed.

    A new run that is refused for its call, its data or its identifiers leaves nothing behind: there is nothing to keep.
    """
    folder = open_work(run, kind=kind, resume=resume)
    begun = any(folder.iterdir())
    try:
        with _alone(folder):
            write_text(folder / KIND, kind)
            yield folder
    except (UsageError, DataError, IdentifierError):
        if not begun and not measured(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except (MemoryError, RuntimeError) as error:
        if not _memory_ran_out(error):
            raise
        raise ResourceError.of(
            "memory ran out", rule="the data and the model must fit in memory", fix="give a smaller file or more memory"
        ) from error


def measured(folder: Path, *names: str) -> list[Path]:
    """The measurements of a run that a ledger has paid for: those of these names, or all."""
    return [path for name in names or (MEASURED, MEASURED_SCHEMA) for path in folder.glob(f"*/checkpoints/{name}")]


def _memory_ran_out(error: Exception) -> bool:
    """Torch tells a failed allocation as a RuntimeError, in words only."""
    words = ("allocate memory", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a run; the system lets go of it when the process ends, however it ends."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError.of(
                f"another process works in '{folder.name}'", rule="one process at a time", fix="wait until it ends"
            ) from None
        yield


def free_name(folder: Path, *, resume: bool = False) -> Path:
    """`folder`, or the first of folder-2, folder-3, ... that is not taken; with `resume`, the last unfinished one."""
    name, number, unfinished = folder, 1, None
    while name.exists() or work_of(name).exists():
        unfinished = name if work_of(name).exists() else unfinished
        number += 1
        name = folder.with_name(f"{folder.name}-{number}")
    return unfinished if resume and unfinished is not None else name


def publish(made: Path, run: Path) -> None:
    """Move a finished folder to RUN (mode 0700) in one step, then remove RUN.work."""
    os.chmod(made, 0o700)
    os.rename(made, run)
    shutil.rmtree(work_of(run))


def digest(*parts: Any) -> str:
    """The sha256 of parts as canonical JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass
class Stages:
    """Runs the stages of one run in order; `key` grows with each."""

    folder: Path
    show: Show
    total: int
    key: str
    index: int = 0
    rooms: dict[str, Path] = field(default_factory=dict)

    def run(self, name: str, make: Make, **inputs: Any) -> Any:
        """The result of stage `name`: made now, or kept from an earlier run with the same inputs.

        `make(room)` may write files into its room and returns plain JSON.
        """
        self.index += 1
        self.key = digest(self.key, name, inputs)
        room = self.rooms[name] = self.folder / f"{self.index:02d}-{name}"
        self.show(Started(name, self.index, self.total))
        began = time.perf_counter()
        kept = _kept(room / "done.json", self.key)
        if kept is None:
            _enter(room, self.key)
            write_json(room / "done.json", {"key": self.key, "result": make(room)})
        self.show(Finished(name, time.perf_counter() - began, kept is not None))
        return json.loads((room / "done.json").read_text())["result"]

    @property
    def now(self) -> str:
        """The stage that began last."""
        return next(reversed(self.rooms))

    def room(self, name: str) -> Path:
        """The folder of a stage that has begun."""
        return self.rooms[name]


def _kept(path: Path, key: str) -> Any:
    """What `path` holds, if it was made for `key`."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    return kept if kept["key"] == key else None


def _enter(room: Path, key: str) -> None:
    """An empty room, or the room as an interrupted run with the same key left it (checkpoints)."""
    if _kept(room / "key.json", key) is None:
        if any(kept.parents[1].name >= room.name for kept in measured(room.parent)):
            raise UsageError.of(
                "options, input, machine or version are not those that this run began with",
                rule="what was measured under differential privacy was paid for, and cannot be measured again",
                fix="resume with what it began with",
            )
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        write_json(room / "key.json", {"key": key})
