"""Noisy counts: what is kept of them, and that nothing is paid for twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.promise import Noise
from semblance.core.rng import stream
from semblance.modalities.table.generators.measured import Measured
from semblance.modalities.table.generators.pairwise import Pairwise
from semblance.privacy.ledger import Ledger
from tests.modalities.table.generators.test_pairwise import patients


def same(one: Measured, two: Measured) -> bool:
    arrays = [(*m.columns, *m.groups, *m.pairs.values()) for m in (one, two)]
    told = [(m.target, m.sigmas, m.pair_sigma, list(m.pairs)) for m in (one, two)]
    return told[0] == told[1] and all(map(np.array_equal, *arrays))


SIGMAS = (3.0, 3.0, 2.0)


def made(*, pairs: bool) -> Measured:
    """A target of two codes and the missing one, and two columns."""
    columns = (np.array([60, 38, 2]), np.array([41, 59]), np.array([58, 42]))
    groups = (np.array([0, 1, 1]), np.arange(2), np.arange(2))
    if not pairs:
        return Measured(0, columns, SIGMAS, groups)
    return Measured(0, columns, SIGMAS, groups, {(1, 2): np.arange(8).reshape(2, 2, 2)}, 5.0)


@pytest.mark.parametrize("pairs", [False, True])
def test_what_is_saved_comes_back(tmp_path: Path, pairs: bool) -> None:
    assert Measured.load(tmp_path) is None
    told = made(pairs=pairs)
    told.save(tmp_path)
    found = Measured.load(tmp_path)
    assert found is not None and same(found, told)


def test_counts_of_another_version_are_refused(tmp_path: Path) -> None:
    replace(made(pairs=True), columns=(np.array([[60, 38, 2]]), np.ones((3, 2)), np.ones((3, 2)))).save(tmp_path)
    with pytest.raises(DataError, match="another version"):
        Measured.load(tmp_path)


def test_shares_are_of_all_records_and_noise_is_told_by_its_kinds() -> None:
    told = made(pairs=True)
    assert told.records == pytest.approx(100, abs=0.5) and told.share(1) == pytest.approx([0.41, 0.59], abs=0.01)
    assert told.paid == (Noise(3.0, 1, 2), Noise(2.0, 1, 1), Noise(5.0, 1, 1))
    assert made(pairs=False).paid == (Noise(3.0, 1, 2), Noise(2.0, 1, 1))


def test_columns_that_were_measured_before_a_crash_are_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, spec = patients(2_000), Pairwise(components=8, steps=20)
    ledger = Ledger.open(tmp_path / "ledgers", cohort="simulated", epsilon=1.0, delta=1e-6)

    def broken(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Pairwise, "_pairs", broken)
        spec.fit(train, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path)
    columns = Measured.load(tmp_path)
    assert columns is not None and not columns.pairs and sum(part.count for part in ledger.spent()) == 5  # type: ignore[union-attr]
    spec.fit(train, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path)
    whole = Measured.load(tmp_path)
    assert whole is not None and sum(part.count for part in ledger.spent()) == 5 + 6  # type: ignore[union-attr]
    assert all(map(np.array_equal, whole.columns, columns.columns)) and len(whole.pairs) == 6
    # What was measured whole needs no ledger any more.
    assert spec.fit(train, rng=stream(0, "fit"), resume=tmp_path).measured["noise"]
