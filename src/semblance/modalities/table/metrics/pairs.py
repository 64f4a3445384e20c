"""Columns together: how far the joint tables of two and of three columns lie from the real ones."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.table.metrics.columns import shared, total_variation
from semblance.modalities.table.metrics.joint import Joint, joint
from semblance.modalities.table.metrics.places import coarse
from semblance.modalities.table.metrics.samples import Measured, compared, estimates, leaving_out, samples, too_few

WORST = 20
DRAWN = 64
TRIPLES = {"fast": 200, "standard": 500, "audit": 2000}
BINS, TOP = 4, 4
CODES = TOP + 2  # bins or names, all others, missing


@measures("fidelity.pairs")
def pairs(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over all pairs of columns of the total variation between their joint tables, synthetic against holdout.

    Numbers in 10 bins of train quantiles, categories as the 50 most frequent of train and one code for all others,
    missing as a code of its own (as mostlyai-qa, arXiv 2504.01908). Tables of more than 1,500 codes are judged on a
    random choice of columns, which the detail names.
    """
    if len(evidence.train.schema.learned) < 2:
        return (_pairs(status="not_applicable", reason="a pair needs two learned columns"),)
    if reason := too_few(evidence):
        return (_pairs(status="insufficient", reason=reason),)
    made = joint(evidence)
    above = np.triu_indices(len(made.chosen), k=1)
    averaged = {part: gap[:, *above].mean(axis=1) for part, gap in made.distance.items()}
    return (_pairs(**estimates(evidence, averaged), detail=_detail(evidence, made)),)


def _pairs(**fields: Any) -> Finding:
    meaning = "Mean distance between a synthetic and a real joint table of two columns (0 same, 1 disjoint)."
    return Finding("fidelity.pairs", "Pairs of columns", "fidelity", meaning=meaning, **fields)


def _detail(evidence: Measured, made: Joint) -> dict[str, Any]:
    names = [evidence.train.schema.learned[j].name for j in made.chosen]
    gap, real = made.distance["synthetic"][0], made.distance["train"][0]
    detail = {"pairs": math.comb(len(names), 2), "columns": names, "worst": worst_pairs(names, gap, real)}
    if len(names) <= DRAWN:
        detail["matrix"] = np.round(gap.astype(float), 4).tolist()
    return detail


def worst_pairs(names: list[str], gap: np.ndarray, real: np.ndarray) -> list[dict[str, Any]]:
    """The pairs of columns with the largest gap, and the same gap of real records."""
    above = np.stack(np.triu_indices(len(names), k=1), axis=1)
    worst = sorted(above.tolist(), key=lambda ij: -gap[ij[0], ij[1]])[:WORST]
    return [{"a": names[i], "b": names[j], "value": float(gap[i, j]), "control": float(real[i, j])} for i, j in worst]


@measures("fidelity.triples")
def triples(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over random triples of columns of the total variation between their joint tables, synthetic against holdout.

    At most TRIPLES of the tier. Numbers in quarters of train, categories as train's top 4 and one code for all others,
    missing as a code: 216 cells at most, so that a table is not all noise.
    """
    columns = evidence.train.schema.learned
    if len(columns) < 3:
        return (_triples(status="not_applicable", reason="a triple needs three learned columns"),)
    if reason := too_few(evidence):
        return (_triples(status="insufficient", reason=reason),)
    chosen = _chosen(len(columns), TRIPLES[evidence.tier], rng=stream(evidence.seed, "triples"))
    made = _triple_distances(evidence, chosen)
    averaged = {part: gap.mean(axis=0) for part, gap in made.items()}
    order = np.argsort(-made["synthetic"][:, 0], kind="stable")[:WORST]
    worst = [
        {
            "columns": [columns[j].name for j in chosen[i]],
            "value": float(made["synthetic"][i, 0]),
            "control": float(made["train"][i, 0]),
        }
        for i in order
    ]
    return (_triples(**estimates(evidence, averaged), detail={"triples": len(chosen), "worst": worst}),)


def _triples(**fields: Any) -> Finding:
    meaning = "Mean distance between a synthetic and a real joint table of three columns (0 same, 1 disjoint)."
    return Finding("fidelity.triples", "Triples of columns", "fidelity", meaning=meaning, **fields)


def _chosen(columns: int, most: int, *, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """All triples of columns, or `most` different ones at random."""
    if math.comb(columns, 3) <= most:
        return list(combinations(range(columns), 3))
    chosen: set[tuple[int, ...]] = set()
    while len(chosen) < most:
        chosen.add(tuple(sorted(rng.choice(columns, 3, replace=False).tolist())))
    return sorted(chosen)


def _triple_distances(evidence: Measured, chosen: list[tuple[int, ...]]) -> dict[Part, np.ndarray]:
    """Per part, (triples, 1 + blocks) distances from holdout."""
    real = _triple_shares(evidence, "holdout", chosen)
    return {
        part: np.stack(
            [total_variation(p, q) for p, q in zip(_triple_shares(evidence, part, chosen), real, strict=True)]
        )
        for part in compared(evidence)
    }


def _triple_shares(evidence: Measured, part: Part, chosen: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Per triple, (cells, 1 + blocks) shares of its joint table."""
    sample, grid = samples(evidence)[part], coarse(evidence, bins=BINS, top=TOP)[part]
    codes = grid.codes.astype(np.int32, order="F")
    # Every digit of a cell's number is ready before the loop, so that a table costs two sums and one count.
    high, middle, low = codes * CODES**2, codes * CODES, codes + (sample.block * CODES**3).astype(np.int32)[:, None]
    size = (sample.blocks, CODES**3)
    tables = (np.bincount(high[:, a] + middle[:, b] + low[:, c], minlength=size[0] * size[1]) for a, b, c in chosen)
    return [shared(leaving_out(table.reshape(size).T)) for table in tables]
