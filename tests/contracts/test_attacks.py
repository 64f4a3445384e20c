"""What every attack of the catalogue promises: it catches a copycat, and stays at chance on independent data."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, auc
from semblance.core.modality import load
from semblance.evaluate import suites
from tests.contracts.samples import SAMPLES, thirds

CASES = [(m, path) for m in catalog.MODALITIES for path in suites.attacks(catalog.modality(m))]
N = 400


@cache
def evidence(modality: str, *, copycat: bool, again: bool = False) -> Evidence[Any]:
    """What the attacks on a modality share, as in a report. `again` is the same a second time, computed anew."""
    train, holdout, fresh = thirds(modality, min(N, SAMPLES[modality].enough), 4)
    return Evidence(train, holdout, train if copycat else fresh, catalog.modality(modality))


@cache
def attacked(modality: str, path: str, *, copycat: bool, again: bool = False) -> Any:
    return load(path)(evidence(modality, copycat=copycat, again=again))


def success(scores: Any) -> Estimate:
    return auc(scores.member, scores.outsider)


@pytest.mark.parametrize("modality", catalog.MODALITIES)
def test_some_attack_catches_a_copycat_of_every_modality(modality):
    played = (attacked(modality, path, copycat=True) for path in suites.attacks(catalog.modality(modality)))
    assert any(success(scores).value > 0.75 for scores in played if len(scores.member))


@pytest.mark.parametrize(("modality", "path"), [case for case in CASES if case[0] == "table"])
def test_a_copycat_is_caught(modality, path):
    scores = attacked(modality, path, copycat=True)
    if not len(scores.member):
        pytest.skip("plays in the audit tier only; its own tests hold it to this")
    assert success(scores).low > 0.7


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_independent_data_stays_at_chance(modality, path):
    scores = attacked(modality, path, copycat=False)
    if not len(scores.member):
        pytest.skip("plays in the audit tier only; its own tests hold it to this")
    estimate = success(scores)
    assert estimate.low <= 0.5 <= estimate.high


@pytest.mark.parametrize(("modality", "path"), CASES)
def test_scores_are_finite_and_repeatable(modality, path):
    one, two = (attacked(modality, path, copycat=False, again=again) for again in (False, True))
    assert np.isfinite(one.member).all()
    assert np.isfinite(one.outsider).all()
    assert np.array_equal(one.member, two.member)
