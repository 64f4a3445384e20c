from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.signal.data import Lead, Pieces
from semblance.modalities.signal.encode import Encoding

LEADS = (Lead("MLII"), Lead("V1"))
SHAPES = stream(0, "shapes").normal(size=(3, 2, 64)).astype(np.float32)
"""Waves of which every piece is made; a smooth one would hide nothing."""


def pieces(n: int = 900, *, noise: float = 0.3) -> Pieces:
    """Sums of three shapes of falling size; label B is rare and has them the other way up;
    its rest is red, that of A white."""
    rng = stream(1)
    label = np.where(np.arange(n) % 9 == 0, "B", "A")
    sign = np.where(label == "B", -1, 1)[:, None]
    weights = sign * rng.normal([4, 2, 1], [2, 1, 0.5], (n, 3))
    white = rng.normal(size=(n, 2, 64))
    red = white + np.roll(white, 1, 2)
    rest = np.where((label == "B")[:, None, None], red, white)
    waves = np.einsum("nk,kls->nls", weights, SHAPES) + noise * rng.uniform(0.5, 2, (n, 2, 1)) * rest
    schema = Schema((Column("label", "categorical", role="target", categories=("A", "B")),))
    frame = pd.DataFrame({"label": pd.Categorical(label)})
    return Pieces(schema, frame, waves.astype(np.float32), 250.0, LEADS, np.zeros(n, dtype=int), np.zeros(n, dtype=int))


def fitted(data: Pieces, components: int = 3) -> Encoding:
    return Encoding.fit(data, components=components, rng=stream(2))


def scaled(coder: Encoding, waves: np.ndarray) -> np.ndarray:
    """(n, 128) what components are of."""
    return ((waves - coder.center) / coder.scale[:, None]).reshape(len(waves), -1)


@pytest.mark.parametrize("factor", [100.0, 1e6, 1e-3])
def test_the_unit_of_a_lead_changes_nothing_of_the_others(factor: float) -> None:
    """With a lead a hundred times as large the components held three fifths of the other one."""
    data = pieces()
    other = replace(data, waves=data.waves * np.array([[1], [factor]], dtype=np.float32))
    numbers = [fitted(one).encode(one) for one in (data, other)]
    assert np.abs(numbers[0]) == pytest.approx(np.abs(numbers[1]), abs=0.02)
    made = [fitted(one).decode(fitted(one).encode(one), one.labels, rng=stream(3)) for one in (data, other)]
    assert made[1][:, 0] == pytest.approx(made[0][:, 0], abs=0.02)


def test_a_lead_that_does_not_move_stays_still() -> None:
    data = pieces()
    data.waves[:, 1] = 4200.0
    coder = fitted(data)
    assert coder.decode(coder.encode(data), data.labels, rng=stream(3))[:, 1] == pytest.approx(4200, abs=1e-3)


def test_a_round_trip_keeps_what_the_components_hold_and_the_energy_of_the_rest() -> None:
    data = pieces()
    coder = fitted(data)
    again = coder.decode(coder.encode(data), data.labels, rng=stream(3))
    held = [scaled(coder, x) @ coder.basis.T for x in (data.waves, again)]
    assert np.abs(held[0] - held[1]).max() < 0.01 * np.abs(held[0]).max()
    for lead in (0, 1):
        assert np.square(again[:, lead]).mean() == pytest.approx(np.square(data.waves[:, lead]).mean(), rel=1e-3)


def test_the_numbers_have_variance_one_together_and_the_components_keep_their_order() -> None:
    data = pieces()
    found = fitted(data).encode(data)
    assert found.shape == (900, 5)
    assert found.dtype == np.float32
    assert found[:, :3].var(0).mean() == pytest.approx(1, abs=0.1)
    assert found[:, 3:].std(0) == pytest.approx([1, 1], abs=0.1)
    assert (np.diff(found[:, :3].std(0)) < 0).all()


def test_the_rest_has_the_spectrum_of_its_label() -> None:
    data = pieces()
    coder = fitted(data)
    again = coder.decode(coder.encode(data), data.labels, rng=stream(3))
    for label in ("A", "B"):
        rest = [
            flat - flat @ coder.basis.T @ coder.basis
            for flat in (scaled(coder, x[data.labels == label]) for x in (data.waves, again))
        ]
        real, made = (
            np.square(np.abs(np.fft.rfft(x.reshape(-1, 2, 64)))).mean((0, 1)).reshape(-1)[1:].reshape(4, 8).mean(1)
            for x in rest
        )
        assert np.log(made) == pytest.approx(np.log(real), abs=0.6)


def test_the_rest_is_drawn_anew_and_repeats_with_its_seed() -> None:
    data = pieces()
    coder = fitted(data)
    numbers = coder.encode(data)
    one, two, other = (coder.decode(numbers, data.labels, rng=stream(seed)) for seed in (3, 3, 4))
    assert one.dtype == np.float32
    assert one.tobytes() == two.tobytes() != other.tobytes()
    assert one.tobytes() != data.waves.tobytes()


def test_the_same_seed_fits_the_same_bytes() -> None:
    one, two = (fitted(pieces()).arrays() for _ in range(2))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def test_arrays_and_labels_are_all_of_it() -> None:
    data = pieces()
    coder = fitted(data)
    again = Encoding.from_arrays(coder.labels, coder.arrays())
    numbers = coder.encode(data)
    assert np.array_equal(numbers, again.encode(data))
    assert np.array_equal(
        coder.decode(numbers, data.labels, rng=stream(3)), again.decode(numbers, data.labels, rng=stream(3))
    )


@pytest.mark.parametrize("n", [2, 5])
def test_a_handful_of_pieces_is_encoded_with_fewer_components(n: int) -> None:
    data = pieces(n)
    coder = fitted(data, components=48)
    assert len(coder.spread) <= n
    assert np.isfinite(coder.decode(coder.encode(data), data.labels, rng=stream(3))).all()
