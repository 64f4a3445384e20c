"""A report with every kind of detail that a judge may hand over, and things planted in it that must never leave."""

from __future__ import annotations

import math
from typing import Any

from semblance.core.estimate import Estimate
from semblance.core.report import Finding, Report, Section

TINY = "race = tiny-group"
MERGED = "race = merged-group"
TERM = "planted-term"
EDGE = 98.7654
GRAPH = {"names": ["sex", "stage"], "edges": [[0, 1, 0.31]]}
SEEN = ("fidelity.shape", "fidelity.pairs")  # the plain report has them with their pictures


def estimate(value: float, half: float = 0.004, n: int = 5123) -> Estimate:
    return Estimate(value, value - half, value + half, n=n)


def attacks() -> dict[str, Any]:
    rates = [10 ** (-3.5 + 3.5 * i / 39) for i in range(40)]
    titles = {"nearest": "Nearest record", "density": "Density ratio", "ensemble": "Nearest-neighbour ensemble"}
    listed = [
        {
            "name": name,
            "title": title,
            "advantage": {"value": 0.01 * k, "low": 0.01 * k - 0.013, "high": 0.01 * k + 0.013},
            "curve": [[rate, min(rate ** (1 - 0.1 * k), 1.0)] for rate in rates],
        }
        for k, (name, title) in enumerate(titles.items(), start=1)
    ]
    counts = {"members": 3147, "outsiders": 3146}
    return {"attacks": listed, "chosen": ["ensemble"], **counts, "handed": estimate(0.98765).plain()}


def projection() -> dict[str, Any]:
    shares = [
        [i, j, math.exp(-((i - 8) ** 2 + (j - 8) ** 2) / 18) / 56, math.exp(-((i - 9) ** 2 + (j - 7) ** 2) / 16) / 50]
        for i in range(16)
        for j in range(16)
    ]
    cells = [[*one, int(one[2] * 6291)] for one in shares]
    edges = [-EDGE + i * EDGE / 8 for i in range(17)]
    return {"title": "First two principal components", "x": edges, "y": edges, "cells": cells}


def groups(scale: float) -> list[dict[str, Any]]:
    names = {"sex = F": 3211, "sex = M": 3080, "race = Asian": 213, TINY: 7, "age 60 to 69 and sex = F": 801}
    return [
        {"group": name, "patients": n, "value": v, "low": v - 0.01, "high": v + 0.0123, "control": v / 2}
        for i, (name, n) in enumerate(names.items())
        for v in [scale * (1 - 0.15 * i)]
    ]


def terms() -> list[dict[str, Any]]:
    return [
        {"name": name, "real": [b, b - 0.12345, b + 0.12345], "synthetic": [b * 0.8, b * 0.8 - 0.2, b * 0.8 + 0.2],
         "overlap": 0.8}
        for name, b in (("age", 0.43), ("creatinine", -0.21), (TERM, 1.3), ("sex = F", 0.02))
    ]  # fmt: skip


def secrets() -> dict[str, Any]:
    names = ("creatinine", "kappa", "mgus", "death")
    return {
        "known": ["age", "sex"],
        "secrets": [
            {"name": name, "value": 0.0432 - 0.01 * i, "low": 0.01, "high": 0.07, "control": 0.00123, "p": 0.0345,
             "leaks": i == 0}
            for i, name in enumerate(names)
        ],
    }  # fmt: skip


def survival() -> dict[str, Any]:
    times = [43.21 * (i + 1) for i in range(60)]
    real = [math.exp(-t / 4000) for t in times]
    return {
        "curves": {"times": times, "real": real, "synthetic": [s**1.15 for s in real]},
        "unit": "futime",
    }


def _one(
    metric: str,
    title: str,
    value: float,
    *,
    detail: Any = None,
    n: int = 5123,
    better: Any = "lower",
    real: float = 0,
    floor: float | None = None,
) -> Finding:
    section: Section = metric.partition(".")[0]  # type: ignore[assignment]
    meaning = f"Plain words for {title.lower()}: 0 is none."
    numbers = {"estimate": estimate(value, n=n), "control": estimate(real, n=n)}
    known = {"detail": detail or {}, "floor": None if floor is None else estimate(floor, n=n)}
    return Finding(metric, title, section, better=better, meaning=meaning, **known, **numbers)


