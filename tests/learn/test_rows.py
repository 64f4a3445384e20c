import numpy as np

from semblance.core.rng import stream
from semblance.learn.rows import Rows, kept_aside


def test_batches_are_the_records_of_the_index() -> None:
    rows = Rows(np.arange(12).reshape(6, 2), np.arange(6))
    assert rows.batch(np.array([4, 0])).tolist() == [[8, 9], [0, 1]]
    assert len(rows) == 6


def test_patients_are_kept_aside_whole() -> None:
    subjects = np.repeat(np.arange(300), 3)
    aside = kept_aside(subjects, share=0.1, rng=stream(0))
    assert aside.reshape(300, 3).all(1).sum() == aside.reshape(300, 3).any(1).sum() == 50
    assert kept_aside(np.arange(2000), share=0.1, rng=stream(0)).sum() == 200
    assert kept_aside(np.arange(100), share=0.05, rng=stream(0)).sum() == 20


def test_a_handful_of_patients_is_all_learned_from() -> None:
    assert not kept_aside(np.arange(19), share=0.5, rng=stream(0)).any()
