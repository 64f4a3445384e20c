"""What long recordings keep of a heart's rhythm: runs, bigeminy, trigeminy, episodes and variability by the minute.

`python bench/rhythms.py FOLDER` compares the recordings of a folder with as many again, thirty times over, drawn by the
rhythm that is learned of them. Beats alone are drawn, no waves.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import numpy as np

import semblance as sb
from semblance.core.rng import stream
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.generators.recorder import Recorder
from semblance.modalities.signal.habits import beats
from semblance.modalities.signal.rhythm import sound

TIMES, WINDOW, FEW = 30, 100, 20
PATTERNS = {"bigeminy": r"(?:NV){3,}", "trigeminy": r"(?:NNV){3,}"}
STEP, IRREGULAR = 0.05, 0.1
"""Seconds of pNN50, and the RMSSD over the mean interval from which on a minute counts as irregular."""


def told(kinds: np.ndarray, gaps: np.ndarray, ectopic: int) -> dict[str, float]:
    """The numbers of one recording; NaN for those that it cannot tell."""
    there, n = (kinds == ectopic).astype(int), max(len(kinds), 1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there, [0]])))
    runs, text = edges[1::2] - edges[::2], "".join("NV"[k] for k in there)
    made = {
        "single, of 1,000 beats": (runs == 1).sum() / n * 1e3,
        "couplets": (runs == 2).sum() / n * 1e3,
        "runs of three or more": (runs > 2).sum() / n * 1e3,
    }
    for name, pattern in PATTERNS.items():
        made[f"{name}, % of beats"] = sum(len(m.group()) for m in re.finditer(pattern, text)) / n * 100
    share = there[: n // WINDOW * WINDOW].reshape(-1, WINDOW).mean(1) if n >= WINDOW else np.zeros(1)
    usual = share.mean()
    made["windows differ, times coins"] = share.var() / (usual * (1 - usual) / WINDOW) if usual > 0.005 else np.nan
    rows = list(_minutes(kinds, gaps))
    pnn, rmssd = np.array(rows).T if rows else np.full((2, 1), np.nan)
    irregular = (rmssd > IRREGULAR).astype(int)
    return made | {
        "pNN50": pnn.mean(),
        "pNN50, deviation between minutes": pnn.std(),
        "irregular minutes, %": irregular.mean() * 100 if rows else np.nan,
        "turns to and from irregular": float(np.abs(np.diff(irregular)).sum()),
    }


def _minutes(kinds: np.ndarray, gaps: np.ndarray) -> Iterator[tuple[float, float]]:
    """pNN50 and relative RMSSD of each minute with enough normal beats in a row."""
    normal = sound(gaps) & (kinds == 0) & (np.roll(kinds, 1) == 0)
    both = normal & np.roll(normal, 1)
    both[:2] = False
    change, minute = np.abs(np.diff(gaps, prepend=np.nan)), np.nancumsum(gaps) // 60
    for one in range(int(minute.max(initial=0))):
        own = both & (minute == one)
        if own.sum() >= FEW:
            yield (change[own] > STEP).mean() * 100, np.sqrt(np.square(change[own]).mean()) / gaps[own].mean()


def main() -> None:
    """Print the mean and quartiles of each number, real and drawn."""
    train = sb.read(sys.argv[1], modality="signal").records
    recorder, _ = Recorder.fit(train, Floor(), rng=stream(0, "rhythms"))
    kinds, real, made = recorder.story.kinds, [], []
    ectopic = kinds.index("V")
    for one in train.recordings:
        own = beats(one, kinds)
        real.append(told(own.kinds, own.intervals, ectopic))
    for i in range(TIMES * len(train)):
        part = recorder.story.draw(recorder.cut, rng=stream(1, "rhythms", i))
        gaps = np.diff(part.at, prepend=np.nan) / recorder.cut.rate
        made.append(told(part.kinds, gaps, ectopic))
    for name in real[0]:
        cells = []
        for rows in (real, made):
            values = np.array([row[name] for row in rows])
            values = values[np.isfinite(values)]
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            cells.append(f"{values.mean():7.2f} ({low:.2f}, {middle:.2f}, {high:.2f})")
        print(f"{name:34s} real {cells[0]:32s} drawn {cells[1]}")


if __name__ == "__main__":
    main()
