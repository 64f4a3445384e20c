"""Whether the records describe every group of patients as well as the others (k-marginals by group, after SDNist).

Of each group, joint tables of random pairs of columns are compared with those of the same group in holdout, once for
synthetic and once for real train records: what the synthetic ones lie farther is their own doing, whatever the size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import LEVEL, jackknife
from semblance.core.judge import measures, patient_blocks, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fairness.groups import UNGROUPED, Groups, groups, row
from semblance.evaluate.fidelity.samples import who

RECORDS = {"fast": 5_000, "standard": 20_000, "audit": 200_000}
PAIRS = {"fast": 40, "standard": 100, "audit": 300}
BLOCKS = 20
BINS, TOP = 4, 4
CODES = TOP + 2  # of a column: bins or top categories, all others, missing


@measures("fairness.subgroup_fidelity")
def subgroup_fidelity(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """The group that is described worst: total variation from holdout, averaged over random pairs of columns.

    Numbers in 4 bins of train quantiles, categories as the 4 most frequent, missing as a code. The worst group is the
    one whose excess over real train records has the highest lower end, at a level that holds for all groups together
    (Bonferroni), so that a small group is not the worst by luck. Value: its synthetic distance; control: its real one.
    """
    found = groups(evidence)
    if not found:
        return (_finding(status="not_applicable", reason=UNGROUPED),)
    if len(evidence.train.schema.learned) < 2:
        return (_finding(status="not_applicable", reason="a pair needs two learned columns"),)
    real = min(patients(p.subjects) for p in (evidence.train, evidence.holdout))
    if min(real, len(evidence.synthetic)) < 2 * BLOCKS:
        reason = f"fewer than {2 * BLOCKS} patients, or synthetic records, on a side"
        return (_finding(status="insufficient", reason=reason),)
    level = 1 - (1 - LEVEL) / sum(len(one.groups) for one in found)
    worst = sorted((one for each in found for one in _rows(evidence, each, level)), key=lambda one: -one["excess"].low)
    told = [row(one["group"], one["made"], one["real"].value, patients=one["patients"]) for one in worst]
    detail = {"groups": told, "merged": [name for one in found for name in one.merged]}
    first = worst[0]
    return (_finding(estimate=first["made"], control=first["real"], detail=detail),)


def _rows(evidence: Evidence[Any], one: Groups, level: float) -> list[dict[str, Any]]:
    """Per group: its synthetic distance, its real one, and their difference."""
    tables = {part: _tables(evidence, part, one) for part in ("synthetic", "train", "holdout")}
    made, real = (_distances(tables[part], tables["holdout"]) for part in ("synthetic", "train"))
    rows = []
    for g, group in enumerate(one.groups):
        n = patients(evidence.train.subjects[group.members["train"]])
        held = patients(evidence.holdout.subjects[group.members["holdout"]])
        values = {"made": made[:, g], "real": real[:, g], "excess": made[:, g] - real[:, g]}
        within = {"made": (0.0, 1.0), "real": (0.0, 1.0), "excess": (-1.0, 1.0)}
        numbers = {
            k: jackknife(float(v[0]), v[1:], n=min(n, held), within=within[k], level=level) for k, v in values.items()
        }
        rows.append({"group": group.name, "patients": n, **numbers})
    return rows


def _tables(evidence: Evidence[Any], part: Part, one: Groups) -> np.ndarray:
    """(1 + blocks, groups, pairs, cells) shares: of everything, then without each block of patients."""
    rows, block, code = _coded(evidence, part)
    group = np.full(len(rows), -1)
    for g, members in enumerate(one.groups):
        group[members.members[part][rows]] = g
    kept = group >= 0
    slot = group[kept] * BLOCKS + block[kept]
    size = len(one.groups) * BLOCKS * CODES**2
    made = []
    for a, b in _pairs(evidence):
        cell = (slot * CODES + code[kept, a]) * CODES + code[kept, b]
        made.append(np.bincount(cell, minlength=size).reshape(len(one.groups), BLOCKS, CODES**2))
    count = np.stack(made, axis=2).astype(float)
    whole = count.sum(axis=1, keepdims=True)
    left = np.moveaxis(np.concatenate([whole, whole - count], axis=1), 1, 0)
    shares: np.ndarray = left / np.maximum(left.sum(axis=-1, keepdims=True), 1)
    return shares


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(1 + blocks, groups) total variation, averaged over the pairs; 1 where a side has no record of the group."""
    gap = np.abs(a - b).sum(axis=-1) / 2
    empty = (a.sum(axis=-1) == 0) | (b.sum(axis=-1) == 0)
    distance: np.ndarray = np.where(empty, 1.0, gap).mean(axis=-1)
    return distance


def _pairs(evidence: Evidence[Any]) -> np.ndarray:
    """(pairs, 2) a random choice of pairs of columns."""

    def draw() -> np.ndarray:
        every = np.stack(np.triu_indices(len(evidence.features("train").names), k=1), axis=1)
        rng = stream(evidence.seed, "subgroups", "pairs")
        return every[np.sort(rng.permutation(len(every))[: PAIRS[evidence.tier]])]

    return evidence.once("subgroup pairs", draw)


def _coded(evidence: Evidence[Any], part: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a part, their jackknife blocks, and their (n, d) coarse codes on train."""

    def make() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = stream(evidence.seed, "subgroups", part)
        size = min(RECORDS[evidence.tier], len(evidence.train), len(evidence.synthetic))
        subjects = getattr(evidence, part).subjects
        rows = patient_rows(subjects, size, rng=rng)
        block = patient_blocks(who(evidence, part, rows), BLOCKS, rng=rng)
        known, x = evidence.features("train"), evidence.features(part).x[rows]
        codes = [_coarse(x[:, j], known.x[:, j], bool(known.categorical[j])) for j in range(x.shape[1])]
        return rows, block, np.stack(codes, axis=1)

    return evidence.once(("subgroup codes", part), make)


def _coarse(x: np.ndarray, known: np.ndarray, categorical: bool) -> np.ndarray:
    if categorical:
        code = np.minimum(np.nan_to_num(x, nan=0), TOP)
    else:
        held = known[np.isfinite(known)]
        cuts = np.unique(np.quantile(held, np.arange(1, BINS) / BINS)) if len(held) else np.empty(0)
        code = np.searchsorted(cuts, x, side="left")
    return np.where(np.isnan(x), TOP + 1, code).astype(np.int64)


def _finding(**fields: Any) -> Finding:
    return Finding(
        "fairness.subgroup_fidelity",
        "Worst described group",
        "fairness",
        meaning="How far the records of the group that is described worst lie from real ones of that group (0 same, 1 "
        "nothing in common).",
        **fields,
    )
