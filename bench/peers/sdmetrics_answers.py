"""SDMetrics' answers to the cases of bench/oracles.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from answering import serve
from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.single_column import KSComplement, TVComplement
from sdmetrics.single_table import DCROverfittingProtection

NUMBER, CATEGORY = {"sdtype": "numerical"}, {"sdtype": "categorical"}


def answer(cases: dict[str, Any]) -> None:
    """Scores as it gives them: 1 is best."""
    metrics = {
        "numbers": KSComplement,
        "categories": TVComplement,
        "correlations": CorrelationSimilarity,
        "tables": ContingencySimilarity,
    }
    for kind, metric in metrics.items():
        shape = pd.DataFrame if kind in ("correlations", "tables") else pd.Series
        for case in cases[kind].values():
            case["score"] = float(metric.compute(shape(case["real"]), shape(case["synthetic"])))
    own_edges(cases["wrong"]["own edges"])
    closer(cases["wrong"]["ties"], holdout="real")
    np.random.seed(0)
    closer(cases["wrong"]["subsampled"], holdout="holdout")


def own_edges(case: dict[str, Any]) -> None:
    """The trend of a number that was moved far away with a category: each side is cut at edges of its own."""
    real, synthetic = (pd.DataFrame({"x": case[side], "group": case["group"]}) for side in ("real", "synthetic"))
    report = QualityReport()
    report.generate(real, synthetic, {"columns": {"x": NUMBER, "group": CATEGORY}}, verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    case["score"] = float(scores["Column Pair Trends"])


def closer(case: dict[str, Any], *, holdout: str) -> None:
    """The share of copies of train that it says are closer to train than to holdout."""
    train, synthetic, other = (pd.DataFrame({"x": case[side]}) for side in ("real", "synthetic", holdout))
    told = {"tables": {"t": {"columns": {"x": NUMBER}}}}
    found = DCROverfittingProtection.compute_breakdown(
        train,
        synthetic,
        other,
        told,
        "t",
        num_rows_subsample=case.get("rows"),
        num_iterations=20 if "rows" in case else 1,
    )
    case["closer to training"] = float(found["synthetic_data_percentages"]["closer_to_training"])


if __name__ == "__main__":
    serve("sdmetrics", answer)
