"""Records that cannot be: rules that every real record keeps, broken by synthetic ones; and records that repeat.

Rules are declared (bounds, lists and constraints of the schema file) or found on train: an order of two dates or
numbers, and combinations of two values that would be common if the columns were independent and yet never occur. So
"male and pregnant" or "discharged before admitted" need not be written down. Holdout breaks a few: the control.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from semblance.core.constraint import Constraint
from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, mean, wilson
from semblance.core.judge import Wording, measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.table.copies import fingerprints
from semblance.modalities.table.data import Table
from semblance.modalities.table.grid import Grid
from semblance.modalities.table.metrics.joint import room
from semblance.modalities.table.metrics.places import coarse
from semblance.modalities.table.metrics.samples import Measured, samples
from semblance.modalities.table.relations.rules import broken

EXPECTED = 30  # records that a combination would have under independence, and has none of
KNOWN = 100  # records that know both numbers of an order
TOLERATED = 0.001  # share of train records that may break an order: mistakes of the source
TOP = 30
ORDERED = 100  # dates, and numbers, between which orders are looked for: every two are compared
RECORDS = {"fast": 10_000, "standard": 20_000, "audit": 1_000_000}  # that are checked; rules are found on all
CHUNK = 8_192
TOLD = 12


@dataclass(frozen=True)
class Rules:
    """What train records keep: `orders` (a, b) with a <= b, and which pairs of codes of the columns `chosen` (c,), as
    positions among the learned, `never` meet (codes, codes)."""

    orders: tuple[tuple[str, str], ...]
    chosen: np.ndarray
    never: np.ndarray


@measures("validity.constraints")
def constraints(evidence: Measured) -> tuple[Finding, ...]:
    """Share of synthetic records that break at least one rule; the control is the share of holdout records.

    An order is a rule where at least 100 train records know both numbers (of one kind) and at most 0.1% break it. A
    combination is one where independence would give at least 30 train records and there are none; numbers in 10 bins.
    Of a wide table, orders are looked for among ORDERED random columns of a kind, combinations as in `fidelity.pairs`.
    """
    if patients(evidence.train.subjects) < KNOWN or not len(evidence.synthetic):
        reason = f"rules are found on at least {KNOWN} train patients"
        return (_finding("validity.constraints", status="insufficient", reason=reason),)
    train, coded, chosen = evidence.train, coarse(evidence, top=TOP), _chosen(evidence)
    rules = Rules(
        tuple(_orders(train, rng=stream(evidence.seed, "orders"))), chosen, _never(coded["train"].only(chosen))
    )
    if not rules.orders and not rules.never.any() and not _declared(train) and not train.schema.constraints:
        reason = "no rule was declared, and none is kept by all real records"
        return (_finding("validity.constraints", status="not_applicable", reason=reason),)
    parts: tuple[Part, ...] = ("synthetic", "holdout")
    rng = stream(evidence.seed, "constraints")
    made, real = (
        _broken(*_cut(samples(evidence)[part].table, coded[part].only(chosen), evidence.tier, rng), rules)
        for part in parts
    )
    detail = {"rules": _told(made, real), "orders": len(rules.orders), "declared_rules": [*_rules_declared(train)]}
    return (_finding("validity.constraints", estimate=made.share, control=real.share, detail=detail),)


def _chosen(evidence: Measured) -> np.ndarray:
    """Positions among the learned of the columns whose combinations are looked at."""
    return room(coarse(evidence, top=TOP)["train"].sizes, rng=stream(evidence.seed, "combinations"))


def _cut(table: Table, coded: Grid, tier: str, rng: np.random.Generator) -> tuple[Table, Grid]:
    """At most RECORDS of the tier, patient by patient."""
    rows = patient_rows(table.subjects, RECORDS[tier], rng=rng)
    return table.take(rows), Grid(coded.codes[rows], coded.sizes)


def _share(hit: np.ndarray, clusters: np.ndarray) -> Estimate:
    """A share of records with Wilson's interval, or the wider one by cluster."""
    plain, clustered = wilson(int(hit.sum()), len(hit)), mean(hit, clusters=clusters)
    low, high = min(plain.low, clustered.low), max(plain.high, clustered.high)
    return Estimate(plain.value, max(low, 0.0), min(high, 1.0), plain.level, clustered.n)


