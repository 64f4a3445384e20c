from __future__ import annotations

import numpy as np
import pytest

from semblance.modalities.vitals.digits import decimals_of


@pytest.mark.parametrize(("values", "digits"), [([1, 2], 0), ([36.6, 37], 1), ([0.21, 1], 2), ([1 / 3], 6)])
def test_the_fewest_decimals_that_hold_the_values(values, digits):
    assert decimals_of(np.array(values, dtype=float)) == digits


def test_single_values_with_more_decimals_do_not_count():
    assert decimals_of(np.append(np.arange(99.0), 0.123)) == 0
