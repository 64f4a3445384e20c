"""What all modalities share about data: records that belong to patients, splits that respect them, and the Evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import Modality, load
from semblance.core.schema import Schema


@runtime_checkable
class Dataset(Protocol):
    """Records of patients. `subjects[i]` is the patient of record i: the unit of privacy and of splitting.

    Two things more may be told by a data set that knows them: `held` (n,) bool, the records that its makers held out
    (see `held_out`), and `anonymous`, whether nobody knows which records are of one patient (see `patients_known`).
    """

    @property
    def schema(self) -> Schema: ...

    @property
    def subjects(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def take(self, rows: np.ndarray) -> Self: ...


@dataclass(frozen=True)
class Features:
    """A data set as a classifier wants it: `x` (n, d) float64 with NaN for missing, categories as codes.

    `categorical` (d,) marks the coded columns; `levels[j][k]` names code k of column j, and is empty for a number. Code
    len(levels[j]) is everything that has no name. `roles` gives the position of the target, time, event, treatment and
    visit_time columns that were declared; `protected` and `quasi` those of the columns declared so.
    """

    x: np.ndarray
    categorical: np.ndarray
    names: tuple[str, ...]
    roles: Mapping[str, int] = field(default_factory=dict)
    protected: tuple[int, ...] = ()
    quasi: tuple[int, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()

    @property
    def target(self) -> int | None:
        """The position of the target column, if one was declared."""
        return self.roles.get("target")


D = TypeVar("D", bound=Dataset)
T = TypeVar("T")
Part = Literal["train", "holdout", "synthetic", "floor"]


def held_out(data: Dataset) -> np.ndarray | None:
    """(n,) bool: the records that a data set declares to be held out; None where it declares no split. Raises DataError
    where it leaves nothing to learn from."""
    held: np.ndarray | None = getattr(data, "held", None)
    if held is None or not held.any():
        return None
    if held.all():
        rule, fix = "some records are not held out", "add those of train, or leave the split out of the data"
        raise DataError.of(f"all {len(held):,} records are held out", rule=rule, fix=fix)
    return held


def patients_known(data: Dataset) -> bool:
    """Whether records of one patient can be told from those of others. Where they cannot, each counts as a patient,
    and what is measured holds for records alone."""
    return not getattr(data, "anonymous", False)


def split_by_subject(data: D, *, holdout: float, rng: np.random.Generator) -> tuple[D, D]:
    """Split into train and holdout so that no patient stands in both; each side keeps the source's order.

    `holdout` is the share of patients; a data set that declares its own holdout is split by that. Raises UsageError
    outside (0, 1), DataError with fewer than two patients, and for a declared holdout that parts a patient's records or
    holds all.
    """
    refuse_share(holdout)
    if (declared := held_out(data)) is not None:
        return _split_as_declared(data, declared)
    patients, code = np.unique(data.subjects, return_inverse=True)
    if len(patients) < 2:
        raise DataError.of(
            f"{len(patients)} patient(s)",
            rule="a split needs at least two patients",
            fix="give more data, or check --subject",
        )
    count = min(max(round(holdout * len(patients)), 1), len(patients) - 1)
    held = np.zeros(len(patients), dtype=bool)
    held[rng.permutation(len(patients))[:count]] = True
    aside = held[code]
    return data.take(np.flatnonzero(~aside)), data.take(np.flatnonzero(aside))


def refuse_share(holdout: float) -> None:
    """Raise UsageError for a share of patients outside (0, 1)."""
    if not 0 < holdout < 1:
        raise UsageError.of(f"holdout {holdout}", rule="a share between 0 and 1", fix="--holdout 0.2")


def _split_as_declared(data: D, held: np.ndarray) -> tuple[D, D]:
    both = np.intersect1d(data.subjects[held], data.subjects[~held])
    if len(both):
        raise DataError.of(
            f"{len(both):,} patients have records on both sides of the declared holdout",
            rule="no patient stands in train and in holdout",
            fix="move all records of a patient to one side, or leave the split out of the data",
        )
    return data.take(np.flatnonzero(~held)), data.take(np.flatnonzero(held))


@dataclass(frozen=True)
class Evidence(Generic[D]):
    """All that a judge may see. What several judges need is computed once, through `once`.

    `modality` is the manifest, through which shared judges reach `embedding` and `features`.
    `seed` names the judge's randomness; `generator` is the spec that made `synthetic` where the judge may refit it;
    `floor` is a synthetic set of independent marginals that every report shows beside the model. `copies` are further
    synthetic sets of the same generator, for rules that combine them. Where `unseen` is False nobody held patients out:
    the generator saw those of `holdout` too, so the findings of privacy are insufficient and the others flatter.
    `completed` are the records of `holdout`, as the model drew what it was not given of them; `between` are records on
    the way from one that it draws to another. Both are there only where the model is; `failed` tells of those whose
    drawing crashed why they are not. `declared` is the schema file as parsed, for what it says to judges.
    """

    train: D
    holdout: D
    synthetic: D
    modality: Modality
    seed: int = 0
    floor: D | None = None
    reference: D | None = None
    generator: Any = None
    pairs: np.ndarray | None = None
    tier: str = "standard"
    copies: tuple[D, ...] = ()
    unseen: bool = True
    completed: D | None = None
    between: D | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Any, compute: Callable[[], T]) -> T:
        """`compute()`, at most once for this evidence."""
        if key not in self._cache:
            self._cache[key] = compute()
        value: T = self._cache[key]
        return value

    def embedding(self, part: Part) -> np.ndarray:
        """(n, d) float32: the part in the modality's metric space, scaled on train."""
        made: np.ndarray = self.once(
            ("embedding", part), lambda: load(self.modality.embed)(getattr(self, part), self.train)
        )
        return made

    def features(self, part: Part) -> Features:
        """The part as a classifier wants it, coded on train."""
        made: Features = self.once(
            ("features", part), lambda: load(self.modality.features)(getattr(self, part), self.train)
        )
        return made
