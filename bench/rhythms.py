"""What long recordings keep of a heart's rhythm: runs, bigeminy, trigeminy, episodes and variability by the minute.

`python -m bench.rhythms [FOLDER]` compares the recordings of a folder with as many again, thirty times over, drawn by
the rhythm that is learned of them. Beats alone are drawn, no waves.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import semblance as sb
from bench.boards import DATA, ROOT
from bench.results import facts
from semblance.core.rng import stream
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.generators.recorder import Recorder
from semblance.modalities.signal.habits import beats
from semblance.modalities.signal.rhythm import sound

TIMES, WINDOW, FEW = 30, 100, 20
PATTERNS = {"bigeminy": r"(?:NV){3,}", "trigeminy": r"(?:NNV){3,}"}
NOTES = """\
Half an hour each of real recordings of the MIT-BIH Arrhythmia Database, and drawn ones of the rhythm that was learned
of them: mean and quartiles over recordings. Ectopic beats are those of class V; pNN50 is of minutes with 20 pairs of
normal intervals or more, and a minute is irregular where RMSSD is a tenth of the mean interval or more (atrial
fibrillation). Some means stand on a few recordings: two have most beats of long runs, and two most irregular minutes.
"""
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


def table(real: Sequence[dict[str, float]], drawn: Sequence[dict[str, float]]) -> list[str]:
    """A line for each number: means and quartiles of both, and their ratios."""
    lines = ["| of a recording | real: mean | quartiles | drawn: mean | quartiles | mean, drawn / real | median |"]
    lines.append(f"|---|{'---:|' * 6}")
    for name in real[0]:
        cells, means, medians = [], [], []
        for rows in (real, drawn):
            values = np.array([row[name] for row in rows])
            low, middle, high = np.quantile(values[np.isfinite(values)], [0.25, 0.5, 0.75])
            means.append(float(values[np.isfinite(values)].mean()))
            medians.append(float(middle))
            cells += [f"{means[-1]:.2f}", f"{low:.2f}, {middle:.2f}, {high:.2f}"]
        ratios = [f"{b / a:.2f}" if a > 0 else "" for a, b in (means, medians)]
        lines.append(f"| {name} | {' | '.join([*cells, *ratios])} |")
    return lines


def main() -> None:
    """Write the page, and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.rhythms", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA / "signals" / "mitbih", help="recordings")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "rhythms.md")
    args = parser.parse_args()
    train = sb.read(args.folder, modality="signal").records
    recorder, _ = Recorder.fit(train, Floor(), rng=stream(0, "rhythms"))
    kinds, made = recorder.story.kinds, []
    ectopic = kinds.index("V")
    own = [beats(one, kinds) for one in train.recordings]
    real = [told(one.kinds, one.intervals, ectopic) for one in own]
    for i in range(TIMES * len(train)):
        part = recorder.story.draw(recorder.cut, rng=stream(1, "rhythms", i))
        gaps = np.diff(part.at, prepend=np.nan) / recorder.cut.rate
        made.append(told(part.kinds, gaps, ectopic))
    size = f"- {len(real)} recordings, {len(made)} drawn"
    page = "\n".join(["# Rhythms of long recordings", "", NOTES, *facts("rhythms", [size]), "", *table(real, made), ""])
    args.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
