from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from semblance.core.modality import FieldPlan, Modality, Profile, load


def test_load_finds_what_a_string_names():
    assert load("math:sqrt") is math.sqrt


def test_a_profile_round_trips_through_json():
    profile = Profile(10, 8, (FieldPlan("age", "integer", "feature", 0.1, unclear=True, fix="say so"),), ("a note",))
    assert Profile.from_json(json.loads(json.dumps(profile.to_json()))) == profile


@pytest.fixture
def manifest() -> Modality:
    where = dict.fromkeys(("read", "like", "write", "output", "embed", "features"), "math:sqrt")
    return Modality(
        "toy", "a toy", (".toy",), **where, generators={"a": "math:sin", "b": "math:cos"}, default="b", floor="a"
    )


def test_auto_is_the_default_generator_where_nothing_of_that_name_chooses(manifest):
    assert manifest.named("auto") == "b" and manifest.generator("auto") is math.cos
    assert manifest.named("a") == "a" and manifest.generator("a") is math.sin
    chooser = replace(manifest, generators={**manifest.generators, "auto": "math:tan"})
    assert chooser.named("auto") == "auto" and chooser.generator("auto") is math.tan


def test_an_unknown_generator_is_not_guessed(manifest):
    with pytest.raises(KeyError):
        manifest.generator("c")
