"""The audit of private networks of recordings: broken mechanisms do not pass."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.learn import white_box
from semblance.learn.white_box import WhiteBox
from semblance.modalities.signal import audit as audits
from semblance.modalities.signal import cosines
from semblance.modalities.signal.audit import audit, simulated
from semblance.modalities.signal.generators import private
from semblance.modalities.signal.generators.diffusion import Diffusion
from semblance.modalities.signal.generators.private import Work
from semblance.modalities.signal.generators.timevae import TimeVae
from tests.broken import FEW, IN_EACH, shortly


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few canaries, and little that is made up or counted: gradients are what is attacked."""
    monkeypatch.setattr(cosines, "KEPT", 8)
    monkeypatch.setattr(private, "COUNTED", (1e-4, 1e-4, 1e-4))
    monkeypatch.setattr(audits, "CANARIES", 3)
    monkeypatch.setattr(private, "STAND_IN", 3)


@pytest.mark.parametrize("broken", IN_EACH)
def test_a_broken_mechanism_is_caught(broken, monkeypatch):
    """Without a clip lengths follow from noisy counts, and so runs cannot be compared: that is tried on images."""
    shortly(broken, monkeypatch)
    found = audit(TimeVae(latent=2, channels=2), **FEW)
    assert not found.holds, found


def test_all_beats_of_a_planted_patient_are_the_same_and_nobody_elses():
    two = simulated(2, 0, public=2)
    pieces = Work.of(two).pieces(two)
    waves = [pieces.waves[pieces.source == i] for i in (0, 1)]
    assert all(len(own) > 3 and np.ptp(own, axis=0).max() == 0 for own in waves)
    assert np.abs(waves[0][0] - waves[1][0]).max() > 0.5


def test_the_other_network_is_attacked_as_it_is(monkeypatch):
    monkeypatch.setattr(white_box, "STEPS", 3)
    one = simulated(1, 0, public=200)
    attack = WhiteBox(Diffusion(width=8, blocks=1), one)
    assert all(np.isfinite(attack.score(own, 1.0, 1e-5)) for own in (one, None))
