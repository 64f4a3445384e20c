"""Whom the disclosure attacks target: one record each of train patients and of as many holdout patients.

They are the members and outsiders of the membership game, so that where nothing leaks both fare alike. In the control
the other train patients play the synthetic records: real people who cannot know the members.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.rng import stream
from semblance.evaluate.attacks.cast import cast

T = TypeVar("T")
LEAST = 20  # patients on a side


@dataclass(frozen=True)
class Victims:
    """Rows in random order, one per patient: `member` of train, `outsider` of holdout. `decoy` are rows of train."""

    member: np.ndarray
    outsider: np.ndarray
    decoy: np.ndarray


def victims(evidence: Evidence[Any], most: int) -> Victims:
    """At most `most` patients a side; a smaller sample is the beginning of a larger one."""
    whole: Victims = evidence.once("victims", lambda: _victims(evidence))
    n = min(most, len(whole.member), len(whole.outsider))
    return Victims(whole.member[:n], whole.outsider[:n], whole.decoy)


def against(
    evidence: Evidence[Any], most: int, attack: Callable[[Part, np.ndarray, Part, np.ndarray], T]
) -> tuple[tuple[T, T], tuple[T, T]]:
    """What `attack(part, rows, held, among)` gains on members and on outsiders: from the synthetic records, and in the
    control from the decoys. `rows` are the victims' in `part`, `among` the records of `held` that the attacker sees."""
    found = victims(evidence, most)

    def both(held: Part, among: np.ndarray) -> tuple[T, T]:
        return attack("train", found.member, held, among), attack("holdout", found.outsider, held, among)

    return both("synthetic", np.arange(len(evidence.synthetic))), both("train", found.decoy)


def too_few(evidence: Evidence[Any]) -> str:
    """Why nobody can be attacked, or nothing."""
    found = victims(evidence, LEAST)
    if min(len(found.member), len(found.decoy)) < LEAST:
        return f"fewer than {LEAST} patients on a side"
    return "" if len(evidence.synthetic) else "there are no synthetic records"


def _victims(evidence: Evidence[Any]) -> Victims:
    sides, rng = cast(evidence), stream(evidence.seed, "victims")
    return Victims(
        one_each(evidence.train.subjects, sides.member, rng=rng),
        one_each(evidence.holdout.subjects, sides.outsider, rng=rng),
        sides.reference,
    )


def one_each(subjects: np.ndarray, rows: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """One of the rows of each patient, at random and in random order."""
    mixed = rng.permutation(rows)
    return rng.permutation(mixed[np.unique(subjects[mixed], return_index=True)[1]])
