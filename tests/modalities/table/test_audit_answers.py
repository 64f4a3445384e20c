"""The audit of single answers: the claim stands, and randomisers that keep too much, or look, are caught."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semblance.modalities.table import survey
from semblance.modalities.table.audit import audit
from semblance.modalities.table.generators.local import Local
from semblance.modalities.table.survey import Survey, Tally
from semblance.privacy.local import randomiser

HOW: dict[str, Any] = {"delta": 1e-5, "confidence": 0.999, "seed": 0}


@pytest.mark.parametrize(
    "epsilon", [pytest.param(0.5, marks=pytest.mark.slow), pytest.param(1.0, marks=pytest.mark.slow), 4.0]
)
def test_no_attack_refutes_the_claim(epsilon: float) -> None:
    found = audit(Local(), epsilon=epsilon, trials=50, **HOW)
    assert found.holds and found.gaussian == 0.0, found
    assert epsilon < 4 or found.highest > 0.5, found  # so few answers show no more


def test_a_true_answer_that_is_kept_too_often_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "randomiser", lambda size, epsilon: randomiser(size, 5 * epsilon))
    assert not audit(Local(), epsilon=1.0, trials=120, **HOW).holds


def test_a_question_that_is_chosen_by_the_record_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Survey, codes: np.ndarray) -> tuple[Tally, ...]:
        """Asks who has the last label for the first column, all others for the second."""
        parts = [codes[codes[:, 0] == 3], codes[codes[:, 0] != 3], *[codes[:0]] * (len(self.questions) - 2)]
        pairs = zip(self.questions, parts, strict=True)
        return tuple(Tally(q, len(part), self.by(q).tally(q.cells(part))) for q, part in pairs)

    monkeypatch.setattr(Survey, "asked", asked)
    assert not audit(Local(), epsilon=1.0, trials=120, **HOW).holds


def test_answers_that_are_made_anew_again_and_again_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Survey, codes: np.ndarray) -> tuple[Tally, ...]:
        """Every column is asked ten times, each time with the whole of epsilon: noise averages out."""
        often = np.repeat(codes, 10, axis=0)
        return tuple(Tally(q, len(often), self.by(q).tally(q.cells(often))) for q in self.questions)

    monkeypatch.setattr(Survey, "asked", asked)
    assert not audit(Local(), epsilon=1.0, trials=120, **HOW).holds
