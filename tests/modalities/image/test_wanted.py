from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.classes import Classes
from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.modalities.image.prompts import Prompts
from semblance.modalities.image.wanted import Asked, asked

KNOWN = Classes("label", ("ill", "well"), np.array([0.5, 0.5]))
TEXTS = pd.Series(["dense nodule"] * 40 + ["clear lung"] * 40, name="caption")
PROMPTS = Prompts.fit(TEXTS, np.repeat([0, 1], 40), 2, np.arange(80), rare=5)


def test_nothing_asked_is_nothing_and_without_texts_only_the_rest_counts():
    assert asked(KNOWN, None, None, None) == Asked() and asked(KNOWN, None, PROMPTS, None) == Asked()
    only = asked(KNOWN, None, PROMPTS, Wanted(given={"label": "ill"}))
    assert only.text is None and only.rest.tolist() == [1, 0]


def test_labels_are_those_of_the_text_unless_they_are_asked_for():
    told = asked(KNOWN, None, PROMPTS, Wanted(given={"caption": "nodule"}))
    assert told.text == "nodule" and told.rest[0] > 0.95
    against = asked(KNOWN, None, PROMPTS, Wanted(given={"caption": "nodule", "label": "well"}))
    assert against.rest.tolist() == [0, 1]
    shared = asked(KNOWN, None, PROMPTS, Wanted(given={"caption": "nodule"}, quota={"label": "balanced"}))
    assert shared.rest.tolist() == [0.5, 0.5]


def test_what_is_wrong_with_text_and_label_is_told_together():
    with pytest.raises(UsageError) as found:
        asked(KNOWN, None, PROMPTS, Wanted(given={"caption": "fracture", "label": "sick"}))
    assert len(found.value.problems) == 2
    with pytest.raises(UsageError, match="fracture"):
        asked(KNOWN, None, PROMPTS, Wanted(given={"caption": "fracture"}))
