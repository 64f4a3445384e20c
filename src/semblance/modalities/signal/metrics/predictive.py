"""How well is the next value predicted on real pieces by what synthetic pieces taught?"""

from __future__ import annotations

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.metrics.ridge import ridge
from semblance.modalities.signal.metrics.samples import Measured, samples, too_few

METRIC = "utility.signal_predictive"
LAGS = 24  # values of each lead that are known
STEPS = 6  # places of each piece that are predicted
AHEAD = 5  # samples: the very next one is mostly told by the last


@measures(METRIC)
def predictive(evidence: Measured) -> tuple[Finding, ...]:
    """Mean absolute error of the value five samples ahead in holdout, in units of each lead's spread; lower is better.

    The predictive score of TimeGAN (Yoon et al. 2019) with a linear model of the last 24 values of all leads under a
    ridge, learned from synthetic pieces and tested on holdout. Control: learned from as many train pieces. Interval by
    patient, for the fitted model.
    """
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    if evidence.train.waves.shape[2] < LAGS + AHEAD + STEPS:
        return (_finding(METRIC, status="not_applicable", reason="pieces are too short to predict their next values"),)
    drawn = samples(evidence)
    spread = np.nanstd(drawn["train"].pieces.waves.astype(float), axis=(0, 2))
    spread = np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)
    told = {part: steps(one.pieces, spread, rng=stream(evidence.seed, "steps", part)) for part, one in drawn.items()}
    who = np.repeat(drawn["holdout"].who, STEPS)
    parts: tuple[Part, ...] = tuple(part for part in drawn if part != "holdout")
    numbers = {part: _error(told[part], told["holdout"], who) for part in parts}
    return (_finding(METRIC, **slots(numbers), detail={"ahead": AHEAD, "lags": LAGS}),)


def steps(pieces: Pieces, spread: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(STEPS * n, leads * LAGS) known values and (STEPS * n, leads) values ahead, at random places of each piece."""
    waves = np.nan_to_num(pieces.waves / spread[:, None])
    n, leads, length = waves.shape
    start = rng.integers(0, length - LAGS - AHEAD + 1, (n, STEPS))
    at = start[:, :, None] + np.append(np.arange(LAGS), LAGS - 1 + AHEAD)
    taken = np.take_along_axis(waves[:, None], at[:, :, None, :], axis=3).reshape(n * STEPS, leads, LAGS + 1)
    return taken[:, :, :-1].reshape(n * STEPS, -1).astype(float), taken[:, :, -1].astype(float)


def _error(learned: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], who: np.ndarray) -> Estimate:
    model = ridge(*learned)
    return mean(np.abs(model(test[0]) - test[1]).mean(axis=1), clusters=who)


_finding = Wording(
    {
        METRIC: (
            "Next values",
            "How far off a model that learned from synthetic waves is when it continues real ones, as a share of their "
            "spread (near the control: as good as one that learned from real waves).",
        )
    }
)
