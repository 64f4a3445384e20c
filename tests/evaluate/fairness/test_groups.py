from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fairness.groups import OTHERS, groups
from tests.contracts.samples import table


def frame(n: int, seed: int) -> pd.DataFrame:
    rng = stream(seed, "groups")
    return pd.DataFrame(
        {
            "age": rng.integers(20, 90, n),
            "Sex": rng.choice(["F", "M"], n),
            "race_group": rng.choice(["a", "b", "tiny", "small"], n, p=[0.6, 0.35, 0.02, 0.03]),
            "sausages": rng.choice(["x", "y"], n),
            "died": rng.random(n) < 0.4,
        }
    )


def evidence(n: int = 1500, **options) -> Evidence:
    parts = (table(frame(n, seed), target="died", **options) for seed in range(3))
    return Evidence(*parts, catalog.modality("table"))


def test_attributes_are_found_by_name_and_never_by_a_part_of_a_word():
    found = {one.attribute for one in groups(evidence())}
    assert {"age", "Sex", "race_group"} <= found
    assert not {name for name in found if "sausages" in name or "died" in name}


def test_a_declared_attribute_comes_before_any_name():
    declared = {"columns": {"sausages": {"protected": True}}}
    assert [one.attribute for one in groups(evidence(declared=declared))] == ["sausages"]


def test_ages_are_cut_at_the_usual_years_and_small_groups_are_merged():
    found = {one.attribute: one for one in groups(evidence())}
    assert found["age"].groups[0].name == "age = 40 to below 65"
    race = found["race_group"]
    assert {g.name.removeprefix("race_group = ") for g in race.groups} >= {"a", "b", "small"}
    few = {one.attribute: one for one in groups(evidence(600))}["race_group"]
    assert {g.name.removeprefix("race_group = ") for g in few.groups} == {"a", "b"}


def test_groups_of_an_attribute_do_not_overlap_and_pairs_are_their_meeting():
    one = evidence()
    found = groups(one)
    for each in found:
        for part in ("train", "holdout", "synthetic"):
            assert np.max(sum(g.members[part].astype(int) for g in each.groups)) == 1
    crossed = next(each for each in found if each.attribute == "age and Sex")
    for group in crossed.groups:
        if not group.name.endswith(OTHERS):
            assert "age = " in group.name and "Sex = " in group.name


@pytest.mark.parametrize("n", [1, 3, 20])
def test_a_handful_of_patients_has_no_groups(n):
    assert groups(evidence(n)) == ()
