from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.generators.smote import Donors, Smote, balance
from tests.contracts.samples import cohort, table

pytest.importorskip("imblearn")


def drawn(train: Table, n: int, **options: object) -> pd.DataFrame:
    model = Smote(**options).fit(train, rng=stream(0, "fit"))  # type: ignore[arg-type]
    return concat(list(model.sample(n, rng=stream(0, "sample")))).frame


def clusters(n: int = 300) -> Table:
    """Two classes, 9 to 1, far apart in x; each has a word of its own."""
    rare = np.arange(n) % 10 == 0
    x = np.where(rare, 100.0, 0.0) + stream(0, "x").normal(size=n).round(2)
    frame = pd.DataFrame({"x": x, "word": np.where(rare, "b", "a"), "ill": np.where(rare, "yes", "no")})
    return table(frame, target="ill")


def test_records_lie_between_neighbours_of_their_own_class() -> None:
    train = clusters()
    frame = drawn(train, 1000)
    ill = frame["ill"] == "yes"
    assert (frame["x"][ill] > 90).all() and (frame["x"][~ill] < 10).all()
    assert (frame["word"].astype(str)[ill] == "b").all() and (frame["word"].astype(str)[~ill] == "a").all()
    assert train.frame["x"].min() <= frame["x"].min() and frame["x"].max() <= train.frame["x"].max()
    assert not np.isin(frame["x"].round(2), train.frame["x"].round(2)).all()


@pytest.mark.parametrize(("balanced", "share"), [(False, 0.1), (True, 0.5)])
def test_classes_are_drawn_as_often_as_they_are_or_equally(balanced: bool, share: float) -> None:
    frame = drawn(clusters(), 2000, balanced=balanced)
    assert abs((frame["ill"] == "yes").mean() - share) < 0.035


def test_two_numbers_on_a_line_stay_on_it() -> None:
    x = stream(0, "line").uniform(0, 50, 200).round(4)
    frame = drawn(table(pd.DataFrame({"x": x, "y": (3 * x + 1).round(4)})), 300, find=False)
    assert np.allclose(frame["y"], 3 * frame["x"] + 1, atol=1e-3)


def test_what_is_no_finite_number_is_one_of_the_kinds_that_neighbours_have() -> None:
    x = np.array([np.inf, -np.inf, np.nan] * 20 + list(np.linspace(0, 1, 60)))
    frame = drawn(table(pd.DataFrame({"x": x, "y": ["p", "q"] * 60})), 600)
    values = frame["x"].to_numpy()
    assert np.isposinf(values).any() and np.isneginf(values).any() and np.isnan(values).any()
    finite = values[np.isfinite(values)]
    assert ((finite >= 0) & (finite <= 1)).all()
    assert abs(np.isnan(values).mean() - 1 / 6) < 0.08


def test_no_outlier_and_no_rare_word_of_one_patient_is_drawn() -> None:
    frame = pd.DataFrame({"x": np.r_[np.linspace(0, 1, 199), 500.0].round(3), "w": ["a"] * 199 + ["only one"]})
    made = drawn(table(frame, declared={"columns": {"w": {"kind": "categorical"}}}), 2000)
    assert made["x"].max() <= 1
    assert "only one" not in set(made["w"].astype(str))


def test_what_is_kept_and_what_is_joined_again_are_inverse() -> None:
    train = cohort(300, 0)
    coder = Encoding.fit(train, EncodingOptions())
    donors = Donors.of(coder, train)
    again = donors.table(coder, first_subject=0, rng=stream(0, "decode"))
    inner = train.frame["creatinine"].between(*np.nanquantile(train.frame["creatinine"], [0.1, 0.9]))
    assert np.allclose(again.frame["creatinine"][inner], train.frame["creatinine"][inner])
    assert (again.frame["creatinine"].isna() == train.frame["creatinine"].isna()).all()
    assert (again.frame["stage"].astype(str) == train.frame["stage"].astype(str)).all()


def test_balancing_adds_to_every_class_up_to_the_largest_and_keeps_the_records() -> None:
    train = clusters()
    coder = Encoding.fit(train, EncodingOptions())
    more = balance(train, coder, neighbours=5, rng=stream(0, "balance"))
    assert more.frame["ill"].value_counts().to_dict() == {"no": 270, "yes": 270}
    assert more.take(np.arange(300)).frame.equals(train.frame)
    assert not set(more.subjects[300:]) & set(train.subjects)
    without = table(train.frame)
    assert balance(without, Encoding.fit(without, EncodingOptions()), neighbours=5, rng=stream(0)) is without


def test_a_model_that_is_records_is_neither_written_nor_read(tmp_path: Path) -> None:
    model = Smote().fit(clusters(), rng=stream(0, "fit"))
    with pytest.raises(UsageError, match="never written"):
        model.save(tmp_path / "model")
    with pytest.raises(UsageError, match="never written"):
        Smote.load(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imblearn", None)
    monkeypatch.delitem(sys.modules, "imblearn.over_sampling", raising=False)
    with pytest.raises(UsageError) as caught:
        Smote().fit(clusters(), rng=stream(0, "fit"))
    assert 'pip install "semblance[balance]"' in str(caught.value)
