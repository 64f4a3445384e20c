"""Tables in which patients repeat: whether a patient's next record follows from the one before.

Records of a patient are ordered by the column with the role visit_time, else as they stand. Everything is compared over
steps from one record to the next, with blocks of patients as the jackknife's units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import wasserstein_distance

from semblance.core.dataset import Features, Part
from semblance.core.estimate import Estimate, wilson
from semblance.core.judge import Wording, measures, patients
from semblance.core.report import Finding
from semblance.modalities.table.metrics.places import coarse
from semblance.modalities.table.metrics.samples import Measured, Sample, estimates, leaving_out, samples

LEAST = 40  # patients with more than one record, on a side
BINS = 5
FIXED = 0.99  # share of train patients in whom a column never changes, from which it is an invariant
FAINT = 0.05  # correlation in holdout, up to which a column has none to keep
VARYING = 2  # distinct values below which there is nothing to keep
METRICS = (
    "fidelity.longitudinal.visits",
    "fidelity.longitudinal.correlation",
    "fidelity.longitudinal.transitions",
    "fidelity.longitudinal.gaps",
    "validity.invariants",
)
PARTS: tuple[Part, ...] = ("synthetic", "train", "holdout")
MADE: tuple[Part, ...] = ("synthetic", "train")


@dataclass(frozen=True)
class Steps:
    """The records of a part, and the rows of them before and after each step from a record to the patient's next."""

    sample: Sample
    features: Features
    before: np.ndarray
    after: np.ndarray

    @property
    def block(self) -> np.ndarray:
        """The jackknife's block of each step."""
        return self.sample.block[self.before]

    @property
    def who(self) -> np.ndarray:
        """The patient of each step."""
        return self.sample.table.subjects[self.before]


@measures(*METRICS)
def longitudinal(evidence: Measured) -> tuple[Finding, ...]:
    """Five findings about repeated records, synthetic against holdout; the control is train against holdout.

    - visits: Kolmogorov-Smirnov distance of the number of records per patient.
    - correlation: 1 less the mean absolute difference of the lag-1 correlation of each column, over its mean size in
      holdout: the share of visit-to-visit correlation that is kept (1 all; aim at .95). Categories enter as the
      indicator of their most frequent value.
    - transitions: mean total variation of the tables of each column's value before and after a step.
    - gaps: Wasserstein distance of the time between records, in units of its 5th to 95th percentile in train.
    - invariants: share of patients in whom a column changes that never changes in real ones.
    """
    if patients(evidence.train.subjects) == len(evidence.train):
        reason = "no patient has more than one record"
        return _finding.unmeasured(METRICS, status="not_applicable", reason=reason)
    if min(sample.patients for sample in samples(evidence).values()) < 2:
        reason = "an interval needs at least two patients on each side"
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    steps = {part: _steps(evidence, part) for part in PARTS}
    least = min(patients(one.who) for one in steps.values())
    visits = _finding("fidelity.longitudinal.visits", **estimates(evidence, _visits(evidence)))
    if least < LEAST:
        reason = f"fewer than {LEAST} patients with more than one record on a side"
        return (visits, *_finding.unmeasured(METRICS[1:], status="insufficient", reason=reason))
    return (visits, *_followed(evidence, steps))


def _steps(evidence: Measured, part: Part) -> Steps:
    sample = samples(evidence)[part]
    whole = evidence.features(part)
    coded = replace(whole, x=whole.x[sample.rows])
    time = coded.roles.get("visit_time")
    when = np.zeros(len(sample.table)) if time is None else np.nan_to_num(coded.x[:, time])
    order = np.lexsort((when, sample.table.subjects))
    same = sample.table.subjects[order][1:] == sample.table.subjects[order][:-1]
    return Steps(sample, coded, order[:-1][same], order[1:][same])


def _followed(evidence: Measured, steps: dict[Part, Steps]) -> tuple[Finding, ...]:
    return (_correlation(evidence, steps), _transitions(evidence, steps), _gaps(evidence, steps), _invariants(steps))


