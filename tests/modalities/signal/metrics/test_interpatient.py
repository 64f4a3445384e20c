"""Classification of unseen patients by what synthetic beats teach."""

from __future__ import annotations

import pytest

from semblance.modalities.signal.metrics.interpatient import METRICS, interpatient
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import collapsed, mislabelled


def found(spoil=None):
    return {one.metric: one for one in interpatient(evidence(spoil))}


def test_other_patients_teach_as_well_as_train_patients():
    good = found()
    assert set(good) == set(METRICS)
    assert good["utility.signal_tstr"].estimate.value == pytest.approx(
        good["utility.signal_tstr"].control.value, abs=0.1
    )
    assert good["utility.signal_trts"].estimate.value < 0.1
    assert set(good["utility.signal_augmentation"].detail["arms"]) == {"alone", "repeated", "jittered", "synthetic"}


@pytest.mark.parametrize("spoil", [None, mislabelled])
def test_a_gain_is_one_over_repeated_and_over_jittered_pieces(spoil):
    """Once only over repeated ones, though jittered ones may help more."""
    good = found(spoil)
    for metric, score in (("utility.signal_augmentation", "f1"), ("utility.signal_rare_recall", "recall")):
        arms = {name: one[score] for name, one in good[metric].detail["arms"].items()}
        best = max(arms["repeated"], arms["jittered"])
        assert good[metric].estimate.value == pytest.approx(arms["synthetic"] - best)
        assert arms[good[metric].detail["over"]] == best


def test_wrong_labels_teach_badly_and_are_seen_by_a_real_rule():
    bad = found(mislabelled)
    assert bad["utility.signal_tstr"].estimate.high < bad["utility.signal_tstr"].control.low
    assert bad["utility.signal_trts"].estimate.low > bad["utility.signal_trts"].control.high
    assert bad["utility.signal_augmentation"].estimate.value < 0.02


def test_a_set_without_a_class_cannot_teach_it():
    bad = found(collapsed)["utility.signal_tstr"]
    assert bad.estimate.value < 0.5
    assert [row["recall"] for row in bad.detail["classes"]][1:] == [0.0] * (len(bad.detail["classes"]) - 1)


def test_without_labels_or_patients_nothing_is_learned():
    assert {one.status for one in interpatient(plain())} == {"not_applicable"}
    assert {one.status for one in interpatient(few())} == {"insufficient"}
