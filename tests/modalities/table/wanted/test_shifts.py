from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.table.wanted.asked import Asked
from semblance.modalities.table.wanted.inside import code_means
from semblance.modalities.table.wanted.joint import Joint
from semblance.modalities.table.wanted.shifts import shifted, tilted
from tests.modalities.table.wanted.exact import exact


def test_a_tilted_marginal_has_the_mean_and_an_exponential_form():
    share, value = np.array([0.1, 0.4, 0.3, 0.2]), np.array([20.0, 40, 60, 80])
    made = tilted(share, value, 7.0, column="age")
    assert made.sum() == pytest.approx(1)
    assert made @ value == pytest.approx(share @ value + 7)
    slope = np.diff(np.log(made / share)) / np.diff(value)
    assert np.allclose(slope, slope[0])


def test_what_has_no_value_keeps_its_share():
    made = tilted(np.array([0.2, 0.4, 0.4]), np.array([np.nan, 0, 1]), 0.25, column="x")
    assert made[0] == pytest.approx(0.2) and made[2] / (made[1] + made[2]) == pytest.approx(0.75)


@pytest.mark.parametrize("by", [100.0, -100.0])
def test_a_mean_out_of_reach_is_refused(by):
    with pytest.raises(UsageError, match="smaller"):
        tilted(np.array([0.5, 0.5]), np.array([0.0, 1]), by, column="x")
    with pytest.raises(UsageError):
        tilted(np.array([1.0]), np.array([3.0]), by, column="x")


def test_several_columns_have_their_new_marginals_together():
    model = exact()
    asked = Asked.of(Wanted(shift={"age": 8, "diabetes": {"yes": 2.0}}), model.encoding)
    ages, diabetes = model.encoding.columns[0], model.encoding.columns[1]
    weights = {j: np.ones(model.joint.shape[j]) for j in (0, 1)}
    joint = Joint.of(model, weights, width=5, rng=stream(0))
    mass = shifted(joint, asked.shift, model.encoding)
    means = code_means(ages)
    age = [np.bincount(joint.codes(0), weights=m, minlength=ages.size) for m in (joint.mass, mass)]
    assert age[1] @ means == pytest.approx(age[0] @ means + 8)
    yes = [m[joint.codes(1) == diabetes.tokens.index("yes")].sum() for m in (joint.mass, mass)]
    assert yes[1] / (1 - yes[1]) == pytest.approx(2 * yes[0] / (1 - yes[0]))