def _correlation(evidence: Measured, steps: dict[Part, Steps]) -> Finding:
    metric, held = "fidelity.longitudinal.correlation", _correlations(steps["holdout"])
    judged = np.isfinite(held).all(axis=1) & (np.abs(held[:, 0]) > FAINT)
    if not judged.any():
        return _finding(metric, status="not_applicable", reason="no column is correlated from record to record")
    kept = {part: _kept(_correlations(steps[part])[judged], held[judged]) for part in MADE}
    return _finding(metric, better="higher", **estimates(evidence, kept, within=(-np.inf, 1.0)))


def _kept(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(1 + blocks,) the share of correlation that is kept, from (columns, 1 + blocks)."""
    kept: np.ndarray = 1 - np.abs(np.nan_to_num(made) - held).sum(axis=0) / np.abs(held).sum(axis=0)
    return kept


def _visits(evidence: Measured) -> dict[Part, np.ndarray]:
    counts = {}
    for part in PARTS:
        sample = samples(evidence)[part]
        _, first, count = np.unique(sample.table.subjects, return_index=True, return_counts=True)
        counts[part] = count, sample.block[first], sample.blocks
    most = max(int(count.max()) for count, _, _ in counts.values()) + 1
    shares = {}
    for part, (count, block, blocks) in counts.items():
        table = np.bincount(block * most + count, minlength=blocks * most).reshape(blocks, most)
        shares[part] = _shares(leaving_out(table.T))
    return {part: np.abs(np.cumsum(shares[part] - shares["holdout"], axis=0)).max(axis=0) for part in MADE}


def _shares(count: np.ndarray) -> np.ndarray:
    """Shares over the first axis; none where nothing was counted."""
    shares: np.ndarray = count / np.maximum(count.sum(axis=0, keepdims=True), 1)
    return shares


def _correlations(steps: Steps) -> np.ndarray:
    """(columns, 1 + blocks) Pearson correlation of the values before and after a step, over steps that know both.

    Categories enter as the indicator of train's most frequent one.
    """
    x = steps.features.x
    x = np.where(steps.features.categorical & ~np.isnan(x), x == 0, x)
    a, b = x[steps.before].T, x[steps.after].T
    both = np.isfinite(a) & np.isfinite(b)
    known = np.maximum(both.sum(axis=1, keepdims=True), 1)
    centre = np.where(both, a, 0.0).sum(axis=1, keepdims=True) / known
    a, b = (np.where(both, v - centre, 0.0) for v in (a, b))
    n, sa, sb, saa, sbb, sab = (_summed(steps, v) for v in (both.astype(float), a, b, a * a, b * b, a * b))
    n = np.maximum(n, 1)
    spread = np.sqrt(np.maximum(saa / n - (sa / n) ** 2, 0) * np.maximum(sbb / n - (sb / n) ** 2, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.where(spread > 1e-12, (sab / n - sa * sb / n**2) / spread, np.nan)
    return found


def _summed(steps: Steps, values: np.ndarray) -> np.ndarray:
    """(columns, 1 + blocks) sums over all steps, then without each block, of (columns, steps) values."""
    sums = [np.bincount(steps.block, weights=row, minlength=steps.sample.blocks) for row in values]
    return leaving_out(np.stack(sums))


def _transitions(evidence: Measured, steps: dict[Part, Steps]) -> Finding:
    held = _tables(evidence, "holdout", steps["holdout"])
    moved = {}
    for part in MADE:
        made = _tables(evidence, part, steps[part])
        moved[part] = np.mean([np.abs(p - q).sum(axis=0) / 2 for p, q in zip(made, held, strict=True)], axis=0)
    return _finding("fidelity.longitudinal.transitions", **estimates(evidence, moved))


def _tables(evidence: Measured, part: Part, steps: Steps) -> list[np.ndarray]:
    """Per column, (cells, 1 + blocks) shares of its coarse value before by after a step."""
    coded, made = coarse(evidence, bins=BINS, top=BINS)[part], []
    for j, size in enumerate(coded.sizes.tolist()):
        cell = coded.codes[steps.before, j].astype(np.int64) * size + coded.codes[steps.after, j]
        count = np.bincount(steps.block * size**2 + cell, minlength=steps.sample.blocks * size**2)
        made.append(_shares(leaving_out(count.reshape(steps.sample.blocks, size**2).T)))
    return made


def _gaps(evidence: Measured, steps: dict[Part, Steps]) -> Finding:
    metric, position = "fidelity.longitudinal.gaps", steps["train"].features.roles.get("visit_time")
    if position is None:
        return _finding(metric, status="not_applicable", reason="no column has the role visit_time")
    gap = {part: _between(one, position) for part, one in steps.items()}
    if min(len(values) for values, _ in gap.values()) < LEAST:
        return _finding(metric, status="insufficient", reason=f"fewer than {LEAST} steps with known times on a side")
    low, high = np.quantile(gap["train"][0], [0.05, 0.95])
    scale, blocks = (high - low if high > low else 1.0), steps["holdout"].sample.blocks
    (held, held_block), made = gap["holdout"], {}
    for part in MADE:
        values, block = gap[part]
        pairs = [(values, held), *((values[block != k], held[held_block != k]) for k in range(blocks))]
        made[part] = np.array([wasserstein_distance(a, b) / scale if min(len(a), len(b)) else 0.0 for a, b in pairs])
    return _finding(metric, **estimates(evidence, made, within=(0.0, np.inf)))


def _between(steps: Steps, time: int) -> tuple[np.ndarray, np.ndarray]:
    """The time of each step where it is known, and the step's block."""
    when = steps.features.x[:, time]
    between = when[steps.after] - when[steps.before]
    known = np.isfinite(between)
    return between[known], steps.block[known]


def _invariants(steps: dict[Part, Steps]) -> Finding:
    metric = "validity.invariants"
    changed = {part: _changed(one) for part, one in steps.items()}
    fixed = changed["train"].mean(axis=0) <= 1 - FIXED
    fixed &= np.array([len(np.unique(c[~np.isnan(c)])) >= VARYING for c in steps["train"].features.x.T])
    if not fixed.any():
        return _finding(metric, status="not_applicable", reason="no column stays the same in nearly every patient")
    broken = {part: _share(np.any(changed[part][:, fixed], axis=1)) for part in ("synthetic", "holdout")}
    names = [name for name, stays in zip(steps["train"].features.names, fixed, strict=True) if stays]
    return _finding(metric, estimate=broken["synthetic"], control=broken["holdout"], detail={"columns": names})


def _changed(steps: Steps) -> np.ndarray:
    """(patients, columns) whether a known value of a column differs between two records of a patient."""
    a, b = steps.features.x[steps.before], steps.features.x[steps.after]
    differs = (a != b) & ~np.isnan(a) & ~np.isnan(b)
    who = np.unique(steps.who, return_inverse=True)[1]
    count = np.stack([np.bincount(who, weights=column) for column in differs.T], axis=1)
    return count > 0


def _share(hit: Any) -> Estimate:
    return wilson(int(hit.sum()), len(hit))


_TEXT = {
    "fidelity.longitudinal.visits": (
        "Records per patient",
        "Distance between the real and the synthetic number of records per patient (0 same, 1 nothing in common).",
    ),
    "fidelity.longitudinal.correlation": (
        "Visit-to-visit correlation",
        "Share of the correlation between a patient's consecutive records that is kept (1 all, 0 none).",
    ),
    "fidelity.longitudinal.transitions": (
        "Changes between visits",
        "Distance between real and synthetic changes from one record to the next (0 same, 1 nothing in common).",
    ),
    "fidelity.longitudinal.gaps": (
        "Time between visits",
        "Distance between the real and the synthetic time between records, in units of its usual spread (0 same).",
    ),
    "validity.invariants": (
        "Values that never change",
        "Share of synthetic patients in whom something changes that hardly ever does in real ones (0 none, 1 all).",
    ),
}

_finding = Wording(_TEXT)
