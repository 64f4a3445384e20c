"""Mechanisms of DP-SGD that do not do what is paid for. An audit that none of them fails would show nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from semblance.learn import rules, white_box


def without_noise(patch: pytest.MonkeyPatch) -> None:
    """Sums of gradients as they are."""
    patch.setattr(rules, "normal", lambda count: np.zeros(count, dtype=np.float32))


def without_clip(patch: pytest.MonkeyPatch) -> None:
    """Gradients as long as they are."""
    patch.setattr(rules.Private, "weights", lambda self, lengths: torch.ones_like(lengths))


def without_coins(patch: pytest.MonkeyPatch) -> None:
    """A patient is in every batch: opacus accounts for Poisson samples also where a loader shuffles or draws by weights
    (#571, #813)."""
    patch.setattr(rules, "sampled", lambda count, rate: np.arange(count))


BROKEN: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "noise is off": without_noise,
    "no clip": without_clip,
    "no coins": without_coins,
}


def shortly(broken: str, patch: pytest.MonkeyPatch) -> None:
    """Break what an audit attacks, and let it see one step with the patient, or several that it should hardly be in."""
    BROKEN[broken](patch)
    patch.setattr(white_box, "STEPS", 16 if broken == "no coins" else 1)
    patch.setattr(white_box, "RATE", 0.005 if broken == "no coins" else 1.0)


IN_EACH = ("noise is off", pytest.param("no coins", marks=pytest.mark.slow))
"""Those that each modality's audit is tried on. Coins are thrown for all of them in learn/, and tried there."""

FEW: dict[str, Any] = {"epsilon": 2.0, "delta": 1e-5, "trials": 4, "confidence": 0.8, "seed": 0}
"""The shortest audit that catches what tells the patient in all runs."""
