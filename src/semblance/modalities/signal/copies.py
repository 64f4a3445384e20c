"""Copies of waves, shifted or not: synthetic pieces that resemble a training recording more than its beats each other.

Two beats of one patient are alike, so likeness proves nothing. But noise never repeats: what resembles a real beat more
than nearly all beats of unseen patients resemble another beat of the same recording was taken from there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.metrics.samples import spread
from semblance.modalities.signal.strips import Strips, middles, nearest, strips

COPIES, UNIQUE = "privacy.copies", "privacy.unique_copies"
PIECES = {"fast": 150, "standard": 200, "audit": 4_000}  # of each part that are looked for
LEAST = 20
ALL_UNIQUE = "noise never repeats, so that every copy of a wave is of one patient's alone: see the copies of waves"
USUAL = 0.99  # share of holdout pieces that count as no copies of each other


@measures(COPIES, UNIQUE)
def copies(evidence: Evidence[Pieces]) -> tuple[Finding, ...]:
    """Share of synthetic pieces that resemble a place of a train recording more than 99 % of holdout pieces resemble
    any other place of holdout, less the 1 % that do so by chance; 0 is none, near 1 says that every piece is a copy.

    Likeness is the largest normalised cross-correlation over all shifts, against every strip of successive train beats:
    a copy is found though it was cut elsewhere, or made larger or smaller. The middle three quarters of each wave are
    looked for. Control: train pieces against other places of
    train. Interval by patient, never narrower than the rule
    of three (Hanley and Lippman-Hand 1983). No wave is like another patient's, so that no copies but unique ones count.
    """
    parts = evidence.train, evidence.holdout, evidence.synthetic
    if min(map(len, parts)) < LEAST or min(patients(part.subjects) for part in parts[:2]) < 2:
        reason = f"fewer than {LEAST} pieces or two patients in a part"
        return _finding.unmeasured((COPIES, UNIQUE), status="insufficient", reason=reason)
    scale = _spread(evidence.train)
    within = {part: _among(evidence, part, scale) for part in ("train", "holdout")}
    limit = float(np.quantile(within["holdout"][0], USUAL, method="higher"))
    likeness, who = _against(evidence, strips(evidence.train, scale), scale)
    detail = {"limit": limit, "likeness": _told(likeness), "likeness_in_holdout": _told(within["holdout"][0])}
    estimate, control = _share(likeness, who, limit), _share(*within["train"], limit)
    found = _finding(COPIES, estimate=estimate, control=control, detail=detail)
    return (found, *_finding.unmeasured((UNIQUE,), status="not_applicable", reason=ALL_UNIQUE))


def _spread(pieces: Pieces) -> np.ndarray:
    """(leads,) the standard deviation of each lead, around the mean of each wave."""
    waves = pieces.waves[:: max(len(pieces) // 2_000, 1)]
    moved = (
        waves
        - np.nan_to_num(np.nanmean(np.where(np.isnan(waves).all(axis=2, keepdims=True), 0, waves), axis=2))[:, :, None]
    )
    made = np.sqrt(np.nanmean(moved.astype(float) ** 2, axis=(0, 2)))
    return np.where(np.isfinite(made) & (made > 0), made, 1.0)


def _rows(evidence: Evidence[Pieces], part: str) -> np.ndarray:
    pieces = getattr(evidence, part)
    return spread(pieces.source, PIECES[evidence.tier], rng=stream(evidence.seed, "copies", part))


def _among(evidence: Evidence[Pieces], part: str, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The likeness of real pieces to other places of their part, and their patients."""
    rows, where = _rows(evidence, part), strips(getattr(evidence, part), scale)
    some: Pieces = getattr(evidence, part).take(rows)
    own = where.starts[rows] + (where.width - where.asked) // 2
    return nearest(middles(some, scale, where), where, own=own), some.subjects


def _against(evidence: Evidence[Pieces], where: Strips, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The likeness of synthetic pieces to train, and their patients; pieces of one patient stand for themselves."""
    some = evidence.synthetic.take(_rows(evidence, "synthetic"))
    who = some.subjects if patients(some.subjects) > 1 else np.arange(len(some))
    return nearest(middles(some, scale, where), where), who


def _share(likeness: np.ndarray, who: np.ndarray, limit: float) -> Estimate:
    found = mean(likeness > limit, clusters=who)
    half = max(found.high - found.value, 3 / len(likeness))
    chance, low, high = 1 - USUAL, max(found.value - half, 0.0), min(found.value + half, 1.0)
    return replace(found, value=found.value - chance, low=low - chance, high=high - chance)


def _told(likeness: np.ndarray) -> dict[str, float]:
    low, middle, high = np.quantile(likeness, [0.05, 0.5, 0.95])
    return {"q05": round(float(low), 5), "median": round(float(middle), 5), "q95": round(float(high), 5)}


_finding = Wording(
    {
        COPIES: (
            "Copies of waves",
            "Share of synthetic pieces that repeat a piece of a training recording, shifted or not, more closely than "
            "real beats resemble each other, beyond chance (0: none; 1: all are copies).",
        ),
        UNIQUE: ("Copies that one patient alone has", "Of waves these are all copies."),
    }
)
