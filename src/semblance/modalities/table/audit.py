"""Attacks on a private generator of tables: it is refitted on a simulated cohort with and without planted patients.

What is attacked is all that it measured, before any of it is smoothed: whatever leaves is made from that. The attack
knows everything but whether the planted patient is there, and scores a run by the likelihood ratio of what was
measured. The patient has several records, and values that nobody else has, within the declared bounds: a mechanism that
counts records instead of patients, or looks at the records for its codes, gives the patient away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn import white_box
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.measured import Measured
from semblance.modalities.table.generators.private import PrivateSpec
from semblance.privacy.audit import Audit, Watched, attacked, budget

PATIENTS = 200
CANARIES = 60
RECORDS = 3
"""Records of a planted patient."""
SURE = 1e6
"""The score of a run whose codes tell whether the patient is there."""


def audit(
    spec: Any,
    *,
    epsilon: float,
    delta: float,
    trials: int,
    confidence: float,
    seed: int,
    watch: Watched | None = None,
    ran: white_box.Ran | None = None,
) -> Audit:
    """Lower bounds of what `spec` leaks when it is refitted with a budget of (epsilon, delta), `trials` times with a
    planted patient and as often without, and once with many patients by the toss of a coin. A network is trained as
    it `ran`."""
    how: dict[str, Any] = {"epsilon": epsilon, "delta": delta, "trials": trials, "confidence": confidence}
    how |= {"watch": watch}
    if hasattr(spec, "audited"):
        told: Audit = spec.audited(seed=seed, ran=ran, **how)
        return told
    cohort, canaries = simulated(stream(seed, "audit")), apart()
    if isinstance(spec, PrivateSpec):
        return white_box.audit(spec, cohort.planted, canaries, seed=seed, ran=ran, **how)
    attack, there = Attack.of(spec, cohort), stream(seed, "audit", "canaries").random(len(canaries)) < 0.5
    there[0] |= not there.any()  # codes come from records

    def score(inside: bool) -> float:
        return attack.score(inside, epsilon, delta)

    def scores(there: np.ndarray) -> np.ndarray:
        with budget(epsilon, delta) as ledger:
            coder, told = spec.measured(canaries.take(there), ledger)
        codes = coder.encode(canaries)
        found: np.ndarray = np.sum([counts[codes[:, j]] for j, counts in enumerate(told.columns)], axis=0)
        return found

    return attacked(score, scores, there, **how)


@dataclass(frozen=True)
class Cohort:
    """Patients, and the records of one more, under a declared schema."""

    base: Table
    planted: Table


@dataclass(frozen=True)
class Attack:
    """A mechanism, the cohort without and with the planted patient, and the codes that it gives to each."""

    spec: Any
    tables: tuple[Table, Table]
    coders: tuple[Encoding, Encoding]
    base: np.ndarray
    planted: np.ndarray

    @classmethod
    def of(cls, spec: Any, cohort: Cohort) -> Attack:
        """The attack on a cohort."""
        tables = cohort.base, concat([cohort.base, cohort.planted])
        without, beside = (spec.encoding_of(table, None) for table in tables)
        return cls(spec, tables, (without, beside), without.encode(cohort.base), without.encode(cohort.planted)[0])

    def score(self, planted: bool, epsilon: float, delta: float) -> float:
        """How much a run looks as if the planted patient was there."""
        with budget(epsilon, delta) as ledger:
            coder, told = self.spec.measured(self.tables[planted], ledger)
        without, beside = (known.to_json() for known in self.coders)
        if without != beside:
            return SURE if coder.to_json() == beside else -SURE
        return likelihood_ratio(told, self.base, self.planted)


def simulated(rng: np.random.Generator, *, codes: int = 4) -> Cohort:
    """A small cohort of labels, one number and a target; the planted patient is beyond what the others have of each."""
    labels = tuple("abcdefghijkl"[:codes])
    schema = Schema(
        (
            Column("pid", "identifier", "subject"),
            *(Column(name, "categorical", categories=labels, bound="declared") for name in ("u", "v")),
            Column("x", "integer", dtype="int64", min=0, max=9, bound="declared"),
            Column("y", "categorical", "target", categories=("no", "yes"), bound="declared"),
        ),
        "audit",
        PATIENTS,
        public=True,
    )
    common = labels[: codes // 2]
    frame = pd.DataFrame(
        {
            **{name: pd.Categorical(rng.choice(common, PATIENTS), labels) for name in ("u", "v")},
            "x": rng.integers(2, 6, PATIENTS).astype(float),
            "y": pd.Categorical(rng.choice(["no", "yes"], PATIENTS), ["no", "yes"]),
        }
    )
    held = {"u": pd.Categorical([labels[-1]] * RECORDS, labels), "v": pd.Categorical([labels[-1]] * RECORDS, labels)}
    more = pd.DataFrame({**held, "x": [9.0] * RECORDS, "y": pd.Categorical(["yes"] * RECORDS, ["no", "yes"])})
    return Cohort(
        Table(schema, frame, np.arange(PATIENTS)), Table(schema, more, np.full(RECORDS, PATIENTS, dtype=np.int64))
    )


def likelihood_ratio(told: Measured, base: np.ndarray, planted: np.ndarray) -> float:
    """Log of how much more likely the noisy counts are with the planted (columns,) codes than with the base alone."""
    found = of_columns(told, base, planted)
    merged = np.column_stack([group[base[:, j]] for j, group in enumerate(told.groups)])
    own = np.array([group[planted[j]] for j, group in enumerate(told.groups)])
    for pair, counts in told.pairs.items():
        asked = list(pair) if told.target is None else [told.target, *pair]
        cell = counts[(0 if told.target is None else own[told.target], *own[list(pair)])]
        found += ratio(cell - (merged[:, asked] == own[asked]).all(1).sum(), told.pair_sigma)
    return float(found)


def of_columns(told: Measured, base: np.ndarray, planted: np.ndarray) -> float:
    """The same of the counts of columns alone."""
    same = (base == planted).sum(0)
    cells = [counts[code] for counts, code in zip(told.columns, planted, strict=True)]
    return sum((ratio(cell - n, sigma) for cell, n, sigma in zip(cells, same, told.sigmas, strict=True)), 0.0)


def ratio(above: float, sigma: float) -> float:
    """Of normal noise around one and around zero."""
    return (above - 0.5) / sigma**2


def common() -> Table:
    """The records of a planted patient who is like every second record that there could be."""
    column = Column("u", "categorical", categories=("no", "yes"), bound="declared")
    schema = Schema((Column("pid", "identifier", "subject"), column), "audit", PATIENTS, public=True)
    frame = pd.DataFrame({"u": pd.Categorical(["yes"] * RECORDS, ["no", "yes"])})
    return Table(schema, frame, np.full(RECORDS, PATIENTS, dtype=np.int64))


def apart() -> Table:
    """Canaries that share no code."""
    labels = tuple(f"c{i}" for i in range(CANARIES))
    columns = tuple(Column(name, "categorical", categories=labels, bound="declared") for name in ("u", "v", "w"))
    schema = Schema(columns, "audit", CANARIES, public=True)
    frame = pd.DataFrame({c.name: pd.Categorical(labels, labels) for c in schema.learned})
    return Table(schema, frame, np.arange(CANARIES))
