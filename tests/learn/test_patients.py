from __future__ import annotations

import numpy as np

from semblance.learn.patients import Patients


def source() -> Patients:
    """Nine patients of some records each; a row tells whose it is, and its class."""
    rng = np.random.default_rng(0)
    whose, labels = rng.integers(0, 9, 200), rng.integers(0, 3, 200)
    return Patients(np.column_stack([whose, labels]).astype(np.float32), labels, whose, shown=5)


def test_a_patient_gives_only_own_records():
    patients = source()
    for _ in range(30):
        shown = patients.batch(np.array([0, 4, 8])).numpy()
        assert shown.shape == (3, 5, 2)
        assert (shown[:, :, 0] == patients.subjects[[0, 4, 8], None]).all()


def test_nobody_is_a_batch_too():
    assert source().batch(np.array([], dtype=np.int64)).shape == (0, 5, 2)


def test_rare_classes_of_a_patient_are_shown_oftener_than_they_come():
    labels = np.array([0] * 90 + [1] * 10)
    patients = Patients(labels[:, None].astype(np.float32), labels, np.zeros(100, dtype=int), shown=2_000)
    share = float(patients.batch(np.array([0])).mean())
    assert abs(share - np.sqrt(10) / (np.sqrt(10) + np.sqrt(90))) < 0.04
