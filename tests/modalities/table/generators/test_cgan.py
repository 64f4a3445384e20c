from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.cgan import CGan, class_of


def cohort(n: int, **target: Any) -> Table:
    """One patient in ten has died, and those are older."""
    rng = stream(0, "cohort")
    died = rng.random(n) < 0.1
    schema = Schema((Column("age", "numeric", decimals=1), Column("died", "boolean", **target)))
    frame = pd.DataFrame(
        {
            "age": np.where(died, 80, 50) + rng.normal(0, 5, n).round(1),
            "died": pd.Categorical(np.where(died, "yes", "no")),
        }
    )
    return Table(schema, frame, np.arange(n))


SPEC = CGan(width=32, latent=8, batch=64, dropout=0.0, rate=2e-3)


@pytest.fixture(scope="module")
def model() -> Any:
    return SPEC.fit(cohort(2000, role="target"), rng=stream(1), plan=SPEC._plan_of(300, 10**9).to_json())


def share(model: Any, *, n: int = 8000) -> float:
    drawn = concat(list(model.sample(n, rng=stream(2)))).frame
    return float((drawn["died"].astype(str) == "yes").mean())


def test_classes_are_drawn_in_the_shares_of_the_data(model: Any) -> None:
    assert share(model) == pytest.approx(0.1, abs=0.015)


def test_classes_are_drawn_in_asked_shares(model: Any, tmp_path: Path) -> None:
    even = model.with_shares({"yes": 0.5, "no": 0.5})
    assert share(even) == pytest.approx(0.5, abs=0.02)
    assert share(model.with_shares({"yes": 1.0})) == 1
    assert share(model) == pytest.approx(0.1, abs=0.015)
    even.save(tmp_path)
    assert share(CGan.load(tmp_path)) == share(even)


def test_records_look_like_their_class(model: Any) -> None:
    drawn = concat(list(model.with_shares({"yes": 0.5, "no": 0.5}).sample(2000, rng=stream(2)))).frame
    age = drawn.groupby(drawn["died"].astype(str))["age"].mean()
    assert age["yes"] - age["no"] > 15


@pytest.mark.parametrize("shares", [{}, {"maybe": 1.0}, {"yes": -1.0, "no": 2.0}, {"yes": 0.0}])
def test_shares_that_cannot_be_drawn_are_refused(model: Any, shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="shares"):
        model.with_shares(shares)


def test_without_a_target_there_is_one_class_and_no_shares() -> None:
    table = cohort(200)
    plain = SPEC.fit(table, rng=stream(1), plan=SPEC._plan_of(20, 10**9).to_json())
    assert plain.maker.classes.tolist() == [1.0]
    with pytest.raises(UsageError, match="shares"):
        plain.with_shares({"yes": 1.0})


def test_a_numeric_target_is_cut_into_classes_of_about_equal_mass() -> None:
    rng = stream(0, "target")
    table = Table(
        Schema((Column("y", "numeric", role="target", decimals=6), Column("x", "integer"))),
        pd.DataFrame({"y": rng.lognormal(size=3000).round(6), "x": rng.integers(0, 9, 3000).astype(float)}),
        np.arange(3000),
    )
    encoding = Encoding.fit(table, CGan())
    held = class_of(encoding, encoding.encode(table)).numpy()
    assert np.bincount(held).tolist() == pytest.approx([300] * 10, abs=60)
    means = pd.Series(table.frame["y"].to_numpy()).groupby(held).mean()
    assert means.is_monotonic_increasing
