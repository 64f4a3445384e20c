from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.data import concat
from semblance.modalities.table.generators.diffusion import Diffusion
from semblance.modalities.table.generators.packed import PackedSpec
from semblance.modalities.table.generators.vae import Vae
from tests.contracts.samples import WEIRD, cohort

SPECS = (Diffusion(width=16, blocks=1, steps=3), Vae(width=16, latent=4))


@pytest.mark.parametrize("spec", SPECS, ids=["diffusion", "vae"])
def test_the_plan_bounds_the_steps_and_repeats_the_bytes(spec: PackedSpec) -> None:
    table, steps = cohort(200, 1), []
    plan = replace(spec.base, steps=25, look=10).to_json()
    first = spec.fit(table, rng=stream(1), plan=plan, watch=lambda tick: steps.append(tick.step))
    second = spec.fit(table, rng=stream(1), plan=plan)
    assert steps == list(range(1, 26))
    assert all(np.array_equal(v, second.arrays()[k]) for k, v in first.arrays().items())


@pytest.mark.parametrize("spec", SPECS, ids=["diffusion", "vae"])
def test_what_is_loaded_draws_the_same_codes(spec: PackedSpec, tmp_path) -> None:
    model = spec.fit(cohort(200, 1), rng=stream(1), plan=replace(spec.base, steps=20).to_json())
    model.save(tmp_path)
    again = type(spec).load(tmp_path)
    assert np.array_equal(model.draw(30, rng=stream(2)), again.draw(30, rng=stream(2)))


@pytest.mark.parametrize("spec", SPECS, ids=["diffusion", "vae"])
def test_a_budget_becomes_steps_within_the_ceiling_of_passes(spec: PackedSpec) -> None:
    plan = replace(spec, epochs=1).plan(cohort(3000, 1), rng=stream(0), time_budget=0.5)
    assert 20 <= plan["steps"] <= 600


@pytest.mark.parametrize("spec", SPECS, ids=["diffusion", "vae"])
def test_nothing_to_learn_is_drawn_all_the_same(spec: PackedSpec) -> None:
    model = spec.fit(WEIRD["one row"](), rng=stream(0))
    assert len(concat(list(model.sample(5, rng=stream(1))))) == 5
