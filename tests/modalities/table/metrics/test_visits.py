from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.table.metrics.visits import METRICS, longitudinal
from tests.contracts.samples import WEIRD, table

ROLES = {"columns": {"day": {"role": "visit_time"}}}


def visits(n: int, seed: int) -> pd.DataFrame:
    """Four records per patient: a marker that follows the last one, a ward that rarely changes, sex that never does."""
    rng = stream(seed, "visits")
    sex, marker, ward = rng.choice(["F", "M"], n), rng.normal(size=n), rng.integers(0, 3, n)
    day, frames = rng.integers(0, 50, n), []
    for _ in range(4):
        frames.append(pd.DataFrame({"pid": np.arange(n), "day": day, "sex": sex, "marker": marker, "ward": ward}))
        marker = 0.8 * marker + 0.6 * rng.normal(size=n)
        ward = np.where(rng.random(n) < 0.1, rng.integers(0, 3, n), ward)
        day = day + rng.integers(20, 40, n)
    whole = pd.concat(frames).astype({"ward": str})
    return whole.sort_values(["pid", "day"], ignore_index=True)


def judged(synthetic: pd.DataFrame, n: int = 600):
    parts = (table(f, subject="pid", declared=ROLES) for f in (visits(n, 0), visits(n, 1), synthetic))
    return {f.metric: f for f in longitudinal(Evidence(*parts, catalog.modality("table")))}


def test_fresh_patients_keep_everything():
    found = judged(visits(600, 2))
    assert set(found) == set(METRICS)
    assert {f.status for f in found.values()} == {"measured"}
    assert found["fidelity.longitudinal.correlation"].estimate.value > 0.9
    for metric in METRICS[:1] + METRICS[2:]:
        assert found[metric].estimate.value < 0.06
    assert found["validity.invariants"].estimate.value == 0


def test_shuffled_visits_keep_nothing():
    torn = visits(600, 2)
    rng = stream(3)
    for name in ("sex", "marker", "ward", "day"):
        torn[name] = rng.permutation(torn[name].to_numpy())
    found = judged(torn)
    assert found["fidelity.longitudinal.correlation"].estimate.high < 0.3
    moved = found["fidelity.longitudinal.transitions"]
    assert moved.estimate.low > moved.control.high
    assert found["validity.invariants"].estimate.low > 0.5
    assert found["validity.invariants"].detail["columns"] == ["sex"]
    assert found["fidelity.longitudinal.gaps"].estimate.low > 0.2


def test_the_number_of_records_per_patient_counts():
    short = visits(600, 2)
    found = judged(short[short.groupby("pid").cumcount() < 2])
    assert found["fidelity.longitudinal.visits"].estimate.value == pytest.approx(1.0)


def test_the_kept_correlation_is_a_closed_form():
    """Against itself everything is kept; with the sign of the correlation turned, none and worse."""
    turned = visits(600, 1)
    odd = turned.groupby("pid").cumcount() % 2 == 1
    turned.loc[odd, "marker"] *= -1
    assert judged(visits(600, 1))["fidelity.longitudinal.correlation"].estimate.value == pytest.approx(1.0)
    assert judged(turned)["fidelity.longitudinal.correlation"].estimate.value < 0.6


def test_one_record_each_is_not_applicable():
    whole = WEIRD["one column"]()
    assert {f.status for f in longitudinal(Evidence(whole, whole, whole, catalog.modality("table")))} == {
        "not_applicable"
    }


def test_synthetic_without_repeats_is_insufficient_beyond_their_number():
    found = judged(visits(600, 2).drop_duplicates("pid"))
    assert found["fidelity.longitudinal.visits"].status == "measured"
    assert found["validity.invariants"].status == "insufficient"