def findings() -> tuple[Finding, ...]:
    """Fifty and more findings, as a full judgement has them."""
    o = _one
    amplified = [{"attribute": a, "value": 0.021, "low": 0.001, "high": 0.04} for a in ("sex", "race")]
    columns = [{"name": c, "value": 0.0123, "low": 0.0, "high": 0.03, "control": 0.01} for c in ("age", "kappa")]
    features = [{"name": f, "real": r, "synthetic": s} for f, r, s in (("age", 0.6123, 0.55), ("kappa", 0.3877, 0.45))]
    importance = {"features": features}
    fitted = {"model": "logistic", "terms": terms()}
    return (
        o("privacy.membership", "Membership attack", 0.013, detail=attacks(), floor=0.001),
        o("privacy.membership_tpr", "Membership at 1 %", 0.012),
        o("privacy.membership_tpr_low", "Membership at 0.1 %", 0.002),
        o("privacy.membership_outliers", "Membership of outliers", 0.03),
        o("privacy.singling_out", "Singling out", 0.011),
        o("privacy.linkability", "Linkability", 0.004),
        o("privacy.inference", "Inference", 0.0432, detail=secrets()),
        o("privacy.attribute", "Attribute disclosure", 0.02, detail=secrets()),
        o("privacy.unique_combinations", "Unique combinations", 0.001),
        o("privacy.disclosed", "Disclosed by uniques", 0.002),
        o("privacy.identity", "Identity disclosure", 0.03),
        o("privacy.copies", "Exact copies", 0.0, n=6299),
        o("privacy.unique_copies", "Copies of unique patients", 0.0),
        o("privacy.dcr", "Distance to closest record", 0.512, better="half"),
        o("fidelity.missing", "Missing values", 0.012, detail={"columns": columns}),
        o("fidelity.c2st", "Told from real", 0.57, better="half", real=0.5),
        *(o(f"fidelity.extra_{i}", f"Further distance {i}", 0.01 * i) for i in range(12)),
        o("fidelity.mmd", "Kernel distance", 0.02, detail={"projection": projection()}),
        *(
            o(f"utility.tstr.{m}", f"Prediction, {m}", 0.85, better="higher", real=0.87, floor=0.5)
            for m in ("linear", "forest", "boosting")
        ),
        *(o(f"utility.gap.{m}", f"Loss of prediction, {m}", 0.02) for m in ("linear", "forest", "boosting")),
        o("utility.importance", "Importance of features", 0.91, better="higher", real=0.97, detail=importance),
        o("utility.inference.overlap", "Overlap of intervals", 0.66, better="higher", real=0.7, detail=fitted),
        o("utility.inference.sign", "Same signs", 0.97, better="higher", real=1.0, detail=fitted),
        o("utility.survival.curve", "Survival curves", 0.02, detail=survival()),
        o("utility.survival.concordance", "Loss of concordance", 0.01),
        Finding("utility.causal", "Effect of treatment", "utility", status="not_applicable", reason="no treatment"),
        o("fairness.parity", "Selection between groups", 0.04, detail={"groups": groups(0.04), "merged": [MERGED]}),
        o("fairness.odds", "Errors between groups", 0.05, detail={"groups": groups(0.05), "merged": [MERGED]}),
        o("fairness.amplification.data", "Wider gaps in records", 0.02, detail={"attributes": amplified}),
        o("fairness.amplification.model", "Wider gaps in models", 0.03, detail={"attributes": amplified}),
        o("fairness.subgroup_fidelity", "Worst described group", 0.12, detail={"groups": groups(0.12)}, real=0.08),
        o("fairness.subgroup_utility", "Group that predicts worst", 0.06, detail={"groups": groups(0.06)}),
        o("rare.modes", "Kinds of patients kept", 0.94, better="higher", real=0.99),
        o("rare.diversity", "Variety", 0.93, better="higher", real=0.96),
        o("rare.categories", "Rare categories kept", 0.7, better="higher", real=0.95),
        o("validity.constraints", "Broken rules", 0.003),
        o("validity.duplicates", "Repeated records", 0.001),
        Finding("validity.order", "Order of dates", "validity", status="not_applicable", reason="1 date; it needs 2"),
        Finding("validity.sex", "Diagnoses by sex", "validity", status="error", reason="KeyError in rules"),
    )  # fmt: skip


def rich(plain: Report) -> Report:
    """`plain`'s subject and column pictures, with the findings of a full judgement."""
    kept = tuple(finding for finding in plain.findings if finding.metric in SEEN)
    inputs = {"train": "a" * 64, "holdout": "b" * 64, "synthetic": "c" * 64}
    command = "semblance evaluate --train train.csv --holdout holdout.csv --synthetic made.csv -o RUN"
    return Report(
        (*kept, *findings()),
        {**plain.subject, "graph": GRAPH, "sha256": "c" * 64, "inputs": inputs, "command": command},
    )
