"""MOSTLY AI's quality assurance (mostlyai-qa, Apache-2.0; arXiv 2504.01908): its whole report, which has no parts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from judging import Frames, serve
from mostlyai import qa


def report(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """Accuracy, similarity and distances, with its page."""
    with tempfile.TemporaryDirectory() as folder:
        _, metrics = qa.report(
            syn_tgt_data=frames["synthetic"],
            trn_tgt_data=frames["train"],
            hol_tgt_data=frames["holdout"],
            report_path=Path(folder) / "report.html",
        )
    return {
        "accuracy": metrics.accuracy.overall,
        "discriminator AUC": metrics.similarity.discriminator_auc_training_synthetic,
        "DCR share": metrics.distances.dcr_share,
    }


if __name__ == "__main__":
    serve({"report": report})
