"""A table as shared judges want it: `features` for classifiers, `embed` for distances, both coded on a reference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.dataset import Features
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.grid import codes, counts, finite, within_reach

TOP = 200  # categories of a column that judges tell apart
WIDTH = 128  # the widest metric space in which an exact search over 1e5 records stays quick
FAR = 4.0
ROLES = ("target", "time", "event", "treatment", "visit_time")


def features(table: Table, reference: Table) -> Features:
    """Numbers as they are, categories as frequency ranks in the reference: its top 200, then one code for all others.

    Missing is NaN; infinities are moved one range beyond the reference.
    """
    learned = table.schema.learned
    x, levels = np.empty((len(table), len(learned))), []
    for j, column in enumerate(learned):
        mine, theirs = table.frame[column.name], reference.frame[column.name]
        names = pd.Index([]) if column.continuous else counts(theirs).index[:TOP]
        levels.append(tuple(map(str, names)))
        x[:, j] = within_reach(mine.to_numpy(), theirs.to_numpy()) if column.continuous else _ranks(mine, names)
    return Features(
        x,
        np.array([not c.continuous for c in learned]),
        tuple(c.name for c in learned),
        roles={c.role: j for j, c in enumerate(learned) if c.role in ROLES},
        protected=tuple(j for j, c in enumerate(learned) if c.protected),
        quasi=tuple(j for j, c in enumerate(learned) if c.quasi),
        levels=tuple(levels),
    )


def _ranks(column: pd.Series, names: pd.Index) -> np.ndarray:
    ranks = codes(column, names, other=len(names), missing=-1).astype(float)
    ranks[ranks < 0] = np.nan
    return ranks


def embed(table: Table, reference: Table) -> np.ndarray:
    """(n, d) float32, d at most 128: a Euclidean space in which another category and a numeric move from the 5th to the
    95th percentile of the reference both have length 1, and so has the flag of a missing number.

    Numbers are centred on the median and cut at 4 such ranges; categories are one-hot / sqrt(2), the rarer ones pooled
    so that d stays modest; a category or a missing value that the reference does not know stands at the origin of its
    column. Wider tables are projected at random (Johnson and Lindenstrauss 1984), which nearly keeps distances.
    """
    learned = table.schema.learned
    held = {c.name: counts(reference.frame[c.name]).index for c in learned if not c.continuous}
    top = _top([len(names) for names in held.values()], WIDTH - 2 * (len(learned) - len(held)))
    parts = []
    for column in learned:
        mine, theirs = table.frame[column.name], reference.frame[column.name]
        if column.continuous:
            parts.append(_numeric(mine.to_numpy(), theirs.to_numpy()))
        else:
            parts.append(_one_hot(mine, held[column.name], top, gaps=bool((theirs.cat.codes < 0).any())))
    return _narrow(parts, len(table))


def _top(sizes: list[int], room: int) -> int:
    """The largest number of names per column, from 1 to 50, for which all columns with their two extra slots fit."""
    fitting = (top for top in range(50, 1, -1) if sum(min(size + 1, top + 2) for size in sizes) <= room)
    return next(fitting, 1)


def _numeric(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(n, 1) scaled values, and a second column with the missing flag where the reference has gaps."""
    known, missing = finite(reference), np.isnan(values)
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95]) if len(known) else (0.0, 0.0, 0.0)
    spread = float(known.std()) if len(known) else 0.0
    scale = next((s for s in (high - low, spread) if s > 0), 1.0)
    moved = np.clip((within_reach(values, reference) - middle) / scale, -FAR, FAR)
    made = np.stack([np.where(missing, 0.0, moved), missing], axis=1).astype(np.float32)
    return made if np.isnan(reference).any() else made[:, :1]


def _one_hot(column: pd.Series, names: pd.Index, top: int, *, gaps: bool) -> np.ndarray:
    """Indicators of the first `top` names, of the rarer ones together, of missing: slots that the reference uses."""
    place = np.minimum(codes(column, names, other=-1, missing=-2), top)
    pooled = max(min(len(names), top + 1), 1)
    hot = np.zeros((len(column), pooled + gaps), dtype=np.float32)
    hot[np.arange(len(place)), np.maximum(place, 0)] = np.where(place >= 0, 1 / np.sqrt(2), 0)
    if gaps:
        hot[place == -2, pooled] = 1 / np.sqrt(2)
    return hot


def _narrow(parts: list[np.ndarray], n: int) -> np.ndarray:
    """The parts side by side, or their projection to WIDTH where that would be wider."""
    width = sum(part.shape[1] for part in parts)
    if width <= WIDTH:
        return np.concatenate(parts, axis=1) if parts else np.zeros((n, 0), dtype=np.float32)
    rng = stream(0, "projection", width)
    made = np.zeros((n, WIDTH), dtype=np.float32)
    for part in parts:
        made += part @ rng.standard_normal((part.shape[1], WIDTH), dtype=np.float32)
    return made / np.float32(np.sqrt(WIDTH))
