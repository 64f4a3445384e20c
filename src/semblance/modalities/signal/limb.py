"""The limb leads: six views of two voltages, tied by the identities of Einthoven (1912) and Goldberger (1942).

III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2: any two of the six say the other four.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semblance.modalities.signal.data import Lead

VIEWS = {"I": (1, 0), "II": (0, 1), "III": (-1, 1), "AVR": (-0.5, -0.5), "AVL": (1, -0.5), "AVF": (-0.5, 1)}
"""Each limb lead as a sum of I and II."""
KEPT = 0.05
"""A set of recordings keeps the identities if what it has of a lead is, but for this part, what the others say."""
WHOLE = (1, 2, 3, 6)
"""Multiples of a file's step that a voltage is rounded to; half of an even one is whole."""
LOOKED = 20_000
"""Samples of a recording by which that is seen."""


@dataclass(frozen=True)
class Tie:
    """Lead number `lead` is `parts` of the leads numbered `of`."""

    lead: int
    of: tuple[int, int]
    parts: tuple[float, float]

    def value(self, values: np.ndarray) -> np.ndarray:
        """(samples,) what (samples, leads) values say of the lead."""
        found: np.ndarray = values[:, list(self.of)] @ np.array(self.parts, dtype=values.dtype)
        return found


def ties(names: Sequence[str]) -> tuple[Tie, ...]:
    """What the first two limb leads of a set say of its others; none where there are fewer than three."""
    limb = _limb(names)
    return tuple(_tie(limb, lead, of) for lead in list(limb)[2:] for of in [tuple(limb)[:2]])


def kept(names: Sequence[str], recordings: Iterable[np.ndarray]) -> tuple[Tie, ...]:
    """The ties of leads if (samples, leads) values of all recordings keep them, else none; without any none is read."""
    found = ties(names)
    for values in recordings if found else ():
        some = values[:: max(len(values) // LOOKED, 1)]
        some = some[np.isfinite(some).all(1)]
        for tie in found:
            apart = tie.value(some) - some[:, tie.lead]
            if len(some) and apart.std() > KEPT * some[:, tie.lead].std() + 1e-9:
                return ()
    return found


def tied(values: np.ndarray, found: Sequence[Tie], leads: Sequence[Lead]) -> np.ndarray:
    """(samples, leads) values in which every tied lead is what the others say, also once a file has rounded them."""
    made = values.copy() if found else values
    step = _step(found, leads)
    for lead in found[0].of if step else ():
        made[:, lead] = np.round(made[:, lead] / step) * step
    for tie in found:
        made[:, tie.lead] = tie.value(made)
    return made


def _step(found: Sequence[Tie], leads: Sequence[Lead]) -> float:
    """Of what the two leads have to be multiples so that all others are whole numbers in a file; 0 where none is."""
    gains = {leads[i].gain for tie in found for i in (tie.lead, *tie.of)}
    parts = np.array([tie.parts for tie in found])
    whole = [k for k in WHOLE if len(gains) == 1 and np.allclose(parts * k, np.round(parts * k))]
    return whole[0] / gains.pop() if whole else 0.0


def agreed(values: np.ndarray, measured: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(samples, leads) values in which limb leads that were not `measured` are what two others say: those that were,
    else those that were drawn first."""
    limb = list(_limb(names))
    made, sure = values.copy(), measured[:, limb].sum(1)
    for lead in limb:
        drawn = ~measured[:, lead]
        made[drawn & (sure >= 2), lead] = np.nan
        sure += drawn & (sure < 2)
    return untangled(made, names)


def untangled(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(samples, leads) values in which a limb lead that is missing (NaN) is what two others say."""
    limb, made = _limb(names), values.copy()
    for lead in limb:
        for of in combinations([other for other in limb if other != lead], 2):
            gone = np.isnan(made[:, lead])
            if gone.any():
                made[gone, lead] = _tie(limb, lead, of).value(values[gone])
    return made


def _limb(names: Sequence[str]) -> dict[int, tuple[float, float]]:
    """The limb leads by their numbers, those of two voltages first."""
    known = list(VIEWS)
    found = [(known.index(name.upper()), i) for i, name in enumerate(names) if name.upper() in VIEWS]
    return {i: VIEWS[known[place]] for place, i in sorted(found)}


def _tie(limb: dict[int, tuple[float, float]], lead: int, of: tuple[int, ...]) -> Tie:
    first, second = of
    parts = np.linalg.solve(np.array([limb[first], limb[second]]).T, np.array(limb[lead]))
    return Tie(lead, (first, second), (float(parts[0]), float(parts[1])))
