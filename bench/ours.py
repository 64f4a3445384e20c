"""Our judges on three files, timed one by one: python -m bench.ours JOB.json

Reading the files is not timed, as for the peers. Encodings and neighbours are made once, by the first judge that needs
them, so its seconds hold them; the sum is what counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from bench.peers.judging import peak
from semblance import catalog
from semblance.app import stages
from semblance.core.dataset import Evidence
from semblance.core.judge import owed
from semblance.core.modality import Modality, ReadOptions, load
from semblance.evaluate import suites
from semblance.evaluate.run import evaluate


@dataclass
class Clock:
    """Seconds by what was done."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        begun = time.perf_counter()
        yield
        self.steps[name] = self.steps.get(name, 0.0) + time.perf_counter() - begun


def matching(manifest: Modality, findings: Sequence[str]) -> tuple[str, ...]:
    """The judges that owe a finding which one of the patterns names; all of them for '*'."""
    names = (*suites.metrics(manifest), *suites.attacks(manifest))
    return tuple(name for name in names if any(_owes(name, pattern) for pattern in findings))


def _owes(name: str, pattern: str) -> bool:
    return any(fnmatch(one, pattern) for one in owed(load(name), name=name))


def gathered(job: dict[str, Any], clock: Clock) -> Evidence[Any]:
    """The evidence as `semblance evaluate` builds it; the floor is part of the judgement and of its time."""
    manifest = catalog.modality("table")
    train, _ = load(manifest.read)((job["train"],), ReadOptions(job["subject"], job["target"]))
    holdout, synthetic = (load(manifest.like)((job[part],), train.schema) for part in ("holdout", "synthetic"))
    Path(job["out"]).with_suffix(".begun").touch()
    with clock.on("floor"):
        floor = stages.floor_of(manifest, train, seed=job["seed"], rare=5, rows=len(synthetic))
    return Evidence(train, holdout, synthetic, manifest, seed=job["seed"], floor=floor, tier=job["tier"])


def everything(evidence: Evidence[Any], clock: Clock) -> None:
    """The whole judgement; each judge is timed from when it is announced until the next one is."""
    begun, heard = time.perf_counter(), "before the first"

    def watch(name: str) -> None:
        nonlocal begun, heard
        now = time.perf_counter()
        clock.steps[heard], begun, heard = now - begun, now, name

    report = evaluate(evidence, watch=watch)
    watch("")
    crashed = [finding.metric for finding in report.findings if finding.status == "error"]
    if crashed:
        raise RuntimeError(f"judges crashed: {', '.join(crashed)}")


def some(evidence: Evidence[Any], names: Sequence[str], clock: Clock) -> None:
    """Only these judges."""
    for name in names:
        with clock.on(name):
            load(name)(evidence)


def main() -> None:
    """Read the job, judge, write the seconds."""
    job = json.loads(Path(sys.argv[1]).read_text())
    clock = Clock()
    evidence = gathered(job, clock)
    if job["findings"] == ["*"]:
        everything(evidence, clock)
    else:
        some(evidence, matching(evidence.modality, job["findings"]), clock)
    steps = {name.rpartition(":")[2]: seconds for name, seconds in clock.steps.items()}
    answer = {"seconds": sum(steps.values()), "peak": peak(), "steps": steps}
    Path(job["out"]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
