"""What holds of every generator of waves in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn import trainer
from semblance.learn.drawn import Fitting, Learned
from semblance.modalities.signal.generators.rgan import RcGan
from semblance.modalities.signal.generators.timed import TimedSpec
from semblance.modalities.signal.generators.timegan import TimeGan
from semblance.modalities.signal.generators.timevae import TimeVae
from semblance.modalities.signal.generators.tts_gan import TtsGan
from semblance.modalities.signal.generators.wgan_gp import WganGp
from semblance.modalities.signal.waveform import cosines, in_time

# Tiny ones, and the steps and rates by which they learn the arches.
TINY: dict[TimedSpec, tuple[int, float]] = {
    WganGp(latent=8, channels=8, turns=2): (100, 5e-3),
    RcGan(latent=32, units=32, frame=16): (300, 5e-3),
    TimeVae(latent=2, channels=4): (250, 1e-2),
    TtsGan(units=16, depth=1): (200, 5e-3),
    TimeGan(units=16, frame=16): (240, 1e-2),
}
QUICK = "wgan_gp"
LEADS, SAMPLES = 2, 64


@pytest.fixture(scope="module", params=TINY, ids=lambda spec: spec.card.name)
def spec(request) -> TimedSpec:
    return request.param


def arches(n: int = 600) -> Learned:
    """Waves that rise and fall, each a little differently; of kind 1 the second lead is turned over."""
    rng = stream(0, "arches")
    labels, given = np.arange(n) % 2, rng.normal(0, 1, (n, 1)).astype(np.float32)
    arch = np.sin(np.linspace(0, np.pi, SAMPLES)) * rng.normal(1, 0.1, (n, 1, 1))
    waves = arch * np.stack([np.ones(n), np.where(labels, -1, 1)], 1)[:, :, None] + rng.normal(0, 0.5, (n, 2, SAMPLES))
    return Learned(cosines(waves), labels, given, np.arange(n) // 50, 2, LEADS)


def fitting(spec: TimedSpec, *, steps: int, rate: float = 1e-3, watch=None, resume=None) -> Fitting:
    plan = replace(spec.base, steps=steps, rate=rate, batch=32, look=steps).to_json()
    return Fitting(stream(1, "fit"), plan, watch, resume)


@pytest.mark.parametrize(
    ("spec", "steps", "rate"),
    [
        pytest.param(spec, *pace, id=spec.card.name, marks=() if spec.card.name == QUICK else pytest.mark.slow)
        for spec, pace in TINY.items()
    ],
)
def test_after_some_steps_waves_look_like_those_of_their_kind(spec, steps, rate):
    learned = arches()
    made = spec.learn(learned, fitting(spec, steps=steps, rate=rate))
    drawn = in_time(made.draw(learned.labels, learned.given, rng=stream(2, "draw")), leads=LEADS)
    real = in_time(learned.coefficients, leads=LEADS)
    for kind in (0, 1):
        one, two = (waves[learned.labels == kind].mean(0).ravel() for waves in (drawn, real))
        assert np.linalg.norm(one - two) < 0.6 * np.linalg.norm(two)
    assert 0.05 < drawn.std(0).mean() < 1


class Stopped(Exception):
    pass


def test_a_resumed_training_ends_in_the_same_bytes(spec, tmp_path, monkeypatch):
    learned = arches(64)
    whole = spec.learn(learned, fitting(spec, steps=6))
    ticks = 0

    def stop(tick) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 4:
            raise Stopped

    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(Stopped):
        spec.learn(learned, fitting(spec, steps=6, watch=stop, resume=tmp_path))
    again = spec.learn(learned, fitting(spec, steps=6, resume=tmp_path))
    for name, weight in whole.arrays().items():
        assert np.array_equal(weight, again.arrays()[name]), name


def test_only_what_draws_is_saved_and_it_draws_the_same(spec):
    learned = arches(64)
    made = spec.learn(learned, fitting(spec, steps=2))
    assert not [name for name in made.arrays() if "critic" in name]
    again = spec.waves(spec.to_json(), learned.sizes, made.arrays())
    one, two = (m.draw(learned.labels, learned.given, rng=stream(2, "draw")) for m in (made, again))
    assert np.array_equal(one, two)
