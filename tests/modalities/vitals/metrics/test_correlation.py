from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.modalities.vitals.metrics.correlation import correlation, pairwise
from tests.modalities.vitals.evidences import evidence
from tests.modalities.vitals.simulated import unrelated


def test_correlations_over_rows_that_have_both_are_those_of_pandas():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    x[rng.random(x.shape) < 0.3] = np.nan
    made, count = pairwise(x)
    assert np.allclose(made, pd.DataFrame(x).corr(), atol=1e-6)
    assert count[0, 1] == np.isfinite(x[:, :2]).all(1).sum()


def test_channels_that_are_unrelated_are_seen():
    (before,), (after,) = correlation(evidence()), correlation(evidence(unrelated))
    assert after.estimate.value > before.estimate.value + 0.05
    assert after.detail["pairs"][0]["value"] >= after.detail["pairs"][-1]["value"]
