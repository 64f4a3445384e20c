"""Singling out (Giomi et al. 2023): do conditions that one synthetic record alone meets single out a patient?

The attacker takes values of synthetic records, makes predicates of them that isolate one of these records, and hopes
that they isolate a patient as well. Some do by chance, which strangers measure.

Chance depends on how many patients there are, so the train patients are dealt into groups as large as the holdout. A
predicate can be right about its patient only in the one group where the patient is, hence the sum over the groups.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, average, wilson
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.disclosure.predicates import isolating, several_columns, single_columns, singled
from semblance.evaluate.disclosure.risk import residual
from semblance.evaluate.disclosure.victims import LEAST, one_each, too_few, victims
from semblance.evaluate.shared.models import beside

METRIC = "privacy.singling_out"
PREDICATES = {"fast": 400, "standard": 4_000, "audit": 20_000}
KINDS = {"single_columns": single_columns, "several_columns": several_columns}
PARTS: tuple[Part, ...] = ("train", "holdout", "synthetic")
Hits = tuple[list[np.ndarray], np.ndarray]
"""Whom each predicate singles out (-1: nobody, or more than one): in each group of train, and in the holdout."""


@measures(METRIC)
def singling_out(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Residual risk that a predicate singles out a train patient, beyond how often it singles out a stranger.

    Two kinds: a value that one synthetic record has in one column (or its extreme), and conditions that one synthetic
    record meets, in random columns until it stands alone and then two more. The worse kind is chosen on one half of the
    predicates and scored on the other. `n` counts predicates; those that single out the same patient count as one in
    the interval. Control: other train records in the synthetic set's place.
    """
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    for part in PARTS:
        evidence.features(part)  # before the threads start
    made, real = beside([partial(_tried, evidence, played) for played in ("synthetic", "decoys")])
    if not real:
        return (_finding(status="not_applicable", reason="hardly any real record stands alone in its columns"),)
    if not made:
        return (_finding(status="insufficient", reason="hardly any description fits one synthetic record alone"),)
    detail = {"kinds": [{"name": name, **_row(hits)} for name, hits in made.items()], "groups": _groups(made)}
    return (_finding(estimate=_worst(made), control=_worst(real), detail=detail),)


def _tried(evidence: Evidence[Any], played: str) -> dict[str, Hits]:
    """Each kind of predicate that isolates enough records of the synthetic set, or of the decoys that play it."""
    train, holdout = evidence.features("train"), evidence.features("holdout")
    found = victims(evidence, len(evidence.train))
    rng = stream(evidence.seed, "singling out", played)
    if played == "synthetic":
        records = evidence.features("synthetic").x
        groups, strangers = _equal(evidence, rng)
    else:
        records, groups, strangers = train.x[found.decoy], [found.member], found.outsider
    most = min(PREDICATES[evidence.tier], len(strangers))  # more than there are patients would repeat each other
    tried = {}
    for name, kind in KINDS.items():
        made = isolating(kind, records, train.categorical, most, rng=rng)
        if len(made) >= 2 * LEAST:
            tried[name] = ([singled(made, train.x[rows]) for rows in groups], singled(made, holdout.x[strangers]))
    return tried


def _equal(evidence: Evidence[Any], rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray]:
    """All train patients in as few groups as the holdout allows, and as many holdout patients as a group has."""
    people, others = (
        one_each(part.subjects, np.arange(len(part)), rng=rng) for part in (evidence.train, evidence.holdout)
    )
    count = -(-len(people) // len(others))
    size = len(people) // count
    return [people[k * size : (k + 1) * size] for k in range(count)], others[:size]


def _worst(tried: dict[str, Hits]) -> Estimate:
    """The worse kind, chosen on the even predicates and scored on the odd ones, and the other way round."""
    halves = [{name: risk(*_half(hits, k)) for name, hits in tried.items()} for k in (0, 1)]
    chosen = [max(half, key=lambda name: half[name].low) for half in halves]
    return average([halves[0][chosen[1]], halves[1][chosen[0]]])


def _half(hits: Hits, k: int) -> Hits:
    return [group[k::2] for group in hits[0]], hits[1][k::2]


def risk(groups: list[np.ndarray], strangers: np.ndarray) -> Estimate:
    """The residual risk, summed over the groups; whom each predicate singles out there, and among strangers."""
    together = np.concatenate([np.where(one < 0, -1, one + (k << 40)) for k, one in enumerate(groups)])
    one = residual(_share(together), _share(strangers))
    value, low, high = (min(len(groups) * x, 1.0) for x in (one.value, one.low, one.high))
    return Estimate(value, low, high, one.level, len(strangers))


def _share(victim: np.ndarray) -> Estimate:
    """The share of predicates that single somebody out; several about one person tell as much as one."""
    hit = victim[victim >= 0]
    times = np.unique(hit, return_counts=True)[1]
    repeat = float((times**2).sum() / times.sum()) if len(hit) else 1.0
    share = len(hit) / len(victim)
    fewer = wilson(round(len(hit) / repeat), max(round(len(victim) / repeat), 1))
    low, high = share - (fewer.value - fewer.low), share + (fewer.high - fewer.value)
    return Estimate(share, max(0.0, low), min(1.0, high), fewer.level, len(victim))


def _groups(tried: dict[str, Hits]) -> int:
    return len(next(iter(tried.values()))[0])


def _row(hits: Hits) -> dict[str, float]:
    made = risk(*hits)
    return {**made.plain(), "predicates": made.n}


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How often a description taken from the synthetic records fits one patient alone because that patient was in "
        "the data (0: no more often than for strangers, 1: always)."
    )
    return Finding(METRIC, "Singling out", "privacy", meaning=meaning, **fields)
