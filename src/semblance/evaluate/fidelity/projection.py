"""A picture of both clouds: the two directions in which real records vary most, as a coarse grid of shares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import patient_rows
from semblance.core.rng import stream

CELLS = 24
RECORDS = 50_000  # that the directions are learned from
_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def projection(evidence: Evidence[Any]) -> dict[str, Any]:
    """Shares of train and synthetic records in the cells of a grid over the first two principal components of train.

    Edges are round numbers around the middle of the data, and records beyond them count in the outermost cells. A cell
    is [across, up, share of train, share of synthetic, train patients], where there is any of either: what leaves shows
    none with few patients (`app/coarse.py`), so that nobody can be read from the picture.
    """
    train, synthetic = evidence.embedding("train"), evidence.embedding("synthetic")
    chosen = patient_rows(evidence.train.subjects, RECORDS, rng=stream(evidence.seed, "projection"))
    centre, axes = principal(train[chosen].astype(float))
    seen = [cloud @ axes.astype(np.float32) - centre @ axes for cloud in (train, synthetic)]
    edges = [round_edges(seen[0][:, a]) for a in (0, 1)]
    cells = [_cells(points, edges) for points in seen]
    return {
        "title": "Two main directions of the real data",
        "x": edges[0].tolist(),
        "y": edges[1].tolist(),
        "cells": _shares(cells[0], cells[1], evidence.train.subjects),
    }


def principal(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centre (d,) and the first two principal directions (d, 2), zero where there are fewer.

    A direction's sign is such that its largest entry is positive.
    """
    centre = points.mean(axis=0)
    moved = points - centre
    axes = np.linalg.eigh(moved.T @ moved)[1][:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return centre, np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))


def round_edges(values: np.ndarray) -> np.ndarray:
    """CELLS + 1 evenly spaced round numbers over the middle 98% of the values."""
    low, high = np.quantile(values, [0.01, 0.99])
    least = max(float(high - low), 1e-6) / (CELLS - 1)
    unit = 10.0 ** math.floor(math.log10(least))
    step = unit * next(s for s in _STEPS if s * unit >= least * (1 - 1e-9))
    first = round((low + high) / 2 / step) - CELLS // 2
    edges: np.ndarray = np.round((first + np.arange(CELLS + 1)) * step, 10)
    return edges


def _cells(points: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """The cell of each point, as one number."""
    place = [np.clip(np.searchsorted(e, points[:, a], side="right") - 1, 0, CELLS - 1) for a, e in enumerate(edges)]
    return place[0] * CELLS + place[1]


def _shares(real: np.ndarray, made: np.ndarray, subjects: np.ndarray) -> list[list[float]]:
    patient = np.unique(subjects, return_inverse=True)[1]
    pairs = np.unique(real * (patient.max() + 1) + patient) // (patient.max() + 1)
    known = np.bincount(pairs, minlength=CELLS**2)
    shares = [np.bincount(side, minlength=CELLS**2) / max(len(side), 1) for side in (real, made)]
    return [
        [int(cell // CELLS), int(cell % CELLS), *(round(float(share[cell]), 5) for share in shares), int(known[cell])]
        for cell in np.flatnonzero(shares[0] + shares[1])
    ]
