from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm

from semblance import catalog
from semblance.core.estimate import auc
from semblance.evaluate.attacks.shadow import SHADOWS, likelihood_ratio, shadow
from tests.evaluate.attacks.games import blameless, copycat, evidence


@dataclass(frozen=True)
class Repeater:
    """Returns what it saw."""

    def plan(self, train, *, rng, time_budget):
        return {}

    def fit(self, train, *, rng, plan):
        self_train = train

        class Model:
            def sample(self, n, *, rng):
                yield self_train.take(rng.integers(0, len(self_train), n))

        return Model()


def audited(make, generator, **more):
    return shadow(make(n=200, tier="audit", generator=generator, **more))


def marginals():
    return catalog.modality("table").generator("marginals")()


def test_the_ratio_of_two_normal_densities():
    rng = np.random.default_rng(0)
    inside = rng.random((SHADOWS, 30)).argsort(axis=0) < SHADOWS // 2
    statistic = np.where(inside, 2.0, 0.0) + np.where(np.arange(SHADOWS)[:, None] % 2, 1.0, -1.0)
    seen = rng.normal(size=30)
    both = [(statistic * m).sum(axis=0) / 8 for m in (inside, ~inside)]
    spread = [
        np.sqrt((((statistic - c) * m) ** 2).sum() / (30 * 7)) for c, m in zip(both, (inside, ~inside), strict=True)
    ]
    expected = norm.logpdf(seen, both[0], spread[0]) - norm.logpdf(seen, both[1], spread[1])
    assert likelihood_ratio(seen, inside, statistic) == pytest.approx(expected)


def test_a_generator_that_repeats_is_caught():
    told = audited(copycat, Repeater())
    assert auc(told.member, told.outsider).low > 0.9


@pytest.mark.parametrize("generator", [marginals(), Repeater()])
def test_fresh_patients_are_at_chance(generator):
    told = audited(blameless, generator)
    for pair in ((told.member, told.outsider), (told.control_member, told.control_outsider)):
        area = auc(*pair)
        assert area.low - 0.05 <= 0.5 <= area.high + 0.05
        assert np.isfinite(np.concatenate(pair)).all()


def test_a_generator_of_marginals_is_at_chance():
    spec = marginals()

    def made(train, fresh):
        (chunk,) = spec.fit(train, rng=np.random.default_rng(0)).sample(len(train), rng=np.random.default_rng(1))
        return chunk

    told = shadow(evidence(made, n=200, tier="audit", generator=spec))
    area = auc(told.member, told.outsider)
    assert area.low - 0.05 <= 0.5 <= area.high + 0.05


def test_it_is_not_made_in_other_tiers_or_without_the_generator():
    assert len(shadow(copycat(generator=Repeater())).member) == 0
    assert len(shadow(copycat(tier="audit")).member) == 0
