"""What a ledger has paid for: noisy counts, and the training that follows them, taken up where it broke off.

What was paid for is kept in one file, so that a run that is interrupted never pays, or looks, a second time; and of
copies of an unfinished training the first to end is the one that was paid for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from semblance.core.errors import UsageError
from semblance.core.files import sha256_of, write_bytes
from semblance.core.promise import MEASURED, Ledger, Noise, Spent, Steps, spent_from
from semblance.core.schema import Schema
from semblance.learn.trainer import TrainPlan

LOTS = 20
"""A batch is expected to have at most this part of the patients."""
EPOCHS = 30
"""Passes over the data: beyond, noise grows faster than what is learned."""

Counting = Callable[[], tuple[Sequence[np.ndarray], Sequence[Noise]]]
"""Counts with noise, and says what was paid for it."""


@dataclass(frozen=True)
class Paid:
    """What a ledger has paid for: noisy `counts`, and then the training, of which it gave a `receipt`."""

    counts: tuple[np.ndarray, ...]
    spent: tuple[Spent, ...]
    receipt: str = ""

    @classmethod
    def settled(
        cls,
        counting: Counting,
        ledger: Ledger,
        training: Callable[[], Spent],
        *,
        like: Steps | Noise,
        resume: Path | None,
    ) -> Self:
        """Count, and reserve what `training` says can be had of the rest: what is planned is `like` it but for the
        noise. What is found in `resume` is not paid for again.

        Raises PrivacyError where nothing is left, UsageError where another training than this was paid for.
        """
        told = None if resume is None else cls.load(resume)
        if told is not None:
            told.refuse_other(like)
            return told
        counts, noises = counting()
        rest = training()
        told = cls(tuple(counts), (*noises, rest), ledger.reserve(rest, note="training"))
        if resume is not None:
            told.save(resume)
        return told

    @property
    def training(self) -> Spent:
        """What was paid for the training."""
        return self.spent[-1]

    def refuse_other(self, planned: Steps | Noise) -> None:
        """Raise UsageError where what is planned differs in more than its noise from what was paid for."""
        if _but_noise(planned) != _but_noise(self.training):
            raise UsageError.of(
                f"a plan that looks {planned.count:,} times, where {self.training.count:,} were paid for"
                if planned.count != self.training.count
                else "a plan that asks otherwise than was paid for",
                rule="a training that was paid for is taken up as it was planned",
                fix="give the generator, plan and options that it began with; or another folder, to pay anew",
            )

    @property
    def records(self) -> float:
        """The noisy number of records, at least one."""
        return max(float(np.mean([counts.sum() for counts in self.counts])), 1.0)

    @property
    def findings(self) -> dict[str, Any]:
        """What may be told."""
        return {"records": round(self.records), "noise": [part.to_json() for part in self.spent]}

    def save(self, folder: Path) -> None:
        """Write measured.safetensors in one step."""
        arrays = {f"column {j}": counts for j, counts in enumerate(self.counts)}
        told = json.dumps([part.to_json() for part in self.spent])
        write_bytes(folder / MEASURED, save(arrays, metadata={"spent": told, "receipt": self.receipt}))

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """What `save` wrote; None where nothing was measured yet."""
        if not (folder / MEASURED).exists():
            return None
        with safe_open(folder / MEASURED, framework="np") as file:
            names, told = list(file.keys()), file.metadata()
            counts = tuple(file.get_tensor(f"column {j}") for j in range(len(names)))
        return cls(counts, tuple(spent_from(part) for part in json.loads(told["spent"])), told.get("receipt", ""))


@contextmanager
def once(told: Paid, ledger: Ledger, checkpoint: Path | None) -> Iterator[None]:
    """A training that was paid for once, and so is finished once: of copies of what it kept in `checkpoint`, the first
    to end is the one that was paid for. Where nothing is kept, nothing can be taken up twice.

    Raises PrivacyError where another one ended before.
    """
    if checkpoint is None:
        yield
        return
    ledger.refuse_other(told.receipt, sha256_of(checkpoint) if checkpoint.exists() else None)
    yield
    ledger.settle(told.receipt, sha256_of(checkpoint))


def _but_noise(part: Spent) -> dict[str, Any]:
    return {key: value for key, value in part.to_json().items() if key != "sigma"}


def refuse_none(plan: TrainPlan) -> None:
    """Raise UsageError, before anything is paid, for a plan that learns nothing."""
    if plan.steps < 1 or plan.batch < 1:
        raise UsageError.of(
            f"a plan of {plan.steps} steps with batches of {plan.batch}",
            rule="what is paid for is learned from: at least one step, with at least one record in a batch",
            fix="correct the plan, or leave it out",
        )


def undeclared(what: str) -> UsageError:
    """The refusal of `what` records are called that were read as they are, and not under declarations."""
    return UsageError.of(
        f"{what} that were not read under declarations",
        rule="under differential privacy all that is known of records beforehand is declared",
        fix="--epsilon with --schema FILE; in Python sb.read(path, schema=..., private=True)",
    )


def refuse_undeclared(schema: Schema, what: str) -> None:
    """Raise UsageError, before any record is looked at, where what is public of them was not declared."""
    if not schema.public:
        raise undeclared(what)
    public_number(schema)


def public_number(schema: Schema) -> int:
    """The number of patients that is public anyway. Raises UsageError where there is none."""
    if schema.n_public is None:
        raise UsageError.of(
            "no public number of patients",
            rule="a network under differential privacy sees a share of the patients in each step, and the true number "
            "is private",
            fix="in the schema file: [cohort] n_public = a number that is public anyway; or --model pairwise; or, to"
            " learn without a ledger, read without private=True",
        )
    return schema.n_public
