from __future__ import annotations

import numpy as np

from semblance.core.estimate import auc
from semblance.evaluate.attacks.classifier import classifier
from tests.evaluate.attacks.games import blameless, copycat


def test_copies_are_told():
    told = classifier(copycat())
    assert auc(told.member, told.outsider).low > 0.7


def test_scores_are_probabilities():
    told = classifier(blameless())
    for side in (told.member, told.outsider, told.control_member, told.control_outsider):
        assert ((side >= 0) & (side <= 1)).all()


def test_the_control_does_not_depend_on_the_synthetic_records():
    assert np.array_equal(classifier(copycat()).control_member, classifier(blameless()).control_member)
