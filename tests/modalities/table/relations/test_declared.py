"""Declared constraints: told with counts before training, and kept by whatever codes are drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.modalities.table.relations import rules
from semblance.modalities.table.relations.declared import broken, declared
from semblance.modalities.table.relations.found import find
from tests.modalities.table.relations.tables import same, table

RULES = (
    Constraint("ordered", ("admitted", "discharged", "died on")),
    Constraint("inequality", ("low", "high"), strict=True),
    Constraint("sum", ("a", "b", "total")),
    Constraint("dependency", ("city", "region")),
    Constraint("combinations", ("region", "land")),
    Constraint("one-hot", ("h0", "h1", "h2")),
)
NO_BIRTHS = Constraint("implication", when=(Condition("sex", ("M",)),), never=(Condition("icd", ("O*",)),))


def cohort(n: int = 600, *, seed: int = 0) -> pd.DataFrame:
    rng = stream(seed, "cohort")
    admitted = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 1500, n), unit="D")
    discharged = admitted + pd.to_timedelta(rng.integers(0, 20, n), unit="D")
    died = discharged + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    city, hot, female = rng.integers(0, 8, n), rng.integers(0, 3, n), rng.random(n) < 0.5
    low = rng.normal(80, 5, n).round(1)
    frame = pd.DataFrame(
        {
            "admitted": admitted,
            "discharged": discharged,
            "died on": died,
            "a": rng.integers(0, 5, n),
            "b": rng.integers(0, 7, n),
            "city": np.array(list("ABCDEFGH"))[city],
            "region": np.array(["N", "S"])[city % 2],
            "land": np.where(city % 2, "x", np.where(rng.random(n) < 0.5, "y", "z")),
            **{f"h{j}": (hot == j).astype(int) for j in range(3)},
            "sex": np.where(female, "F", "M"),
            "icd": np.where(female, rng.choice(["O80", "I10"], n), rng.choice(["I10", "N18"], n)),
            "low": low,
            "high": np.ceil(low + 1 + rng.exponential(20, n)),
        }
    )
    frame["total"] = frame["a"] + frame["b"]
    for name, share in (("discharged", 0.1), ("died on", 0.5), ("low", 0.1), ("high", 0.1)):
        frame.loc[rng.random(n) < share, name] = None
    return frame


def kept(made):
    return declared(made, rare=5, limit=2000)


def test_the_training_table_comes_back_exactly():
    made = table(cohort(), *RULES)
    relations = kept(made)
    assert relations.checks == ()
    reduced = relations.reduce(made.frame, made.schema)
    back = relations.restore({name: reduced[name] for name in reduced}, made.schema)
    assert [name for name in made.frame if not same(made.frame[name], back[name])] == []
    assert not broken(made, relations).any()


def test_rules_over_common_columns_share_a_joint():
    relations = kept(table(cohort(), *RULES))
    assert ("city", "region", "land") in [part.owns for part in relations.parts]


@pytest.mark.parametrize("seed", range(3))
def test_no_mix_of_values_breaks_what_is_kept_by_construction(seed):
    made = table(cohort(), *RULES, low={"min": 40, "max": 120}, a={"min": 0})
    relations, rng = kept(made), stream(seed, "mix")
    reduced = relations.reduce(made.frame, made.schema)
    drawn = {name: reduced[name].take(rng.integers(0, len(made), 4000)).array for name in reduced}
    for name, values in drawn.items():
        if not isinstance(values.dtype, pd.CategoricalDtype):
            drawn[name] = np.asarray(values) + rng.normal(0, 50, 4000)  # as no encoding would ever draw
    back = table_of(made, relations.restore(drawn, made.schema))
    assert not any(rules.broken(rule, back).any() for rule in RULES)
    assert not broken(back, relations).any()


def table_of(made, values):
    from semblance.modalities.table.data import Table

    frame = pd.DataFrame(values)
    return Table(made.schema, frame, np.arange(len(frame)))


def test_every_broken_constraint_is_told_with_its_count_and_without_a_value():
    frame = cohort()
    frame.loc[3, "total"] = 99
    frame.loc[4, ["h0", "h1"]] = 1
    frame.loc[5:8, ["sex", "icd"]] = "M", "O80"
    frame.loc[9, "region"] = {"N": "S", "S": "N"}[frame.loc[9, "region"]]
    frame.loc[20:21, ["low", "high"]] = 119.5, 90
    frame.loc[30, "died on"] = pd.Timestamp("1931-07-19")
    with pytest.raises(DataError) as error:
        kept(table(frame, *RULES, NO_BIRTHS, low={"max": 100}))
    told = {problem.rule: problem.found for problem in error.value.problems}
    assert told.pop("min <= value <= max").startswith("2 of 600 records")
    assert {rule: int(found.split()[0]) for rule, found in told.items()} == {
        "'admitted' <= 'discharged' <= 'died on'": 1,
        "'low' < 'high'": 2,
        "'total' = 'a' + 'b'": 1,
        "'city' decides 'region'": 1,
        "'h0', 'h1', 'h2': exactly one is 1": 1,
        "where 'sex' is M: never 'icd' is O*": 4,
    }
    assert "1931" not in str(error.value)
    assert "119.5" not in str(error.value)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Constraint("inequality", ("admitted", "low")), "mixes kinds"),
        (Constraint("inequality", ("sex", "low")), "mixes kinds"),
        (Constraint("sum", ("a", "sex", "b")), "no number"),
        (Constraint("sum", ("admitted", "discharged", "died on")), "no number"),
        (Constraint("implication", when=(Condition("sex", min=1.0),), then=(Condition("a", (1.0,)),)), "kind"),
        (Constraint("implication", when=(Condition("a", ("x",)),), then=(Condition("b", (1.0,)),)), "kind integer"),
    ],
)
def test_rules_that_do_not_fit_the_kinds_are_refused(rule, told):
    with pytest.raises(UsageError, match=told):
        kept(table(cohort(), rule))


def test_a_rule_over_what_is_not_learned_is_refused():
    made = table(cohort(), Constraint("inequality", ("low", "high")), high={"role": "drop"})
    with pytest.raises(UsageError, match="column 'high'"):
        kept(made)


def test_rules_that_go_in_a_circle_are_refused_all_at_once():
    said = (
        Constraint("inequality", ("a", "b")),
        Constraint("inequality", ("b", "a")),
        Constraint("sum", ("a", "x", "a2")),
    )
    frame = cohort().assign(x=0, a2=lambda f: f["a"])
    with pytest.raises(UsageError) as error:
        kept(table(frame, *said, Constraint("sum", ("b", "x", "a2"))))
    assert len(error.value.problems) == 2


def test_a_one_hot_of_other_numbers_is_refused():
    frame = cohort()
    with pytest.raises(DataError, match="other than 0 and 1"):
        kept(table(frame, Constraint("one-hot", ("h0", "a"))))


def test_an_order_that_ends_in_a_total_is_only_looked_at():
    frame = cohort().assign(least=lambda f: np.maximum(f["total"] - 2, 0))
    made = table(frame, Constraint("sum", ("a", "b", "total")), Constraint("inequality", ("least", "total")))
    relations = kept(made)
    assert [check.owns for check in relations.checks] == [("total",)]
    frame = made.frame.assign(least=made.frame["total"] + 1)
    assert broken(table_of(made, frame), relations).all()


def test_repeated_records_are_no_offence():
    """A post filter that drops duplicates (as synthcity's does) changes the distribution of small tables."""
    frame = pd.concat([cohort(20)] * 10, ignore_index=True)
    made = table(frame, *RULES)
    relations = kept(made)
    assert not broken(made, relations).any()
    assert len(relations.reduce(made.frame, made.schema)) == 200


@pytest.mark.parametrize("n", [1, 2, 6])
def test_tables_of_a_few_records_are_kept_or_refused(n):
    made = table(cohort(40).head(n), *RULES, **{name: {"kind": "date"} for name in ("discharged", "died on")})
    relations = find(made, kept(made), rare=5, bins=64, tokens=128)
    reduced = relations.reduce(made.frame, made.schema)
    assert len(relations.restore({name: reduced[name] for name in reduced}, made.schema)["a"]) == n
