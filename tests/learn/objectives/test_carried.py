from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn.nets.carrier import Carrier
from semblance.learn.nets.conditioned import Parts
from semblance.learn.objectives.carried import Carried
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end

PARTS = Parts(64, 64, 1)


def pairs(n: int) -> np.ndarray:
    """A target that no linear function of its source tells, and that is brighter or darker as a whole by chance."""
    rng = stream(n, "pairs")
    x = rng.normal(size=(n, 64))
    target = np.abs(x) - 0.8 + 0.5 * rng.choice([-1, 1], size=(n, 1))
    return np.column_stack([target, x, np.zeros(n)]).astype(np.float32)


@pytest.fixture(scope="module")
def trained() -> Carried:
    made, rows = Carried(Carrier(PARTS, (1, 8, 8), 1, width=16, blocks=1, side=8), steps=6), pairs(200)
    made.start(rows, rng=stream(0, "start"))
    plan = TrainPlan(steps=240, batch=16, rate=4e-3, weight_decay=0.0, ema=0.97)
    train_to_end(made, Rows(rows, np.arange(200)), plan, rng=stream(0, "train"))
    return made


def drawn(made: Carried, fresh: np.ndarray, steps: int) -> np.ndarray:
    made.steps = steps
    return made.sample(fresh[:, 64:128], np.zeros(len(fresh)), rng=stream(0, "s"))


def test_one_step_ends_at_the_mean_and_more_draw_what_the_source_does_not_tell(trained: Carried) -> None:
    fresh = pairs(60)
    mean, one = drawn(trained, fresh, 1), drawn(trained, fresh, 6)
    told = np.abs(fresh[:, 64:128]) - 0.8
    assert np.abs(mean - told).mean() < 0.65 * np.abs(told).mean()
    assert np.corrcoef(one.ravel(), told.ravel())[0, 1] > 0.6
    assert (one - told).mean(1).std() > 2 * (mean - told).mean(1).std()


def test_what_is_known_of_a_target_stays(trained: Carried) -> None:
    fresh = pairs(20)
    none, labels = np.full((20, 64), np.nan, np.float32), np.zeros(20, np.int64)
    given, how = fresh[:, 64:128], {"rng": stream(0, "s")}
    whole = trained.complete(none, given, labels, **how)
    assert whole.tobytes() == trained.sample(given, labels, rng=stream(0, "s")).tobytes()
    holed = fresh[:, :64].copy()
    holed[:, :32] = np.nan
    made = trained.complete(holed, given, labels, rng=stream(0, "s"))
    assert (made[:, 32:] == fresh[:, 32:64]).all() and np.isfinite(made).all()
    # The half that is known tells whether the image is a bright one.
    assert np.abs(made[:, :32] - fresh[:, :32]).mean() < 0.5
