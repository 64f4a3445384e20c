"""How large waves are, and how long the intervals between beats: distributions of single numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.signal.data import AFTER, BEFORE, Pieces
from semblance.modalities.signal.metrics.samples import (
    Measured,
    classes,
    compared,
    estimates,
    rows,
    samples,
    too_few,
)
from semblance.modalities.signal.metrics.transport import unit, wasserstein

THIN = 64  # samples of each wave whose values are pooled


@measures("fidelity.signal_amplitude")
def amplitude(evidence: Measured) -> tuple[Finding, ...]:
    """Wasserstein's distance W1 of the values of each lead from holdout, over train's q95 - q05; 0 best, aim below .1.

    The mean over leads of two numbers: of all values of the waves, and of each wave's peak-to-peak height.
    `detail["values"]` has each.
    """
    if reason := too_few(evidence):
        return (_finding("fidelity.signal_amplitude", status="insufficient", reason=reason),)
    real = thinned(samples(evidence)["train"].pieces)
    scale = np.concatenate([unit(_pooled(real)), unit(_heights(real))])
    made = compared(evidence, thinned, lambda a, b: _moved(a, b) / scale)
    names = tuple(lead.name for lead in evidence.train.leads)
    named = (*names, *(f"{name} height" for name in names))
    detail = {"values": rows(evidence, named, made)}
    return (_finding("fidelity.signal_amplitude", **estimates(evidence, made), detail=detail),)


def thinned(pieces: Pieces) -> np.ndarray:
    """(n, leads, values + 2): evenly chosen values of each wave, then its lowest and its highest."""
    waves = pieces.waves
    some = waves[:, :, np.linspace(0, waves.shape[2] - 1, min(THIN, waves.shape[2])).astype(int)]
    filled = np.nan_to_num(waves)
    ends = np.stack([filled.min(axis=2), filled.max(axis=2)], axis=2)
    return np.concatenate([some, ends], axis=2).astype(float)


def _pooled(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x[:, :, :-2], 1, 2).reshape(-1, x.shape[1])


def _heights(x: np.ndarray) -> np.ndarray:
    height: np.ndarray = x[:, :, -1] - x[:, :, -2]
    return height


def _moved(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(2 * leads,) W1 of values, then of heights."""
    return np.concatenate([wasserstein(_pooled(made), _pooled(held)), wasserstein(_heights(made), _heights(held))])


@measures("fidelity.signal_intervals")
def intervals(evidence: Measured) -> tuple[Finding, ...]:
    """Wasserstein's distance W1 of the intervals around beats from holdout, over train's q95 - q05; aim below .1.

    The mean over three numbers: seconds since the beat before, seconds to the beat after, and the logarithm of their
    ratio, which tells an early beat. `detail["classes"]` has the same of each class, where every part has enough beats.
    """
    metric = "fidelity.signal_intervals"
    if BEFORE not in evidence.train.frame or AFTER not in evidence.train.frame:
        return (_finding(metric, status="not_applicable", reason="pieces are no beats"),)
    if reason := too_few(evidence):
        return (_finding(metric, status="insufficient", reason=reason),)
    made = _intervals(evidence, None)
    detail: dict[str, Any] = {"intervals": rows(evidence, NAMES, made)}
    if len(labels := classes(evidence)) > 1:
        detail["classes"] = [
            {"label": one, "intervals": rows(evidence, NAMES, _intervals(evidence, one), label=one)} for one in labels
        ]
    return (_finding(metric, **estimates(evidence, made), detail=detail),)


NAMES = (BEFORE, AFTER, "log ratio")


def around(pieces: Pieces) -> np.ndarray:
    """(n, 3): seconds before, seconds after, and the logarithm of their ratio."""
    before, after = (pieces.frame[name].to_numpy(dtype=float) for name in (BEFORE, AFTER))
    ratio = np.log(np.maximum(before, 1e-3)) - np.log(np.maximum(after, 1e-3))
    return np.column_stack([before, after, ratio])


def _intervals(evidence: Measured, label: str | None) -> dict[Any, np.ndarray]:
    scale = unit(around(samples(evidence)["train"].pieces))
    return compared(
        evidence, around, lambda a, b: np.nan_to_num(wasserstein(a, b) / scale, nan=1.0, posinf=1.0), label=label
    )


_finding = Wording(
    {
        "fidelity.signal_amplitude": (
            "Amplitudes",
            "How far values must move on average for synthetic waves to be as large as real ones, as a share of the "
            "range that holds nine in ten real values (0: not at all).",
        ),
        "fidelity.signal_intervals": (
            "Intervals between beats",
            "How far intervals between beats must move on average to be distributed as real ones, as a share of the "
            "range that holds nine in ten real intervals (0: not at all).",
        ),
    }
)
