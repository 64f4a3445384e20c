from __future__ import annotations

import json

import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Card, Tick, refuse_ledger


def test_a_card_is_plain_json():
    card = Card("marginals", "Independent columns", "Folklore", needs=("deep",))
    assert json.loads(json.dumps(card.to_json()))["needs"] == ["deep"]
    assert not card.private
    assert not card.holds_records


def test_a_card_and_a_tick_are_values():
    assert Tick(1, 10, 0.5) == Tick(1, 10, 0.5, None)
    with pytest.raises(AttributeError):
        Tick(1, 10, 0.5).loss = 0.0  # type: ignore[misc]


def test_a_privacy_budget_is_never_ignored():
    public, private = Card("a", "s", "p"), Card("b", "s", "p", private=True)
    refuse_ledger(public, ledger=None)
    refuse_ledger(private, ledger=object())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'a'"):
        refuse_ledger(public, ledger=object())  # type: ignore[arg-type]
