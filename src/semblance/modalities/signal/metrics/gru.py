"""Can a recurrent network tell synthetic pieces from real ones, and does it learn from them what comes next? Judges of
TimeGAN, where torch is installed."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.metrics.discriminative import score, side_of
from semblance.modalities.signal.metrics.samples import Measured, samples, too_few

METRIC = "fidelity.signal_discriminative_gru"
NEXT = "utility.signal_predictive_gru"
MISSING = 'a network needs torch, which is not installed: pip install "semblance[deep]"'
SAMPLES = 32  # of a piece, under means of neighbouring ones
PLAN = {"batch": 64, "rate": 1e-2, "weight_decay": 0.01, "warmup": 20}
STEPS = {"fast": 100, "standard": 150, "audit": 1_500}


@measures(METRIC)
def discriminative(evidence: Measured) -> tuple[Finding, ...]:
    """|accuracy - .5| of a network that tells synthetic from holdout pieces; 0 is best, .5 the worst.

    The discriminative score of TimeGAN (Yoon et al. 2019): two layers of gated recurrent units, here of width 32, on
    32 values of each lead. It sees the course of a piece and not its finest noise, which MiniRocket sees. Learned from
    two thirds of the patients and tested on the others. Control: train against holdout.
    """
    if find_spec("torch") is None:
        return (_finding(METRIC, status="not_applicable", reason=MISSING),)
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    drawn, told = samples(evidence), _sequences(evidence)
    sides = {part: side_of(evidence, part, one, told[part]) for part, one in drawn.items()}
    parts: tuple[Part, ...] = tuple(part for part in sides if part != "holdout")
    made = {part: score(sides[part], sides["holdout"], partial(_judge, evidence, part), folds=(0,)) for part in parts}
    return (_finding(METRIC, **slots(made), detail={"pieces": len(drawn["holdout"])}),)


@measures(NEXT)
def predictive(evidence: Measured) -> tuple[Finding, ...]:
    """Mean absolute error of a network one step ahead on holdout, in units of each lead's spread; lower is better.

    The predictive score of TimeGAN (Yoon et al. 2019): two layers of gated recurrent units, here of width 32, learn
    from synthetic pieces, of which they see 32 values of each lead, and say the next value of all leads from those
    before it. Control: learned from as many train pieces. Interval by patient, for the fitted networks.
    """
    if find_spec("torch") is None:
        return (_finding(NEXT, status="not_applicable", reason=MISSING),)
    if reason := too_few(evidence):
        return (_finding(NEXT, status="insufficient", reason=reason),)
    told, who = _sequences(evidence), samples(evidence)["holdout"].who
    if told["holdout"].shape[1] < 2:
        return (_finding(NEXT, status="not_applicable", reason="pieces are too short to predict their next values"),)
    parts: tuple[Part, ...] = tuple(part for part in told if part != "holdout")
    made = {part: _ahead(evidence, part, told[part], told["holdout"], who) for part in parts}
    return (_finding(NEXT, **slots(made), detail={"pieces": len(who)}),)


def _sequences(evidence: Measured) -> dict[Part, np.ndarray]:
    """(n, SAMPLES or a few more, leads) of each part, on train's level and spread."""
    drawn = samples(evidence)
    centre, spread = _level(drawn["train"].pieces.waves)
    return {part: short((one.pieces.waves - centre) / spread) for part, one in drawn.items()}


def _level(waves: np.ndarray) -> tuple[Any, Any]:
    """(leads, 1) means and standard deviations."""
    filled = np.nan_to_num(waves.astype(float))
    return filled.mean(axis=(0, 2))[:, None], np.maximum(filled.std(axis=(0, 2)), 1e-9)[:, None]


def short(waves: np.ndarray, samples: int = SAMPLES) -> np.ndarray:
    """(n, `samples` or a few more, leads) means of neighbouring samples of (n, leads, samples) waves."""
    step = max(waves.shape[2] // samples, 1)
    cut = np.nan_to_num(waves[:, :, : waves.shape[2] // step * step])
    made: np.ndarray = cut.reshape(*cut.shape[:2], -1, step).mean(axis=3).transpose(0, 2, 1)
    return made


def _judge(evidence: Measured, part: Part, x: np.ndarray, made: np.ndarray, test: np.ndarray) -> np.ndarray:
    from semblance.learn.objectives.telling import told_apart

    return told_apart(x, made, test, plan=_plan(evidence), rng=stream(evidence.seed, "gru", part))


def _ahead(evidence: Measured, part: Part, x: np.ndarray, test: np.ndarray, who: np.ndarray) -> Estimate:
    from semblance.learn.objectives.ahead import errors_ahead

    # From the same first weights and batches, so that what is learned from differs and nothing else.
    return mean(errors_ahead(x, test, plan=_plan(evidence), rng=stream(evidence.seed, "ahead")), clusters=who)


def _plan(evidence: Measured) -> Any:
    from semblance.learn.trainer import TrainPlan

    return TrainPlan(steps=STEPS[evidence.tier], **PLAN)  # type: ignore[arg-type]


_finding = Wording(
    {
        METRIC: (
            "Told from real by a network",
            "How much more often than by chance a recurrent network is right about what is synthetic (0: never more; "
            ".5: always right).",
        ),
        NEXT: (
            "Next values by a network",
            "How far off a recurrent network that learned from synthetic waves is when it says the next value of real "
            "ones, as a share of their spread (near the control: as good as one that learned from real waves).",
        ),
    }
)