def _orders(train: Table, *, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Pairs of dates, or of numbers of one scale, of which the first is never the larger."""
    for kinds in (("date",), ("integer", "numeric")):
        names = [c.name for c in train.schema.learned if c.kind in kinds]
        asked = [names[i] for i in np.sort(rng.permutation(len(names))[:ORDERED])]
        for a, b in combinations(asked, 2):
            x, y = train.frame[a].to_numpy(), train.frame[b].to_numpy()
            known = np.isfinite(x) & np.isfinite(y)
            if known.sum() < KNOWN or not (kinds == ("date",) or _overlap(x[known], y[known])):
                continue
            if (x[known] > y[known]).mean() <= TOLERATED:
                yield a, b
            elif (y[known] > x[known]).mean() <= TOLERATED:
                yield b, a


def _overlap(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the ranges of two numbers share at least a tenth: else their order is one of units, not a rule."""
    low, high = max(x.min(), y.min()), min(x.max(), y.max())
    width = max(x.max(), y.max()) - min(x.min(), y.min())
    return bool(width > 0 and (high - low) / width >= 0.1)


def _never(coded: Grid) -> np.ndarray:
    """(codes, codes) combinations of two columns that independence would make common, and that do not occur."""
    count = coded.gram(slice(None)).astype(float)
    held = np.diagonal(count)
    never = (count == 0) & (np.outer(held, held) / max(len(coded.codes), 1) >= EXPECTED)
    for first, size in zip(coded.starts, coded.sizes, strict=True):
        never[first : first + size, first : first + size] = False
        never[first + size - 2, :] &= size < 2  # "any other value" stands for no value
        never[:, first + size - 2] &= size < 2
    return never


def _declared(table: Table) -> list[str]:
    return [c.name for c in table.schema.learned if c.bound == "declared"]


def _asked(rule: Constraint) -> bool:
    """Whether records can be held to a rule: a loaded predicate has lost its function."""
    return rule.kind != "predicate" or rule.holds is not None


@dataclass(frozen=True)
class Broken:
    """The share of records that break any rule, and the share that breaks each, by the rule's name."""

    share: Estimate
    each: dict[str, float]


def _rules_declared(table: Table) -> dict[str, np.ndarray]:
    """The rules that somebody declared, by name: (n,) bool, which records break each."""
    bounds = {f"'{name}' as declared": _outside(table, name) for name in _declared(table)}
    return bounds | {str(rule): broken(rule, table) for rule in table.schema.constraints if _asked(rule)}


def _broken(table: Table, coded: Grid, rules: Rules) -> Broken:
    alone = _rules_declared(table)
    alone |= {f"'{a}' not above '{b}'": _disorder(table, a, b) for a, b in rules.orders}
    any_rule = np.any([*alone.values(), _met(coded, rules.never)], axis=0)
    each = {name: float(hit.mean()) for name, hit in alone.items()}
    return Broken(_share(any_rule, table.subjects), {**each, **_by_pair(coded, rules, table)})


def _by_pair(coded: Grid, rules: Rules, table: Table) -> dict[str, float]:
    """The share of records in which two columns meet as they never do."""
    start = coded.starts
    bad = np.add.reduceat(np.add.reduceat(coded.gram(slice(None)) * rules.never, start, axis=0), start, axis=1)
    names = [table.schema.learned[j].name for j in rules.chosen]
    pairs = zip(*np.nonzero(np.triu(bad, k=1)), strict=True)
    return {f"'{names[i]}' with '{names[j]}'": float(bad[i, j] / max(len(coded.codes), 1)) for i, j in pairs}


def _outside(table: Table, name: str) -> np.ndarray:
    column, values = table.schema[name], table.frame[name]
    if column.continuous:
        low = -np.inf if column.min is None else column.min
        high = np.inf if column.max is None else column.max
        number = values.to_numpy()
        return (number < low) | (number > high)
    if column.categories is None:
        return np.zeros(len(table), dtype=bool)
    known = np.isin(np.asarray(values.cat.categories, dtype=object), np.asarray(column.categories, dtype=object))
    outside: np.ndarray = ~np.append(known, True)[values.cat.codes.to_numpy()]
    return outside


def _disorder(table: Table, a: str, b: str) -> np.ndarray:
    broken: np.ndarray = table.frame[a].to_numpy() > table.frame[b].to_numpy()
    return broken


def _met(coded: Grid, never: np.ndarray) -> np.ndarray:
    """(n,) whether two values of a record meet that never meet."""
    never = never.astype(np.float32)
    made = np.zeros(len(coded.codes), dtype=bool)
    for first in range(0, len(made), CHUNK):
        hot = coded.one_hot(slice(first, first + CHUNK))
        made[first : first + CHUNK] = np.einsum("ij,ij->i", hot @ never, hot) > 0
    return made


def _told(made: Broken, real: Broken) -> list[dict[str, Any]]:
    """The rules that are broken most beyond what holdout records break."""
    beyond = {name: share - real.each.get(name, 0.0) for name, share in made.each.items() if share > 0}
    worst = sorted(beyond, key=lambda name: -beyond[name])[:TOLD]
    return [{"rule": name, "synthetic": made.each[name], "real": real.each.get(name, 0.0)} for name in worst]


@measures("validity.duplicates")
def duplicates(evidence: Measured) -> tuple[Finding, ...]:
    """Share of synthetic records that equal another synthetic record; the control is the same in as many train records.

    The interval counts equal records as one unit.
    """
    n = min(len(evidence.train), len(evidence.synthetic))
    if n < 2:
        reason = "fewer than two records on a side"
        return (_finding("validity.duplicates", status="insufficient", reason=reason),)
    rng = stream(evidence.seed, "duplicates")
    made, real = (
        _repeated(fingerprints(part.take(patient_rows(part.subjects, n, rng=rng))))
        for part in (evidence.synthetic, evidence.train)
    )
    return (_finding("validity.duplicates", estimate=made, control=real),)


def _repeated(marks: np.ndarray) -> Estimate:
    _, code, count = np.unique(marks, return_inverse=True, return_counts=True)
    return replace(_share(count[code] > 1, marks), n=len(marks))


_finding = Wording(
    {
        "validity.constraints": (
            "Impossible records",
            "Share of synthetic records that break a rule that real ones keep, such as an order of dates (0 none, 1 "
            "all).",
        ),
        "validity.duplicates": (
            "Repeated records",
            "Share of synthetic records that stand there more than once (0 none, 1 all; it should be no more than "
            "among real records).",
        ),
    }
)
