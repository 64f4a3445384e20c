"""A generator of the catalogue alone in this process: python -m bench.alone JOB, the JSON that bench.contenders writes.

A job with an epsilon and a delta opens a ledger of its own beside its data. What it answers is what a peer answers
(bench/peers/exchange.py): records and seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from bench.contenders import read_table, write_table
from bench.peers.judging import peak
from semblance import catalog
from semblance.app import stages
from semblance.core.rng import stream


def main() -> None:
    """Read the job, learn, draw, write."""
    job = json.loads(Path(sys.argv[1]).read_text())
    out, seed, manifest = Path(job["out"]), job["seed"], catalog.modality("table")
    train = read_table(Path(job["train"]))
    spec: Any = manifest.generator(job["name"])()
    paid = {"ledger": ledger_of(job)} if "epsilon" in job else {}
    out.with_suffix(".begun").touch()
    begun, busy = time.perf_counter(), time.process_time()
    plan = spec.plan(train, rng=stream(seed, "plan"), time_budget=job["time_budget"])
    model = spec.fit(train, rng=stream(seed, "fit"), plan=plan, **paid)
    fitted, busy = time.perf_counter(), time.process_time() - busy
    chunks = model.sample(job["rows"], rng=stream(seed, "sample"))
    held: Any = stages.gather(manifest, chunks) if job["kept"] else deque(chunks, maxlen=0)
    done = time.perf_counter()
    answer = {"fit": fitted - begun, "sample": done - fitted, "peak": peak(), "cpu": busy}
    if job["kept"]:
        write_table(held, out)
    out.with_suffix(".json").write_text(json.dumps(answer))


def ledger_of(job: dict[str, Any]) -> Any:
    """An unspent ledger."""
    from semblance.privacy.ledger import Ledger

    return Ledger.open(Path(job["out"]).parent, cohort="bench", epsilon=job["epsilon"], delta=job["delta"])


if __name__ == "__main__":
    main()
