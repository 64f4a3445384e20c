"""A generator of recordings alone in this process: python -m bench.recorded JOB, the JSON that bench.signals writes.

It learns recordings, draws as many new ones (and again MORE times, to see what a draw is worth), draws every beat that
it learned once more at its conditions, and as many recordings in which each kind of beat is as frequent as the others.
Beats go from process to process as arrays: waves (n, leads, samples), label, the intervals before and after, source.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.beats import CLASSES, SCHEMA, Made, plain
from bench.peers.judging import peak
from bench.watch import by_processor
from semblance import catalog
from semblance.core.modality import ReadOptions
from semblance.core.model import BALANCED, Wanted
from semblance.core.rng import stream
from semblance.modalities.signal.data import AFTER, BEFORE, Pieces, concat
from semblance.modalities.signal.pieces import BEAT, pieces
from semblance.modalities.signal.read import read

NEW, AGAIN, EVEN = "new.npz", "again.npz", "even.npz"
MORE = 2
"""Further draws of new recordings."""


def main() -> None:
    """Read the job, learn, draw, write."""
    by_processor()
    job = json.loads(Path(sys.argv[1]).read_text())
    out, seed = Path(job["out"]), job["seed"]
    train, _ = read(job["recordings"], ReadOptions())
    spec: Any = catalog.modality("signal").generator(job["name"])()
    out.with_suffix(".begun").touch()
    times = [_now()]
    plan = spec.plan(train, rng=stream(seed, "plan"), time_budget=job["time_budget"])
    model = spec.fit(train, rng=stream(seed, "fit"), plan=plan)
    times.append(_now())
    drawn = concat(list(model.sample(len(train), rng=stream(seed, "sample"))))
    beats = sum(len(one.beats) for one in drawn.recordings)
    times.append(_now())
    save(plain(pieces(drawn, train)), out.parent / NEW)
    for i in range(MORE):
        further = concat(list(model.sample(len(train), rng=stream(seed, "sample", i))))
        save(plain(pieces(further, train)), out.parent / _further(i))
    if spec.card.conditional:
        even = Wanted(quota={BEAT: BALANCED})
        more = concat(list(model.sample(len(train), rng=stream(seed, "even"), wanted=even)))
        save(plain(pieces(more, train)), out.parent / EVEN)
    save(plain(model.again(train, rng=stream(seed, "again"))), out.parent / AGAIN)
    (fit, cpu), (sample, busy) = np.diff(times, axis=0).tolist()
    answer = {"fit": fit, "cpu": cpu, "sample": sample, "sample_cpu": busy, "beats": beats, "peak": peak()}
    out.with_suffix(".json").write_text(json.dumps(answer))


def _further(i: int) -> str:
    return f"new{i}.npz"


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def save(beats: Pieces, path: Path) -> None:
    """The arrays of beats."""
    before, after = (beats.frame[name].to_numpy(dtype=float) for name in (BEFORE, AFTER))
    label = beats.labels.astype("U")
    np.savez(path, waves=beats.waves, label=label, before=before, after=after, source=beats.source)


def made(folder: Path, train: Pieces) -> Made:
    """What lies in a contender's folder; where there is one set only, it is all."""
    new = opened(folder / NEW, train)
    others = (opened(folder / name, train) if (folder / name).exists() else new for name in (AGAIN, EVEN))
    paths = (folder / _further(i) for i in range(MORE))
    return Made(new, *others, more=tuple(opened(path, train) for path in paths if path.exists()))


def opened(path: Path, train: Pieces) -> Pieces:
    """The beats of a file, of the leads and the rate of train. Raises ValueError for what are no such beats."""
    with np.load(path, allow_pickle=False) as held:
        arrays = dict(held)
    waves, n = arrays["waves"].astype(np.float32), len(arrays["label"])
    if waves.shape != (n, *train.waves.shape[1:]) or not np.isfinite(waves).all():
        raise ValueError(f"waves {waves.shape} are not {n} beats like {train.waves.shape[1:]}, all finite")
    label = pd.Categorical(arrays["label"], CLASSES)
    frame = pd.DataFrame({BEAT: label, BEFORE: arrays["before"], AFTER: arrays["after"]})
    source = arrays.get("source", np.arange(n))
    known = source if "source" in arrays else np.zeros(n, dtype=np.int64)
    return Pieces(SCHEMA, frame, waves, train.rate, train.leads, source, known)


if __name__ == "__main__":
    main()
