from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from semblance.core.rng import stream
from semblance.modalities.table.metrics.correlation import correlation
from tests.contracts.samples import WEIRD, shuffled
from tests.modalities.table.metrics.drawn import evidence, framed, thirds


def related(n: int, slope: float, rng: np.random.Generator) -> pd.DataFrame:
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": slope * x + rng.normal(size=n)})


def test_numbers_are_scipys():
    rng = stream(0)
    parts = [related(500, slope, rng) for slope in (1.0, 1.0, 0.2)]
    (finding,) = correlation(framed(*parts))
    gaps = []
    for coefficient in (pearsonr, spearmanr):
        real, made = (coefficient(part["x"], part["y"]).statistic for part in parts[1:])
        gaps.append(abs(made - real))
    assert [finding.detail["kinds"][kind] for kind in ("pearson", "spearman")] == pytest.approx(gaps)
    assert finding.estimate.value == pytest.approx(np.mean(gaps))
    assert [column["value"] for column in finding.detail["columns"]] == pytest.approx([np.mean(gaps)] * 2)


def test_every_kind_of_pair_sees_a_lost_relation():
    train, holdout, made = thirds()
    good = correlation(evidence(train, holdout, made))[0]
    bad = correlation(evidence(train, holdout, shuffled(made, stream(1))))[0]
    assert bad.estimate.low > good.estimate.high
    assert all(bad.detail["kinds"][kind] > good.detail["kinds"][kind] for kind in ("pearson", "spearman", "eta"))
    assert set(bad.detail["kinds"]) == {"pearson", "spearman", "eta", "cramer"}


def test_units_do_not_matter_and_absurd_values_do_not_decide():
    rng = stream(0)
    parts = [related(500, 1.0, rng) for _ in range(3)]
    plain = correlation(framed(*parts))[0].estimate.value
    assert correlation(framed(*(part * 1000 + 7 for part in parts)))[0].estimate.value == pytest.approx(plain)
    wild = parts[2].copy()
    wild.loc[0, "x"] = 1e300
    assert correlation(framed(*parts[:2], wild))[0].estimate.value < plain + 0.1
    assert correlation(framed(*parts[:2], wild))[0].detail["kinds"]["spearman"] < plain + 0.01


def test_a_column_moved_out_of_reach_is_related_to_nothing_for_pearson():
    """Ranks do not know about units, and so Spearman's coefficient stays: `fidelity.pairs` is where it shows."""
    rng = stream(0)
    found = framed(*(related(500, 3.0, rng) for _ in range(3)))
    moved = replace(found.synthetic, frame=found.synthetic.frame.assign(x=found.synthetic.frame["x"] + 1e6))
    kinds = correlation(evidence(found.train, found.holdout, moved))[0].detail["kinds"]
    assert kinds["pearson"] > 0.9
    assert kinds["spearman"] < 0.02


def test_the_interval_of_a_difference_covers_its_expectation():
    rng = stream(1, "cover")
    found = [correlation(framed(*(related(150, s, rng) for s in (1, 1, 0.3))))[0].estimate for _ in range(60)]
    middle = np.mean([e.value for e in found])
    assert np.mean([e.low <= middle <= e.high for e in found]) >= 0.88


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    (finding,) = correlation(evidence(whole, whole, whole))
    assert finding.status in ("measured", "insufficient", "not_applicable")
    assert finding.estimate is None or finding.estimate.value == pytest.approx(0, abs=1e-6)
