"""The two ends of a membership attack: nobody, and everybody."""

from __future__ import annotations

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.attacks.ends import ends
from semblance.evaluate.run import evaluate
from tests.contracts.samples import SAMPLES
from tests.evaluate.attacks.games import blameless


def test_train_handed_out_gives_nearly_everybody_away_and_independent_columns_nobody() -> None:
    one = blameless(floor=None)
    apart = SAMPLES["table"].floor(one.train, stream(0, "floor"))
    found = ends(blameless(floor=apart))
    assert found["train"].low > 0.8 and found["train"].high <= 1
    assert found["floor"].low <= 0.05 < 0.5 and found["floor"].high < 0.3
    assert set(ends(one)) == {"train"}


def test_they_do_not_depend_on_what_was_released() -> None:
    fresh, other = blameless(), blameless()
    object.__setattr__(other, "synthetic", other.synthetic.take(np.arange(50)))
    assert ends(fresh) == ends(other)


def test_too_few_patients_have_no_ends() -> None:
    assert ends(blameless(n=30)) == {}


def test_the_membership_finding_stands_between_them() -> None:
    one = blameless(n=120, tier="fast")
    parts = (one.train, one.holdout, one.synthetic)
    apart = SAMPLES["table"].floor(one.synthetic, stream(0, "floor"))
    report = evaluate(Evidence(*parts, catalog.modality("table"), floor=apart, tier="fast"))
    leak = report["privacy.membership"]
    assert leak.floor is not None and leak.estimate is not None
    assert leak.detail["handed"]["value"] > 0.7 > leak.floor.value
