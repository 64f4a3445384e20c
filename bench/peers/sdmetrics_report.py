"""SDMetrics' reports (MIT): quality, and distances to the closest record."""

from __future__ import annotations

from typing import Any

import pandas as pd
from judging import Frames, serve
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.single_table import DCRBaselineProtection, DCROverfittingProtection


def metadata(frame: pd.DataFrame) -> dict[str, Any]:
    """What SDMetrics wants to know of each column."""
    return {"columns": {name: {"sdtype": _sort(frame[name])} for name in frame}}


def _sort(column: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(column):
        return "datetime"
    return "numerical" if pd.api.types.is_numeric_dtype(column) and column.dtype != bool else "categorical"


def quality(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """Column shapes and column pair trends."""
    report = QualityReport()
    report.generate(frames["train"], frames["synthetic"], metadata(frames["train"]), verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    return {name: float(score) for name, score in scores.items()}


def distances(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """Distance to the closest record, against random data and against holdout, on all records."""
    train, holdout, synthetic = (frames[name] for name in ("train", "holdout", "synthetic"))
    told = {"tables": {"t": metadata(train)}}
    baseline = DCRBaselineProtection.compute_breakdown(train, synthetic, told, "t")
    overfitting = DCROverfittingProtection.compute_breakdown(train, synthetic, holdout, told, "t")
    return {"baseline": float(baseline["score"]), "overfitting": float(overfitting["score"])}


if __name__ == "__main__":
    serve({"quality": quality, "distances": distances})
