from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.wanted.impute import impute
from tests.modalities.table.wanted.exact import cohort, exact, table

MODEL = exact(smoothing=0.001)


def gappy(n: int, *, seed: int = 3, share: float = 0.3) -> tuple[Table, Table]:
    """Records, and the same with gaps."""
    frame, rng = cohort(n, seed), stream(seed, "gaps")
    whole = table(frame, target="died")
    for name in ("age", "diabetes", "race"):
        frame[name] = frame[name].where(rng.random(n) >= share)
    return whole, replace(whole, frame=table(frame, target="died").frame)


def test_gaps_are_filled_and_what_is_known_stays():
    _, gaps = gappy(800)
    made = impute(MODEL, MODEL.encoding, gaps, rng=stream(0))
    assert not made.frame.isna().any(axis=None)
    for name in gaps.frame:
        known = gaps.frame[name].notna()
        assert (made.frame.loc[known, name].astype(str) == gaps.frame.loc[known, name].astype(str)).all()


def test_values_without_a_code_keep_their_exact_value():
    _, gaps = gappy(50)
    frame = gaps.frame.copy()
    frame.loc[3, "weight"] = 683.27
    frame["race"] = frame["race"].cat.add_categories(["Zanzibarite"])
    frame.loc[4, "race"] = "Zanzibarite"
    made = impute(MODEL, MODEL.encoding, replace(gaps, frame=frame), rng=stream(0))
    assert made.frame.loc[3, "weight"] == 683.27 and made.frame.loc[4, "race"] == "Zanzibarite"


def test_imputed_values_are_drawn_from_the_conditional():
    whole, _ = gappy(6000)
    frame = whole.frame.copy()
    frame["diabetes"] = frame["diabetes"].where(np.zeros(len(frame), dtype=bool))
    made = impute(MODEL, MODEL.encoding, replace(whole, frame=frame), rng=stream(0)).frame
    for group in ("A", "B"):
        for outcome in ("yes", "no"):
            rows = (whole.frame["race"] == group) & (whole.frame["died"] == outcome)
            old, new = ((f.loc[rows, "diabetes"] == "yes").mean() for f in (whole.frame, made))
            assert new == pytest.approx(old, abs=0.06)


def test_gaps_that_are_filled_together_are_as_among_records_without_gaps():
    frame = cohort(6000)
    rng = stream(8, "lab")
    heavy = rng.random(6000) < 0.5
    for name, share in (("one", 0.2), ("two", 0.8)):  # where one is high, two is mostly missing
        gap = rng.random(6000) < np.where(heavy, share, 0.1)
        frame[name] = np.where(gap, None, np.where(heavy, "high", "low"))
    model = type(MODEL).of(table(frame[["one", "two", "race"]]))
    gaps = table(frame[["one", "two", "race"]]).take(np.arange(3000))
    none = {name: gaps.frame[name].where(np.zeros(3000, dtype=bool)) for name in ("one", "two")}
    made = impute(model, model.encoding, replace(gaps, frame=gaps.frame.assign(**none)), rng=stream(0)).frame
    both = frame.dropna(subset=["one", "two"])
    expected = (both["one"] == "high").mean()
    biased = (frame["one"].dropna() == "high").mean()
    assert biased - expected > 0.1
    assert (made["one"] == "high").mean() == pytest.approx(expected, abs=0.04)


def test_a_filled_record_keeps_the_constraints_where_it_can():
    class Ruled(Encoding):
        def broken(self, table: Table) -> np.ndarray:
            return ((table.frame["age"] < 60) & (table.frame["diabetes"] == "yes")).to_numpy()

    model = replace(MODEL, encoding=Ruled(**vars(MODEL.encoding)))
    _, gaps = gappy(500)
    made = impute(model, model.encoding, gaps, rng=stream(0))
    free = gaps.frame[["age", "diabetes"]].isna().any(axis=1).to_numpy()
    assert not (model.encoding.broken(made) & free).any()
