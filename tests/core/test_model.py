from __future__ import annotations

import json
from datetime import date

import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Card, Tick, Wanted, can, refuse_ledger, refuse_wanted


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


WANTED = [
    Wanted(),
    Wanted(
        given={"sex": "F", "age": (60, None), "icd": {"I10", "I50.1"}, "lab": None, "day": (date(2020, 1, 1), None)}
    ),
    Wanted(quota={"sex": {"F": 0.5, "M": 0.4, None: 0.1}, "age": {(18, 60): 0.4, (60, 120): 0.6}, "died": "balanced"}),
    Wanted(shift={"age": -3.5, "smoker": {"yes": 2.0}}, fair_on=["race"], fairness="odds", do={"arm": "A"}),
]


@pytest.mark.parametrize("wanted", WANTED)
def test_what_is_wanted_is_plain_json_and_comes_back(wanted):
    told = json.loads(json.dumps(wanted.to_json()))
    again = Wanted.from_json(told)
    assert again.to_json() == told
    assert bool(again) == bool(wanted) == bool(told)


def test_one_group_may_be_named_without_a_list():
    assert Wanted(fair_on="race").fair_on == ("race",)


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ({"given": {"age": (80, 60), "b": (1, 2, 3), "c": set()}}, ["age", "b", "c"]),
        ({"quota": {"sex": {"F": 0.5, "M": 0.4}, "a": {"x": -1, "y": 2}, "b": "equal"}}, ["sex", "a", "b"]),
        ({"quota": {"age": {(60, 18): 1.0}}}, ["age"]),
        ({"shift": {"a": "more", "b": {"yes": 0}, "c": {}, "d": float("nan")}}, ["a", "b", "c", "d"]),
        ({"shift": {"a": 1}, "quota": {"a": {"x": 1}}}, ["a"]),
        ({"do": {"a": 1}, "given": {"a": 1}}, ["a"]),
        ({"fairness": "equal"}, [None]),
    ],
)
def test_what_no_data_could_satisfy_is_told_at_once(asked, columns):
    with pytest.raises(UsageError) as caught:
        Wanted(**asked)
    assert [problem.column for problem in caught.value.problems] == columns


@pytest.mark.parametrize("part", ["given", "quota", "shift", "do"])
def test_what_is_no_mapping_is_told_with_how_to_say_it(part):
    with pytest.raises(UsageError) as told:
        Wanted(**{part: "sex"})
    (problem,) = told.value.problems
    assert problem.found == f"{part}= is a str" and problem.fix.startswith(f"{part}={{")


def test_what_is_wanted_of_a_generator_that_cannot_is_never_ignored():
    free, able = Card("a", "s", "p"), Card("b", "s", "p", conditional=True)
    refuse_wanted(free, wanted=None, able=())
    refuse_wanted(free, wanted=Wanted(), able=())
    refuse_wanted(able, wanted=Wanted(given={"x": 1}), able=())
    with pytest.raises(UsageError, match=r"(?s)'a' was asked for records with given, fair_on.*choose b or c"):
        refuse_wanted(free, wanted=Wanted(given={"x": 1}, fair_on=("g",)), able=["b", "c"])


def test_what_sets_a_value_is_not_what_looks_for_it():
    free, able, causal = Card("a", "s", "p"), Card("b", "s", "p", conditional=True), Card("c", "s", "p", causal=True)
    do, both = Wanted(do={"arm": "A"}), Wanted(do={"arm": "A"}, given={"x": 1})
    assert [can(card, wanted=do) for card in (free, able, causal)] == [False, False, True]
    assert not any(can(card, wanted=both) for card in (free, able, causal))
    refuse_wanted(causal, wanted=do, able=())
    with pytest.raises(UsageError, match="knows what a column causes can"):
        refuse_wanted(free, wanted=do, able=["c"])
