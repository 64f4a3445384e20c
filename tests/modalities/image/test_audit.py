"""The audit of private networks of images: it hears the planted patient, and broken mechanisms do not pass."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.promise import Steps
from semblance.learn import white_box
from semblance.learn.white_box import WhiteBox
from semblance.modalities.image import audit as audits
from semblance.modalities.image.audit import RECORDS, audit, planted
from semblance.modalities.image.generators import private
from semblance.modalities.image.generators.diffusion import Diffusion
from semblance.modalities.image.generators.vae import Vae
from semblance.privacy.audit import budget
from tests.broken import BROKEN, FEW, IN_EACH, shortly

SPEC = Vae(channels=1, latent=2)


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few canaries, and little that is counted: gradients are what is attacked."""
    monkeypatch.setattr(audits, "CANARIES", 3)
    monkeypatch.setattr(private, "COUNTED", 1e-4)


@pytest.mark.parametrize("broken", (*IN_EACH, "no clip"))
def test_a_broken_mechanism_is_caught(broken, monkeypatch):
    shortly(broken, monkeypatch)
    found = audit(SPEC, **FEW)
    assert not found.holds, found


def test_a_patient_of_several_images_is_heard_once(monkeypatch):
    """In every batch and without noise it adds about one over the square of the noise in every step, and no more."""
    one = planted(0)
    assert len(one) == RECORDS > 1 == len(np.unique(one.subjects))
    monkeypatch.setattr(white_box, "STEPS", 4)
    BROKEN["noise is off"](monkeypatch)
    BROKEN["no coins"](monkeypatch)
    attack, heard = WhiteBox(SPEC, one.take(np.arange(1))), []
    for there in (one, one.take(np.arange(0))):
        with budget(2.0, 1e-5) as ledger:
            heard.append(attack.scores(there, ledger)[0])
            (steps,) = (part for part in ledger.spent() if isinstance(part, Steps))
    assert 0.5 < (heard[0] - heard[1]) * steps.sigma**2 / steps.count < 1.1


def test_the_other_network_is_attacked_as_it_is(monkeypatch):
    monkeypatch.setattr(white_box, "STEPS", 3)
    one = planted(0)
    attack = WhiteBox(Diffusion(channels=4, components=2, steps=3), one.take(np.arange(1)))
    assert all(np.isfinite(attack.score(own, 1.0, 1e-5)) for own in (one, None))
