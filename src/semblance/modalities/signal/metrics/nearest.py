"""Do synthetic pieces lie nearer to the training patients than unseen patients do, when time may stretch?"""

from __future__ import annotations

import numpy as np

from semblance.core.estimate import Estimate, auc
from semblance.core.judge import Wording, measures, patient_blocks, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.embed import Basis, of_reference
from semblance.modalities.signal.metrics.samples import Measured, spread

METRIC = "privacy.signal_nearest"
PIECES = {"fast": 100, "standard": 300, "audit": 2_000}  # of each part
LEAST = 20
LIKELY = 5  # neighbours in the plain distance among which the warped one is looked for
SAMPLES = 64  # of a piece, under means of neighbouring ones
BAND = 4  # of these, by which time may be moved (Sakoe and Chiba 1978)


@measures(METRIC)
def nearest(evidence: Measured) -> tuple[Finding, ...]:
    """The chance that a synthetic piece is nearer to the train pieces than a holdout piece is; .5 is best, 1 the worst.

    The distance is that of dynamic time warping in a band of 6 % of a piece, all leads warped together, to the nearest
    of the five train pieces that are nearest without warping. Below .5, synthetic pieces are farther away than real
    ones. DeLong's interval by patient. Control: one half of the train patients in place of the synthetic set, the other
    half as train.
    """
    parts = evidence.train, evidence.holdout, evidence.synthetic
    if min(map(len, parts)) < 2 * LEAST or min(patients(part.subjects) for part in parts[:2]) < 2:
        return (
            _finding(METRIC, status="insufficient", reason=f"fewer than {2 * LEAST} pieces or two patients in a part"),
        )
    axes = of_reference(evidence.train)
    half = patient_blocks(evidence.train.subjects, 2, rng=stream(evidence.seed, "nearest", "halves")) == 0
    first, second = evidence.train.take(half), evidence.train.take(~half)
    made, real = _chance(evidence, axes, evidence.synthetic, evidence.train), _chance(evidence, axes, first, second)
    return (_finding(METRIC, estimate=made, control=real, detail={"samples": SAMPLES, "band": BAND}),)


def _chance(evidence: Measured, axes: Basis, made: Pieces, train: Pieces) -> Estimate:
    """How likely a piece of `made` is nearer to `train` than one of holdout."""
    sides = []
    for name, pieces in (("made", made), ("holdout", evidence.holdout)):
        rows = spread(pieces.source, PIECES[evidence.tier], rng=stream(evidence.seed, "nearest", name))
        some = pieces.take(rows)
        sides.append((-to_nearest(some, train, axes), some.subjects))
    (near, who), (usual, whose) = sides
    who = who if patients(who) > 1 else np.arange(len(who))
    return auc(near, usual, positive_clusters=who, negative_clusters=whose)


def to_nearest(pieces: Pieces, train: Pieces, axes: Basis) -> np.ndarray:
    """(n,) the warped distance of each piece to the nearest train piece."""
    mine, theirs = axes.of(pieces.waves), axes.of(train.waves)
    gap = (theirs**2).sum(axis=1) - 2 * mine @ theirs.T
    likely = np.argpartition(gap, min(LIKELY, len(train)) - 1, axis=1)[:, :LIKELY]
    a, b = (_short(some.waves, axes.spread) for some in (pieces, train))
    near = [warped(a, b[column]) for column in likely.T]
    found: np.ndarray = np.min(near, axis=0)
    return found


def _short(waves: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(n, leads, SAMPLES or fewer) means of neighbouring samples, each lead over its spread."""
    step = max(waves.shape[2] // SAMPLES, 1)
    cut = np.nan_to_num(waves[:, :, : waves.shape[2] // step * step] / scale[:, None])
    made: np.ndarray = cut.reshape(*cut.shape[:2], -1, step).mean(axis=3)
    return made


def warped(a: np.ndarray, b: np.ndarray, *, band: int = BAND) -> np.ndarray:
    """(n,) dynamic time warping distances of pairs of (n, leads, samples) waves within a band, all pairs at once.

    The root of the least sum of squared gaps along a path (Sakoe and Chiba 1978).
    """
    length = a.shape[2]
    before = np.full((length + 1, len(a)), np.inf)
    before[0] = 0.0
    for i in range(length):
        now = np.full_like(before, np.inf)
        low, high = max(i - band, 0), min(i + band + 1, length)
        cost = ((a[:, :, i, None] - b[:, :, low:high]) ** 2).sum(axis=1).T
        for j in range(low, high):
            now[j + 1] = cost[j - low] + np.minimum(np.minimum(before[j + 1], before[j]), now[j])
        before = now
    return np.sqrt(before[length])


_finding = Wording(
    {
        METRIC: (
            "Nearness to training waves",
            "How often a synthetic piece is nearer to a training piece than an unseen real one is (.5: as often as "
            "not; 1: always).",
        )
    },
    better="half",
)
