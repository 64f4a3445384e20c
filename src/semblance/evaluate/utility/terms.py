"""The small design of an analyst's model: main effects, chosen once on train by a fixed rule and read alike everywhere.

A number is one term, its missing flag another, and each of a category's four next-largest levels one (the reference is
the rest). Numbers are held within the train's 1st and 99th percentiles; all terms are centred and scaled on train.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from semblance.core.dataset import Features
from semblance.evaluate.utility.outcome import level

MOST = 15
LEVELS = 4
EVENTS = 10  # per term (Peduzzi et al. 1996)
PATIENTS = 11  # of train who have a level, and who have not: what is named is no handful's
APART = 0.1  # share of a term's variance that earlier terms must leave (variance inflation up to 10)
TRIES = 60  # candidates looked at for MOST terms
SEEN = 20_000  # records by which terms are chosen


@dataclass(frozen=True)
class Term:
    """One column of the design. `low` and `high` hold a number in, `fill` is for a missing one, `code` is a level's."""

    name: str
    position: int
    kind: Literal["number", "level", "missing"]
    code: float = 0.0
    low: float = 0.0
    high: float = 0.0
    fill: float = 0.0
    centre: float = 0.0
    scale: float = 1.0

    def of(self, x: np.ndarray) -> np.ndarray:
        """(n,) values of features (n, d), centred and scaled as in train."""
        return (self.raw(x[:, self.position]) - self.centre) / self.scale

    def raw(self, column: np.ndarray) -> np.ndarray:
        """The column as this term reads it, not yet scaled."""
        if self.kind == "number":
            return np.clip(np.where(np.isnan(column), self.fill, column), self.low, self.high)
        return (np.isnan(column) if self.kind == "missing" else column == self.code).astype(float)


def design(terms: Sequence[Term], x: np.ndarray) -> np.ndarray:
    """(n, p) of features (n, d)."""
    return np.stack([term.of(x) for term in terms], axis=1) if terms else np.zeros((len(x), 0))


def choose(
    known: Features,
    about: np.ndarray,
    patient: np.ndarray,
    *,
    without: Sequence[int] = (),
    first: Sequence[int] = (),
    most: int = MOST,
) -> tuple[Term, ...]:
    """At most `most` terms of train by falling absolute correlation with `about` (n,).

    A term that earlier ones explain to 90% is passed over. Columns of `first` come before all others (an analyst never
    leaves the treatment out), those of `without` never. `patient` (n,) are whole numbers that tell patients apart.
    Every k-th record is looked at, so that there are at most SEEN.
    """
    every = slice(None, None, -(-len(about) // SEEN) or 1)
    known, about, patient = replace(known, x=np.asfortranarray(known.x[every])), about[every], patient[every]
    ranked: list[tuple[bool, float, Term]] = []
    centred = about - about.mean()
    length = float(np.linalg.norm(centred))
    for j in range(known.x.shape[1]):
        for term in _candidates(known, j, patient) if j not in without else ():
            strength = abs(float(term.of(known.x) @ centred)) / length if length > 0 else 0.0
            ranked.append((j in first, round(strength, 12), term))
    ranked.sort(key=lambda entry: (not entry[0], -entry[1]))
    return _apart([term for _, _, term in ranked[:TRIES]], known.x, most)


def _candidates(known: Features, j: int, patient: np.ndarray) -> Iterator[Term]:
    column, name = known.x[:, j], known.names[j]
    if known.categorical[j]:
        for code in range(1, LEVELS + 1):
            yield from _flag(Term(f"{name} = {level(known, j, code)}", j, "level", code), known.x, patient)
    elif (number := _number(column, name, j)) is not None:
        yield number
    yield from _flag(Term(f"{name} missing", j, "missing"), known.x, patient)


def _flag(term: Term, x: np.ndarray, patient: np.ndarray) -> Iterator[Term]:
    held = term.raw(x[:, term.position]) > 0
    share = float(held.mean())
    if 0 < share < 1 and min(_heads(patient[held]), _heads(patient[~held])) >= PATIENTS:
        yield replace(term, centre=share, scale=(share * (1 - share)) ** 0.5)


def _heads(patient: np.ndarray) -> int:
    return int(np.count_nonzero(np.bincount(patient)))


def _number(column: np.ndarray, name: str, j: int) -> Term | None:
    seen = column[~np.isnan(column)]
    if not len(seen):
        return None
    low, fill, high = map(float, np.quantile(seen, [0.01, 0.5, 0.99]))
    held = Term(name, j, "number", low=low, high=high, fill=fill)
    with np.errstate(over="ignore", invalid="ignore"):
        raw = held.raw(column)
        centre, scale = float(raw.mean()), float(raw.std())
    if not (np.isfinite(scale) and scale > 0):
        return None
    return replace(held, centre=centre, scale=scale)


def _apart(ranked: list[Term], x: np.ndarray, most: int) -> tuple[Term, ...]:
    """The first `most` terms that are no copies of earlier ones (Gram and Schmidt)."""
    kept: list[Term] = []
    basis = np.zeros((len(x), 0))
    for term in ranked:
        if len(kept) == most:
            break
        value = term.of(x)
        rest = value - basis @ (basis.T @ value)
        left = float(rest @ rest)
        if left > APART * len(x):
            kept.append(term)
            basis = np.column_stack([basis, rest / left**0.5])
    return tuple(kept)
