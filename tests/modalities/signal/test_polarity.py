"""A lead that was turned upside down is told, and no lead in which hearts differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.signal.found import Found
from semblance.modalities.signal.look import look
from semblance.modalities.signal.polarity import inverted, upright
from tests.modalities.signal.made import recording
from tests.modalities.signal.simulated import recordings


def test_a_lead_upside_down_is_told() -> None:
    """It was read without a word, and learned as one more kind of heart."""
    hearts = recordings(6, 4).recordings
    turned = hearts[2].values() * np.float32([-1, 1])
    some = [replace(one, values=lambda: turned) if one is hearts[2] else one for one in hearts]
    (note,) = [note for note in look(list(map(Found, some)))[2] if "polarity" in note]
    assert note.startswith(
        "lead 'II': upside down in r00002, where QRS complexes point the other way than in nearly all"
    )
    assert not any("polarity" in note for note in look(list(map(Found, hearts)))[2])


def test_the_share_of_a_swing_that_is_up() -> None:
    values = np.zeros((2000, 2), dtype=np.float32)
    at = np.arange(50, 2000, 100)
    values[at], values[at + 2] = (3, -1), (-1, 1)
    marks = replace(recording(values=values).beats, at=at, symbol=np.full(len(at), "N", dtype=object))
    one = recording(values=values, beats=marks)
    assert upright(values, one) == pytest.approx([0.5, 0.0])
    values[:, 1] = np.nan
    assert np.array_equal(upright(values, one) > 0, [True, False])
    others = replace(one, beats=replace(marks, symbol=np.full(len(at), "L", dtype=object)))
    assert np.isnan(upright(values, others)).all()


@pytest.mark.parametrize(
    ("share", "odd"),
    [
        ([0.5, 0.4, 0.6, -0.5], [3]),
        ([0.5, 0.4, -0.5], []),
        ([0.5, 0.4, 0.6, -0.1], []),
        ([0.5, 0.4, 0.6, -0.5, -0.6], []),
        ([-0.5, -0.4, -0.6, 0.5, np.nan], [3]),
    ],
)
def test_one_is_odd_where_nearly_all_others_agree(share: list[float], odd: list[int]) -> None:
    assert np.flatnonzero(inverted(np.array(share))).tolist() == odd
