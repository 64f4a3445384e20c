"""Anonymeter's three attacks (Clear BSD; Giomi et al., PoPETs 2023), with its own number of attacks."""

from __future__ import annotations

from typing import Any

from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
from judging import Frames, serve

ATTACKS = 500  # its default


def singling_out(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """Predicates on several columns."""
    found = SinglingOutEvaluator(
        ori=frames["train"], syn=frames["synthetic"], control=frames["holdout"], n_attacks=ATTACKS
    )
    return {"risk": float(found.evaluate(mode="multivariate").risk().value)}


def linkability(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """Two halves of the columns."""
    columns, half = list(frames["train"]), len(frames["train"].columns) // 2
    found = LinkabilityEvaluator(
        ori=frames["train"],
        syn=frames["synthetic"],
        control=frames["holdout"],
        n_attacks=ATTACKS,
        aux_cols=(columns[:half], columns[half:]),
    )
    return {"risk": float(found.evaluate(n_jobs=-1).risk().value)}


def inference(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """Every column as the secret, all others known."""
    found = {}
    for secret in frames["train"]:
        attack = InferenceEvaluator(
            ori=frames["train"],
            syn=frames["synthetic"],
            control=frames["holdout"],
            aux_cols=[name for name in frames["train"] if name != secret],
            secret=secret,
            n_attacks=ATTACKS,
        )
        found[secret] = float(attack.evaluate(n_jobs=-1).risk().value)
    return {"worst risk": max(found.values())}


if __name__ == "__main__":
    serve({"singling_out": singling_out, "linkability": linkability, "inference": inference})
