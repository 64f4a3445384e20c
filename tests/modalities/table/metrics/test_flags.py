from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.metrics.flags import counted, together
from semblance.modalities.table.metrics.samples import samples
from tests.modalities.table.metrics.drawn import framed


def parts(n: int = 300):
    return framed(*(pd.DataFrame({"x": stream(seed).normal(size=n)}) for seed in range(3)))


def test_counts_are_of_all_and_without_each_block():
    sample = samples(parts())["holdout"]
    flags = stream(3).random((300, 4)) < 0.3
    both, records = counted(sample, flags)
    rest = flags[sample.block != 2].astype(int)
    assert np.array_equal(both[..., 0], flags.astype(int).T @ flags) and records[0] == 300
    assert np.array_equal(both[..., 3], rest.T @ rest) and records[3] == len(rest)


def test_flags_that_part_are_seen_by_the_difference_of_their_correlation():
    evidence = parts()
    one = np.arange(300) % 2 == 0
    same, apart = np.stack([one, one], axis=1), np.stack([one, np.arange(300) % 4 < 2], axis=1)
    both = {
        part: counted(samples(evidence)[part], same if part != "synthetic" else apart) for part in samples(evidence)
    }
    told = together(evidence, both)
    assert told["value"] == pytest.approx(1) and told["control"] == pytest.approx(0)
