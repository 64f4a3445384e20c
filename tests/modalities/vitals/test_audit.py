"""The audit of private networks of stays: broken mechanisms do not pass."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.learn import white_box
from semblance.learn.white_box import WhiteBox
from semblance.modalities.vitals import audit as audits
from semblance.modalities.vitals.audit import audit, simulated
from semblance.modalities.vitals.generators import private
from semblance.modalities.vitals.generators.diffusion import Diffusion
from tests.broken import FEW, IN_EACH, shortly

SPEC = Diffusion(width=16, depth=1)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few canaries, little that is counted, and one step that all are in: gradients are what is attacked."""
    monkeypatch.setattr(private, "COUNTED", (1e-4, 1e-4))
    monkeypatch.setattr(private, "STAND_IN", 3)
    monkeypatch.setattr(audits, "CANARIES", 3)
    monkeypatch.setattr(white_box, "STEPS", 1)
    monkeypatch.setattr(white_box, "RATE", 1.0)


@pytest.mark.parametrize("broken", IN_EACH)
def test_a_broken_mechanism_is_caught(broken, monkeypatch):
    """Without a clip lengths follow from noisy counts, and so runs cannot be compared: that is tried on images."""
    shortly(broken, monkeypatch)
    if broken == "no coins":
        monkeypatch.setattr(white_box, "STEPS", 40)  # fewer do not tell it for sure
    found = audit(SPEC, **FEW)
    assert not found.holds, found


def test_counts_of_stays_instead_of_patients_are_caught(monkeypatch):
    """Whoever counts all twenty stays of a patient as if each were another's gives it away."""
    from semblance.privacy import ledger

    monkeypatch.setattr(private, "COUNTED", (0.9, 0.05))
    monkeypatch.setattr(white_box.Listener, "__call__", lambda self, turn, noisy: None)  # counts alone are attacked
    monkeypatch.setattr(ledger, "chosen", lambda subjects, most: np.arange(len(subjects)))
    found = audit(SPEC, **FEW)
    assert not found.holds, found


def test_the_mechanism_as_it_is_passes():
    """Twelve runs on a side: fewer would tell a patient apart by chance, one time in seventy."""
    found = audit(SPEC, **{**FEW, "trials": 12, "confidence": 0.99})
    assert found.holds, found
    one = simulated(1, 0, public=audits.PATIENTS)
    attack = WhiteBox(SPEC, one)
    assert all(np.isfinite(attack.score(own, FEW["epsilon"], FEW["delta"])) for own in (one, None))


def test_a_planted_stay_is_measured_in_every_bin():
    one = simulated(1, 0, public=audits.PATIENTS)
    assert np.ptp(one.value.reshape(-1, 4), axis=0).max() == 0 and len(one.value) == 48 * 4
