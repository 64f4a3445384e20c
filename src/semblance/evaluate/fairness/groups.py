"""Groups of patients who must fare alike: by each protected attribute, and by two of them together.

An attribute is protected because the schema file says so, or by its name. Groups that are too small to be judged are
merged with the others of their attribute, and told; nothing is said about a handful of patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Features, Part
from semblance.core.estimate import Estimate
from semblance.core.judge import patients
from semblance.core.names import AGES, aged, words

LEAST = 30  # patients of train and of holdout in a group
MOST = 8  # groups of one attribute
TOGETHER = 12  # groups of two attributes together, over all pairs
OTHERS = "others"
UNGROUPED = "no protected attribute with two groups of enough patients"
NAMES = frozenset(
    ["sex", "gender", "race", "age", "religion", "nationality", "native", "language", "insurance", "payer"]
)
STEMS = ("ethnic", "disab", "marital")


@dataclass(frozen=True)
class Group:
    """One group: its name, and which records of each part belong to it."""

    name: str
    members: dict[Part, np.ndarray]


@dataclass(frozen=True)
class Groups:
    """The groups of one attribute (or pair): every record of a part belongs to exactly one, or its value is unknown."""

    attribute: str
    groups: tuple[Group, ...]
    merged: tuple[str, ...]


def row(group: str, made: Estimate, control: float, *, patients: int) -> dict[str, Any]:
    """What the detail of a finding says of one group."""
    return {"group": group, "patients": patients, "control": control, **made.plain()}


def groups(evidence: Evidence[Any]) -> tuple[Groups, ...]:
    """The groups of every protected attribute with at least two of them, then of pairs of attributes."""
    found: tuple[Groups, ...] = evidence.once("groups", lambda: _groups(evidence))
    return found


def protected(known: Features) -> tuple[int, ...]:
    """Positions of the protected attributes: those declared, else those with a telling name; never the target."""
    named = [j for j, name in enumerate(known.names) if any(map(_telling, words(name)))]
    return tuple(j for j in (known.protected or named) if j != known.target)


def _telling(word: str) -> bool:
    return word in NAMES or word.startswith(STEMS)


def _groups(evidence: Evidence[Any]) -> tuple[Groups, ...]:
    known = evidence.features("train")
    single = [_attribute(evidence, j) for j in protected(known)]
    single = [made for made in single if len(made.groups) > 1]
    room, both = TOGETHER, []
    for a, b in combinations(single, 2):
        made = _crossed(evidence, a, b)
        if 1 < len(made.groups) <= room:
            room -= len(made.groups)
            both.append(made)
    return (*single, *both)


def _attribute(evidence: Evidence[Any], j: int) -> Groups:
    known = evidence.features("train")
    cuts = None if known.categorical[j] else _cuts(known.x[:, j], known.names[j])
    codes = {part: _codes(evidence.features(part).x[:, j], cuts) for part in _parts(evidence)}
    labels = _labels(known, j) if cuts is None else _bands(cuts)
    return _formed(evidence, known.names[j], [f"{known.names[j]} = {label}" for label in labels], codes)


def _parts(evidence: Evidence[Any]) -> tuple[Part, ...]:
    parts: tuple[Part, ...] = ("train", "holdout", "synthetic")
    return parts if evidence.floor is None else (*parts, "floor")


def _codes(x: np.ndarray, cuts: np.ndarray | None) -> np.ndarray:
    """Group of each record, -1 where its value is missing."""
    code = x if cuts is None else np.searchsorted(cuts, x, side="right").astype(float)
    return np.where(np.isnan(x), -1, code).astype(np.int64)


def _cuts(x: np.ndarray, name: str) -> np.ndarray:
    """Where a number is cut into bands: ages at the usual years, others at rounded thirds; two values in the middle."""
    held = np.unique(x[np.isfinite(x)])
    if len(held) <= 2:
        return held[1:]
    if aged(name, held[0], held[-1]):
        return np.array(AGES, dtype=float)
    thirds = np.quantile(x[np.isfinite(x)], [1 / 3, 2 / 3])
    return np.unique([_round(cut) for cut in thirds])


def _round(value: float) -> float:
    """Two significant digits: no value of a patient."""
    return float(f"{value:.2g}")


def _bands(cuts: np.ndarray) -> list[str]:
    if not len(cuts):
        return ["any"]
    words = [f"{cut:g}" for cut in cuts]
    between = [f"{low} to below {high}" for low, high in pairwise(words)]
    return [f"below {words[0]}", *between, f"{words[-1]} or more"]


def _labels(known: Features, j: int) -> list[str]:
    return [*known.levels[j], OTHERS]


def _formed(evidence: Evidence[Any], attribute: str, labels: list[str], codes: dict[Part, np.ndarray]) -> Groups:
    """The largest groups by name; the smaller ones together, if they are enough."""
    sizes = {code: _size(evidence, codes, [code]) for code in np.unique(codes["train"]) if code >= 0}
    large = sorted((code for code, size in sizes.items() if size >= LEAST), key=lambda code: -sizes[code])[:MOST]
    rest = [code for code in sizes if code not in large]
    made = [Group(labels[code], {part: codes[part] == code for part in codes}) for code in large]
    if rest and _size(evidence, codes, rest) >= LEAST:
        made.append(Group(f"{attribute} = {OTHERS}", {part: np.isin(codes[part], rest) for part in codes}))
    return Groups(attribute, tuple(made), tuple(labels[code] for code in rest if sizes[code] >= 11))


def _size(evidence: Evidence[Any], codes: dict[Part, np.ndarray], members: list[int]) -> int:
    """Patients of the smaller real side who are in one of the groups."""
    sides: tuple[Part, ...] = ("train", "holdout")
    return min(patients(getattr(evidence, part).subjects[np.isin(codes[part], members)]) for part in sides)


def _crossed(evidence: Evidence[Any], a: Groups, b: Groups) -> Groups:
    """The groups of two attributes together that are large enough; the others are told as merged."""
    names: list[str] = []
    codes = {part: np.full(len(getattr(evidence, part)), -1) for part in _parts(evidence)}
    for one in a.groups:
        for two in b.groups:
            for part, code in codes.items():
                code[one.members[part] & two.members[part]] = len(names)
            names.append(f"{one.name}, {two.name}")
    return _formed(evidence, f"{a.attribute} and {b.attribute}", names, codes)
