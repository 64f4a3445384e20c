from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.learn.nets.series import Series, Told, framed, unframed

PARTS = Series(numbers=6, given=2, classes=3, channels=2)


def test_numbers_are_one_channel_after_the_other():
    rows = torch.arange(18.0).reshape(2, 9)
    assert PARTS.length == 3 and PARTS.told == 5
    assert PARTS.waves(rows)[0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_is_told_has_mean_0_and_variance_1_and_gets_no_gradient():
    given = np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32)
    told = Told(PARTS)
    told.start(given)
    rows = torch.from_numpy(PARTS.join(np.zeros((2, 6)), given, np.array([2, 0]))).requires_grad_()
    assert told(rows).tolist() == [[-1, 0, 0, 0, 1], [1, 0, 1, 0, 0]]
    assert not told(rows).requires_grad


def test_a_silent_one_tells_nothing():
    told = Told(PARTS, silent=True)
    assert told.width == 0 and told(torch.zeros(4, 9)).shape == (4, 0)


@pytest.mark.parametrize(("length", "frame", "steps"), [(8, 4, 2), (9, 4, 3), (3, 1, 3)])
def test_frames_hold_neighbouring_samples_of_all_channels(length, frame, steps):
    waves = torch.arange(2.0 * 2 * length).reshape(2, 2, length)
    frames = framed(waves, frame)
    assert frames.shape == (2, steps, 2 * frame)
    assert frames[0, 0].tolist() == [*range(frame), *range(length, length + frame)]
    assert torch.equal(unframed(frames, 2, length), waves)
