"""Orders that channels keep: systolic above mean above diastolic pressure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, mean, wilson
from semblance.core.judge import Wording, measures, slots
from semblance.core.report import Finding
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.order import found, named, pairs
from semblance.modalities.vitals.metrics.samples import SAMPLES, Measured

METRIC = "validity.vitals_order"
Chains = tuple[tuple[int, ...], ...]


@measures(METRIC)
def order(evidence: Measured) -> tuple[Finding, ...]:
    """The share of moments with two channels that break an order; 0 is best.

    Orders are those that were declared, or else those of channels of one unit and scale which 99 % of train's moments
    keep.

    `detail["orders"]` names the chains. Interval by patient.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    train = evidence.train
    chains = evidence.once("orders", lambda: named(train.said.order, train) if train.said.order else found(train))
    if not chains:
        reason = "no order is declared, and no two channels of one unit and scale keep one in train"
        return (_finding(METRIC, status="not_applicable", reason=reason),)
    told = {part: _broken(sample.records, chains) for part, sample in SAMPLES.of(evidence).items() if part != "holdout"}
    if told["synthetic"] is None:
        reason = "no synthetic moment has two channels of an order"
        return (_finding(METRIC, status="insufficient", reason=reason),)
    names = evidence.train.names
    detail = {"orders": [" >= ".join(names[k] for k in chain) for chain in chains]}
    known: dict[Part, Estimate] = {part: one for part, one in told.items() if one is not None}
    return (_finding(METRIC, **slots(known), detail=detail),) if "train" in known else ()


def _broken(stays: Stays, chains: Chains) -> Estimate | None:
    """The share of neighbours in chains that stand the wrong way round; None where there are none."""
    sides = [pairs(stays, *neighbours) for chain in chains for neighbours in pairwise(chain)]
    wrong = np.concatenate([high < low for high, low in sides])
    if not len(wrong):
        return None
    share = mean(wrong)
    return share if wrong.any() else wilson(0, len(wrong))


_finding = Wording(
    {
        METRIC: (
            "Orders between channels",
            "Share of moments at which a channel is below another that it is not to be below, as declared or as in "
            "real stays, such as systolic below mean pressure (0: none).",
        )
    }
)
