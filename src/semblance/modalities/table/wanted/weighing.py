"""Weights with margins: raking, and whole numbers that keep every margin exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

ROUNDS, CLOSE = 500, 1e-9

Margin = tuple[np.ndarray, np.ndarray]
"""(m,) the level of each cell, and (levels,) what the cells of each level shall sum to."""


def rake(mass: np.ndarray, margins: Sequence[Margin]) -> np.ndarray:
    """The (m,) weights nearest to `mass` (in Kullback-Leibler divergence) with these margins; zeros stay zero.

    Iterative proportional fitting (Deming and Stephan, Ann. Math. Stat. 1940). Where no weights have the margins, the
    last one is kept and the others are not.
    """
    mass = mass.astype(float)
    for _ in range(ROUNDS):
        worst = 0.0
        for level, target in margins:
            held = np.bincount(level, weights=mass, minlength=len(target))
            worst = max(worst, float(np.abs(held - target).max()))
            mass = mass * np.divide(target, held, out=np.zeros(len(target)), where=held > 0)[level]
        if worst < CLOSE * max(float(np.sum(margins[0][1])), CLOSE):
            break
    return mass


def whole(expected: np.ndarray, margins: Sequence[Margin]) -> np.ndarray | None:
    """Whole numbers near (m,) `expected` with whole margins, exactly; None where there are none. Zeros stay zero.

    Controlled rounding (Cox, JASA 1987): each cell is rounded down or up. For two margins this is a transportation
    problem and always solved; more margins may need cells that are further off, which a second programme finds.
    """
    cells = np.flatnonzero(expected > 0)
    sums = sp.vstack([_sums(level[cells], len(target)) for level, target in margins], format="csr")
    wanted = np.concatenate([target for _, target in margins]).astype(float)
    near = expected[cells]
    base = np.floor(near + 1e-6)
    up = _programme(sums, wanted - sums @ base, -(near - base), most=1.0)
    found = base + up if up is not None else _nearest(sums, wanted, near)
    if found is None:
        return None
    made = np.zeros(len(expected), dtype=np.int64)
    made[cells] = np.round(found).astype(np.int64)
    return made


def _sums(level: np.ndarray, levels: int) -> sp.csr_matrix:
    return sp.csr_matrix((np.ones(len(level)), (level, np.arange(len(level)))), shape=(levels, len(level)))


def _nearest(sums: sp.csr_matrix, wanted: np.ndarray, near: np.ndarray) -> np.ndarray | None:
    """Whole numbers with the margins, the sum of whose absolute distances to `near` is smallest."""
    m = len(near)
    with_distance = sp.hstack([sums, sp.csr_matrix((sums.shape[0], m))], format="csr")
    eye = sp.identity(m, format="csr")
    apart = sp.vstack([sp.hstack([eye, -eye]), sp.hstack([-eye, -eye])], format="csr")
    cost = np.concatenate([np.zeros(m), np.ones(m)])
    found = _programme(with_distance, wanted, cost, most=np.inf, below=(apart, np.concatenate([near, -near])), free=m)
    return None if found is None else found[:m]


def _programme(
    sums: sp.csr_matrix,
    wanted: np.ndarray,
    cost: np.ndarray,
    *,
    most: float,
    below: tuple[sp.csr_matrix, np.ndarray] | None = None,
    free: int = 0,
) -> np.ndarray | None:
    """The cheapest whole x from 0 to `most` with `sums` @ x = `wanted`; the last `free` entries need not be whole."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    limits = [LinearConstraint(sums, wanted, wanted)]
    if below is not None:
        limits.append(LinearConstraint(below[0], -np.inf, below[1]))
    kinds = np.ones(len(cost))
    kinds[len(cost) - free :] = 0
    found = milp(cost, constraints=limits, bounds=Bounds(0, most), integrality=kinds)
    return found.x if found.success else None
