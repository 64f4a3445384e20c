from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.vitals.data import concat
from semblance.modalities.vitals.generators.mtts_gan import MttsGan
from tests.modalities.vitals.simulated import stays

SPEC = MttsGan(factors=8, blocks=4, units=16, depth=1, latent=8)


def test_a_plan_fits_its_budget_and_only_what_draws_is_saved():
    train = stays(60, 0)
    plan = SPEC.plan(train, rng=stream(0, "plan"), time_budget=1)
    assert 20 <= plan["steps"] <= 1000
    model = SPEC.fit(train, rng=stream(0, "fit"), plan={**plan, "steps": 4})
    assert not [name for name in model.learned.arrays() if "critic" in name]
    made = next(model.sample(20, rng=stream(0, "sample")))
    assert np.isfinite(made.value).all() and set(made.frame["died"]) <= {"0", "1"}


@pytest.mark.slow
def test_levels_go_with_the_outcome_as_in_real_stays():
    train = stays(400, 0)
    plan = replace(SPEC.base, steps=400, rate=2e-3, look=100).to_json()
    model = SPEC.fit(train, rng=stream(0, "fit"), plan=plan)
    made = concat(list(model.sample(400, rng=stream(0, "sample"))))

    def apart(data) -> float:
        died = (data.frame["died"].astype(str) == "1").to_numpy()
        rate = data.channel == 2
        return data.value[rate & died[data.stay]].mean() - data.value[rate & ~died[data.stay]].mean()

    assert abs(apart(made) - apart(train)) < 0.5 * abs(apart(train))


def test_heads_that_do_not_divide_the_units_are_refused():
    with pytest.raises(UsageError, match="heads"):
        MttsGan(units=10, heads=4)
