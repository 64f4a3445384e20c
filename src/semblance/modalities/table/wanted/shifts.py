"""Domain randomisation: marginals that are moved, and the joint that follows them with the least change.

A mean is moved by exponential tilting: of all marginals with the new mean the tilted one is nearest to the old in
Kullback-Leibler divergence (Csiszar 1975). Odds are multiplied. Several columns are raked to their new marginals in
turn until all hold; every other column follows as the model says.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semblance.core.errors import UsageError
from semblance.modalities.table.codes import DAY, Numbers
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.wanted.asked import Bands
from semblance.modalities.table.wanted.conditions import Coder
from semblance.modalities.table.wanted.inside import code_means
from semblance.modalities.table.wanted.joint import Joint
from semblance.modalities.table.wanted.weighing import rake


def shifted(joint: Joint, shift: Mapping[str, float | Bands], encoding: Encoding) -> np.ndarray:
    """(m,) the mass of each cell with every marginal shifted. Raises UsageError for a mean out of reach."""
    margins = []
    for j, (field, coder) in enumerate(zip(encoding.fields, encoding.columns, strict=True)):
        if field.name not in shift:
            continue
        codes, by = joint.codes(j), shift[field.name]
        share = np.bincount(codes, weights=joint.mass, minlength=coder.size)
        if isinstance(by, tuple):
            target = _odds(share, by, coder)
        else:
            assert isinstance(coder, Numbers)
            target = tilted(share, code_means(coder), by * (DAY if field.kind == "date" else 1.0), column=field.name)
        margins.append((codes, target))
    return rake(joint.mass, margins) if margins else joint.mass


def tilted(share: np.ndarray, value: np.ndarray, by: float, *, column: str) -> np.ndarray:
    """(k,) shares whose mean of (k,) `value` is moved by `by`; codes without a value keep their share."""
    held = (share > 0) & np.isfinite(value)
    mean = float(np.average(value[held], weights=share[held])) if held.any() else np.nan
    spread = float(np.sqrt(np.average((value[held] - mean) ** 2, weights=share[held]))) if held.any() else 0.0
    low, high = (value[held].min() - mean, value[held].max() - mean) if held.any() else (0.0, 0.0)
    if not low < by < high and by != 0:
        raise UsageError.of(
            f"a mean moved by {by:g}",
            rule="the mean of what is wanted stays inside the values that the model knows",
            fix="a smaller shift",
            column=column,
        )
    if by == 0 or spread == 0:
        return share
    made = share.copy()
    made[held] = _tilt(share[held], (value[held] - mean) / spread, by / spread) * share[held].sum()
    return made


def _tilt(share: np.ndarray, score: np.ndarray, mean: float) -> np.ndarray:
    """Shares in proportion to share * exp(slope * score), with the slope that gives the scores this mean."""
    from scipy.optimize import brentq

    def of(slope: float) -> np.ndarray:
        weight: np.ndarray = np.log(share) + slope * score
        weight = np.exp(weight - weight.max())
        return weight / weight.sum()

    reach = 1.0
    while not float(of(-reach) @ score) < mean < float(of(reach) @ score) and reach < 1e6:
        reach *= 2
    return of(float(brentq(lambda slope: float(of(slope) @ score) - mean, -reach, reach, xtol=1e-12)))


def _odds(share: np.ndarray, factors: Bands, coder: Coder) -> np.ndarray:
    """Shares with the odds of some values, against those that nothing is said of, multiplied."""
    made = share.copy()
    for condition, factor in factors:
        made *= 1 + (factor - 1) * condition.weight(coder)
    return made / made.sum() * share.sum()
