"""Vectors of stays under declarations and counts: normal, each by itself, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Channel, Stays, concat
from semblance.modalities.vitals.encoding.public import PublicEncoding, posterior
from tests.modalities.vitals.declared import declared
from tests.modalities.vitals.encoding.test_counted import counted


@pytest.fixture(scope="module")
def whole() -> tuple[PublicEncoding, Stays]:
    made, stays = counted()
    return PublicEncoding.of(stays, made), stays


@pytest.fixture(scope="module")
def made(whole) -> Stays:
    """Stays of the real ones' own vectors: what a network that learned them to perfection would draw."""
    code, stays = whole
    learned = code.vectors(stays, rng=stream(0, "vectors"))
    return code.stays(learned.coefficients, learned.labels, first=0, rng=stream(0, "stays"))


def test_numbers_are_about_normal_also_of_channels_that_stays_lack(whole):
    code, stays = whole
    rows = code.vectors(stays, rng=stream(0, "vectors")).coefficients
    assert rows.shape == (300, code.sizes.numbers)
    assert np.median(np.abs(rows.mean(0))) < 0.2 and rows.std(0).max() < 3 and np.median(rows.std(0)) > 0.7
    alone = code.vectors(stays.kept(np.zeros(len(stays.value), dtype=bool)), rng=stream(0, "vectors")).coefficients
    assert np.isfinite(alone).all()


def test_the_way_back_keeps_how_often_and_how_high(whole, made):
    _, stays = whole
    for i, name in enumerate(stays.names):
        real, mine = (np.bincount(s.stay[s.channel == i], minlength=300) for s in (stays, made))
        assert mine.mean() == pytest.approx(real.mean(), rel=0.2), name
        assert (mine > 0).mean() == pytest.approx((real > 0).mean(), abs=0.05), name
        real, mine = (s.value[s.channel == i] for s in (stays, made))
        assert mine.mean() == pytest.approx(real.mean(), abs=0.35 * real.std()), name
        # A stay's own level comes back.
        both = [np.bincount(s.stay[s.channel == i], s.value[s.channel == i], minlength=300) for s in (stays, made)]
        count = [np.bincount(s.stay[s.channel == i], minlength=300) for s in (stays, made)]
        some = (count[0] > 3) & (count[1] > 3)
        if some.sum() > 50:
            assert np.corrcoef(both[0][some] / count[0][some], both[1][some] / count[1][some])[0, 1] > 0.5, name
    assert made.frame["age"].corr(stays.frame["age"]) > 0.95
    assert (made.frame["died"].astype(str) == stays.frame["died"].astype(str)).all()


def test_panels_come_together_and_pressures_keep_their_order(whole, made):
    at = {tuple(k): v for *k, v in zip(made.stay, made.minute, made.channel, made.value, strict=True)}
    triples = [[at.get((s, m, c)) for c in (5, 4, 0)] for s, m in {k[:2] for k in at}]
    full = [t for t in triples if None not in t]
    assert len(full) > 100 and all(a >= b >= c for a, b, c in full)
    assert (made.minute % 60 == 0).all() and made.minute.max() < 24 * 60
    limits = np.array(whole[1].public.limits)
    assert ((made.value >= limits[made.channel, 0]) & (made.value <= limits[made.channel, 1])).all()


def test_temperature_keeps_its_four_hours():
    """In stays of which each begins at an hour of its own."""
    stays = declared(300, 1)
    late = stays.minute + 60.0 * np.random.default_rng(0).integers(0, 4, 300)[stays.stay]
    stays = replace(stays, minute=late).kept(late < 24 * 60)
    code = PublicEncoding.of(stays, counted(stays)[0])
    learned = code.vectors(stays, rng=stream(0, "vectors"))
    made = code.stays(learned.coefficients, learned.labels, first=0, rng=stream(0, "stays"))

    def gaps(s: Stays) -> np.ndarray:
        own = s.channel == 6
        stay, minute = s.stay[own], s.minute[own]
        return np.diff(minute)[stay[1:] == stay[:-1]]

    real, mine = gaps(stays), gaps(made)
    assert np.median(real) == 240 and abs(np.median(mine) - 240) <= 60
    assert (mine < 120).mean() < 0.1  # by chance it would be a quarter


def test_a_vector_depends_on_no_other_stay(whole):
    code, stays = whole

    class Still:
        """Randomness that is none: all that is left is what a stay says."""

        def random(self, n):
            return np.full(n, 0.5)

        def standard_normal(self, n):
            return np.zeros(n)

    every = code.vectors(stays, rng=Still()).coefficients
    one = code.vectors(stays.take(np.array([7])), rng=Still()).coefficients
    assert np.allclose(every[7], one[0], atol=1e-6)


def test_it_is_saved_and_restored(whole):
    code, _ = whole
    again = PublicEncoding.restored(code.to_json(), code.arrays())
    numbers, labels = stream(0, "n").standard_normal((5, code.sizes.numbers)), np.zeros(5, dtype=int)
    one, other = (c.stays(numbers, labels, first=0, rng=stream(1, "s")) for c in (code, again))
    assert np.array_equal(one.value, other.value) and one.frame.equals(other.frame)
    assert one.schema == other.schema and concat([one, other]).layout == code.layout


def test_cells_are_drawn_from_what_was_measured_of_their_channel(whole):
    code, _ = whole
    stays = declared(3, 9)
    own = (stays.channel == 2) & (stays.minute > 12 * 60)
    gaps = replace(stays, value=np.where(own, np.nan, stays.value))
    made = code.completed(gaps, seed=3)
    assert np.array_equal(made.value[~own], stays.value[~own]) and np.isfinite(made.value).all()
    for i in range(3):
        mine = own & (stays.stay == i)
        before = (stays.channel == 2) & ~own & (stays.stay == i)
        assert abs(made.value[mine].mean() - stays.value[before].mean()) < 15
    with pytest.raises(UsageError, match="does not know"):
        code.completed(replace(gaps, channels=(*gaps.channels[:2], Channel("X"), *gaps.channels[3:])), seed=0)


def test_much_that_was_measured_leaves_little_open():
    rng = np.random.default_rng(0)
    spread, left = np.array([[4.0, 1.0]]), np.array([[[[1e8, 0.0], [0.0, 1e8]]]])
    made = posterior(left, np.array([[[2e8, -1e8]]]), spread, rng=rng)
    assert made[0, 0] == pytest.approx([1.0, -1.0], abs=1e-3)
    none = posterior(np.zeros((4000, 1, 2, 2)), np.zeros((4000, 1, 2)), spread, rng=rng)
    assert none.std(0)[0] == pytest.approx([1, 1], abs=0.05)
