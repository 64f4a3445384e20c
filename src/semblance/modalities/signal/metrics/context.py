"""Frechet's distance between synthetic and real pieces in a frozen feature space."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.signal.metrics.kernels import shares
from semblance.modalities.signal.metrics.samples import Measured, apart, estimate, estimates, samples, too_few

METRIC = "fidelity.signal_context_fid"
WIDTH = 32  # directions of the features that are looked at: far fewer than pieces, so that covariances are known
SHRUNK = 0.02  # of each covariance, towards the sphere of the same size (Ledoit and Wolf 2004 choose it by the data)


@measures(METRIC)
def context_fid(evidence: Measured) -> tuple[Finding, ...]:
    """Frechet's distance between normal distributions fitted to features of synthetic and of holdout pieces.

    Context-FID (Jeha et al. 2022) with MiniRocket's features instead of a trained network: they are frozen, so that
    numbers of several models compare. Features are turned to the 32 directions in which train varies most, in units of
    train's total spread: 0 is best, 1 is a distance as large as the spread of real pieces. `detail["ratio"]` is the
    distance over that of train, its control.
    """
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    features = {part: shares(evidence, part, sample, None) for part, sample in samples(evidence).items()}
    centre, axes, size = _space(features["train"].astype(float))
    turned = {part: (x - centre) @ axes for part, x in features.items()}
    made = apart(evidence, turned, lambda a, b: frechet(a, b) / size)
    told = {part: estimate(evidence, part, one[:, 0]) for part, one in made.items()}
    ratio = told["synthetic"].value / max(told["train"].value, 1e-12)
    return (_finding(METRIC, **estimates(evidence, made), detail={"directions": axes.shape[1], "ratio": ratio}),)


def _space(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The centre of features (n, d), their main directions, and their variance along these."""
    centre = x.mean(axis=0)
    size, axes = np.linalg.eigh((x - centre).T @ (x - centre) / len(x))
    kept = size[::-1][:WIDTH] > 1e-12
    return centre, axes[:, ::-1][:, :WIDTH][:, kept], max(float(size[::-1][:WIDTH][kept].sum()), 1e-12)


def frechet(a: np.ndarray, b: np.ndarray, *, shrunk: float = SHRUNK) -> float:
    """|mean a - mean b|^2 + tr(A + B - 2 (A B)^1/2) of (n, d) and (m, d) points with covariances A and B.

    (Dowson and Landau 1982; Heusel et al. 2017.)
    """
    first, second = (_covariance(x, shrunk) for x in (a, b))
    size, axes = np.linalg.eigh(first)
    root = (axes * np.sqrt(np.maximum(size, 0))) @ axes.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    moved = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return max(float(moved + np.trace(first) + np.trace(second) - 2 * cross), 0.0)


def _covariance(x: np.ndarray, shrunk: float) -> np.ndarray:
    centred = x - x.mean(axis=0)
    made = centred.T @ centred / len(x)
    kept: np.ndarray = (1 - shrunk) * made + shrunk * np.trace(made) / len(made) * np.eye(len(made))
    return kept


_finding = Wording(
    {
        METRIC: (
            "Frechet distance of waves",
            "How far the cloud of synthetic waves is from that of real ones, compared with the spread of real waves "
            "(0: the same cloud; 1: as far as real waves are from each other).",
        )
    }
)
