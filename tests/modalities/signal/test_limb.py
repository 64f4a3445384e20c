from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.data import Lead, Recordings
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.limb import agreed, kept, tied, ties, untangled
from tests.modalities.signal import simulated

SIX = ("I", "II", "III", "aVR", "aVL", "aVF")


def limbs(two: np.ndarray) -> np.ndarray:
    """(samples, 6) limb leads of (samples, 2) values of I and II."""
    one, second = two.T
    return np.stack([one, second, second - one, -(one + second) / 2, one - second / 2, second - one / 2], 1)


def twelve(n: int, seed: int) -> Recordings:
    """Simulated recordings of the six limb leads and V1."""
    whole = simulated.recordings(n, seed)
    ones = []
    for one in whole.recordings:
        two = one.values()
        values = np.column_stack([limbs(two), two[:, 0]]).astype(np.float32)
        leads = tuple(Lead(name, "mV", 200, 0, "16") for name in (*SIX, "V1"))
        ones.append(replace(one, leads=leads, values=lambda values=values: values))
    return replace(whole, recordings=tuple(ones))


@pytest.mark.parametrize("names", [SIX, ("aVF", "V1", "III", "I"), ("aVL", "aVR", "III")])
def test_any_two_say_the_others(names: tuple[str, ...]) -> None:
    true = limbs(stream(0).normal(size=(100, 2)))
    values = np.stack([true[:, SIX.index(name)] if name in SIX else np.zeros(100) for name in names], 1)
    found = ties(names)
    assert len(found) == sum(name in SIX for name in names) - 2
    spoilt = values.copy()
    spoilt[:, [tie.lead for tie in found]] = 7
    assert tied(spoilt, found, [Lead(name, gain=1e6) for name in names]) == pytest.approx(values, abs=1e-5)


@pytest.mark.parametrize("names", [SIX, ("aVF", "V1", "III", "I")])
def test_a_file_keeps_the_identities_to_the_last_bit(names: tuple[str, ...]) -> None:
    """They once were off by one step, since each lead was rounded by itself."""
    leads = [Lead(name, gain=200.0) for name in names]
    true = limbs(stream(0).normal(size=(500, 2)))
    values = np.stack([true[:, SIX.index(name)] if name in SIX else np.zeros(500) for name in names], 1)
    digital = np.round(tied(values.astype(np.float32), ties(names), leads).astype(float) * 200)
    for tie in ties(names):
        assert np.array_equal(tie.value(digital), digital[:, tie.lead])
    assert np.abs(digital / 200 - values).max() < 2.1 / 200


def test_in_gaps_measured_limb_leads_stay_and_drawn_ones_agree() -> None:
    """What was drawn for each lead by itself once broke the identities."""
    true = limbs(stream(2).normal(size=(60, 2)))
    measured = np.ones((60, 6), dtype=bool)
    measured[:20], measured[20:40] = False, False
    measured[20:40, 4] = True  # aVL alone
    drawn = np.where(measured, true, stream(3).normal(size=(60, 6)))
    found = agreed(drawn, measured, SIX)
    assert limbs(found[:, :2]) == pytest.approx(found)
    assert np.array_equal(found[measured], true[measured])
    assert np.array_equal(found[:20, :2], drawn[:20, :2])


def test_two_limb_leads_are_not_tied_and_leads_that_disagree_are_left_alone() -> None:
    assert ties(("I", "V1", "II")) == ()
    free = stream(1).normal(size=(500, 3))
    assert kept(("I", "II", "III"), [free]) == ()
    assert len(kept(("I", "II", "III"), [limbs(free[:, :2])[:, :3]])) == 1


def test_a_missing_limb_lead_is_computed_from_two_others() -> None:
    true = limbs(stream(2).normal(size=(50, 2)))
    values = true.copy()
    values[:, 0], values[10:20, 3] = np.nan, np.nan
    assert untangled(values, SIX) == pytest.approx(true)
    values[:, 1:] = np.nan
    assert np.isnan(untangled(values, SIX)).all()


def test_synthetic_limb_leads_keep_the_identities_exactly_and_gaps_are_computed() -> None:
    data = twelve(20, 3)
    model = Floor(components=16).fit(data, rng=stream(3, "fit"))
    for part in model.sample(3, rng=stream(3, "sample")):
        for one in part.recordings:
            values = one.values()
            assert np.abs(limbs(values[:, :2]) - values[:, :6]).max() < 1e-5
            digital = np.round(values.astype(float) * 200)
            assert np.array_equal(limbs(digital[:, :2]), digital[:, :6])
    first = data.recordings[0]
    values = first.values().copy()
    values[:, 2] = np.nan
    gappy = replace(data.take(np.array([0])), recordings=(replace(first, values=lambda: values),))
    made = model.impute(gappy, rng=stream(3, "fill")).recordings[0].values()
    assert made[:, 2] == pytest.approx(first.values()[:, 2], abs=1e-5)
    values[1000:1400] = np.nan  # all leads
    made = model.impute(gappy, rng=stream(3, "fill")).recordings[0].values()
    assert made[:, :6] == pytest.approx(limbs(made[:, :2]), abs=1e-5)
