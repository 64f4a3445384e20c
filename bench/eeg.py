"""What the EEG of one subject keeps: the power of its bands in each lead and state, and the coherence of its leads.

`python -m bench.eeg [FILE]` learns UCI's EEG Eye State by the floor and by the default, and sets recordings drawn anew
beside the real one; what halves of the real windows differ by stands beside both. One subject: nothing follows for
others, and nothing for privacy.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.boards import DATA, ROOT
from bench.results import facts
from bench.watch import by_processor
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.signal.data import Pieces, Recordings, concat
from semblance.modalities.signal.generators.diffusion import Diffusion
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.generators.recorder import RecorderSpec
from semblance.modalities.signal.metrics.leads import BANDS, bands, coherent
from semblance.modalities.signal.metrics.spectrum import power
from semblance.modalities.signal.pieces import pieces
from semblance.modalities.signal.read import read

DECLARED = {"signal": {"rate": 128, "state": "eyeDetection", "spikes": "missing"}}
DRAWN, SLOWEST = 5, 1.0
"""Recordings that are drawn, and the Hz below which a lead drifts."""
NOTES = """\
UCI's EEG Eye State: 117 s of 14 leads of one subject, eyes open (0) and closed (1), without its four spikes, in windows
of two seconds. `halves` sets every other window beside the rest. Power is the drawn one over the real one, of the mean
window and of the median one, the geometric mean over leads and in brackets the least and the most of a lead; where the
mean is kept and the median is not, what comes seldom and large (blinks, below 4 Hz) is spread out. Coherence is that of
the report: the mean over pairs of leads, and the mean absolute difference of a pair from the real one.
"""


def band_power(some: Pieces) -> np.ndarray:
    """(n, leads, bands) power of each window, of a band that begins above the drift."""
    hertz, waves = np.fft.rfftfreq(some.waves.shape[2], 1 / some.rate)[1:], power(some)
    inside = [(hertz >= max(low, SLOWEST)) & (hertz < high) for low, high in BANDS.values()]
    return np.stack([waves[:, :, at].sum(2) for at in inside], 2)


def halves(real: Pieces) -> tuple[Pieces, Pieces]:
    """Every other window of each state, and the rest."""
    turn = np.zeros(len(real), dtype=bool)
    for state in np.unique(real.labels):
        turn[np.flatnonzero(real.labels == state)[::2]] = True
    return real.take(turn), real.take(~turn)


def powers(pairs: Mapping[str, tuple[Pieces, Pieces]]) -> Iterator[str]:
    """A line for each state and band: of drawn over real power the middle and the ends over leads."""
    yield f"| state, band | {' | '.join(f'{name}: mean | median' for name in pairs)} |"
    yield f"|---|{'---:|' * 2 * len(pairs)}"
    for state in sorted(set(next(iter(pairs.values()))[1].labels)):
        over = [ratios(made, real, state) for made, real in pairs.values()]
        for i, band in enumerate(BANDS):
            cells = [_ends(some[:, i]) for both in over for some in both]
            yield f"| {state}, {band} | {' | '.join(cells)} |"


def ratios(made: Pieces, real: Pieces, state: str) -> tuple[np.ndarray, np.ndarray]:
    """(leads, bands) drawn over real power of a state, of the mean window and of the median one."""
    ours, theirs = (band_power(some.take(some.labels == state)) for some in (made, real))
    return ours.mean(0) / theirs.mean(0), np.median(ours, 0) / np.median(theirs, 0)


def _ends(values: np.ndarray) -> str:
    return f"{np.exp(np.log(values).mean()):.2f} ({values.min():.2f} to {values.max():.2f})"


def leads(pairs: Mapping[str, tuple[Pieces, Pieces]]) -> Iterator[str]:
    """A line for each lead and state: drawn over real power of the median window, in each band by each of the pairs."""
    yield f"| lead, state | {' | '.join(BANDS)} |"
    yield f"|---|{'---:|' * len(BANDS)}"
    real = next(iter(pairs.values()))[1]
    over = {state: [ratios(*both, state)[1] for both in pairs.values()] for state in sorted(set(real.labels))}
    for j, lead in enumerate(real.leads):
        for state, each in over.items():
            cells = [", ".join(f"{one[j, i]:.2f}" for one in each) for i in range(len(BANDS))]
            yield f"| {lead.name}, {state} | {' | '.join(cells)} |"


def together(pairs: Mapping[str, tuple[Pieces, Pieces]], real: Pieces) -> Iterator[str]:
    """A line for each band: the mean coherence of the real leads and of those drawn, and how far pairs are apart."""
    yield f"| band | real | {' | '.join(f'{name} | apart' for name in pairs)} |"
    yield f"|---|---:|{'---:|' * 2 * len(pairs)}"
    every = coherent(real).mean((0, 1))
    found = {name: [coherent(some).mean(0) for some in both] for name, both in pairs.items()}
    for i, band in enumerate(bands(real)):
        cells = [f"{a[:, i].mean():.2f} | {np.abs(a - b)[:, i].mean():.3f}" for a, b in found.values()]
        yield f"| {band} | {every[i]:.2f} | {' | '.join(cells)} |"


def drawn(spec: RecorderSpec, train: Recordings, seconds: float) -> Recordings:
    """New recordings by a generator that learned for so many seconds of a processor."""
    plan = spec.plan(train, rng=stream(0, "plan"), time_budget=seconds)
    model = spec.fit(train, rng=stream(0, "fit"), plan=plan)
    return concat(list(model.sample(DRAWN, rng=stream(0, "sample"))))


def page(path: Path, specs: Sequence[RecorderSpec], seconds: float) -> str:
    """The whole page."""
    train, _ = read([path], ReadOptions(declared=DECLARED))
    real = pieces(train, train)
    real = real.take(np.isfinite(real.waves).all((1, 2)))
    made = {spec.card.name: (pieces(drawn(spec, train, seconds), train), real) for spec in specs}
    pairs = {"halves": halves(real), **made}
    budget = f"at most {seconds:g} s of a processor to learn"
    size = f"- {len(real)} real windows, {DRAWN} recordings drawn by each; {budget}"
    parts = ["# EEG of one subject", "", NOTES, *facts("eeg", [size]), "", "## Power", "", *powers(pairs), ""]
    parts += ["## Coherence", "", *together(pairs, real), "", "## Power of each lead", ""]
    return "\n".join([*parts, f"Of the median window: {', '.join(pairs)}.", "", *leads(pairs), ""])


def main() -> None:
    """Write the page, and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.eeg", description=__doc__)
    usual = DATA / "signals" / "eeg_eye_state" / "EEG_Eye_State.arff.gz"
    parser.add_argument("file", nargs="?", type=Path, default=usual, help="a recording with states")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a processor, to learn")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "eeg.md")
    args = parser.parse_args()
    by_processor()
    told = page(args.file, (Floor(), Diffusion()), args.seconds)
    args.out.write_text(told, encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
