"""The policy checks itself at birth, and a stricter profile is never laxer."""

from __future__ import annotations

import copy
import hashlib
import tomllib
from importlib import resources
from typing import Any

import pytest

from semblance.core.errors import UsageError
from semblance.release.policy import PROFILES, Policy, Rule


def raw() -> dict[str, Any]:
    return tomllib.loads((resources.files("semblance.release") / "policy.toml").read_text())


def broken(**change: Any) -> str:
    data = {**raw(), **change}
    with pytest.raises(UsageError) as caught:
        Policy.parse(data)
    return str(caught.value)


def test_default_loads_with_its_hash() -> None:
    policy = Policy.load()
    assert tuple(profile.name for profile in policy.profiles) == PROFILES
    data = (resources.files("semblance.release") / "policy.toml").read_bytes()
    assert policy.sha256 == hashlib.sha256(data).hexdigest()


def test_default_keeps_the_promised_thresholds() -> None:
    policy = Policy.load()
    limits = {
        profile.name: {rule.metric: (rule.bound, rule.threshold, rule.needs) for rule in profile.rules}
        for profile in policy.profiles
    }
    assert limits["public"]["privacy.membership"] == ("upper", 0.02, 3383)
    assert limits["controlled"]["privacy.membership"] == ("upper", 0.10, 0)
    assert limits["public"]["privacy.membership_tpr"][:2] == ("upper", 0.02)
    assert limits["controlled"]["privacy.membership_tpr"][:2] == ("upper", 0.05)
    assert limits["controlled"]["fidelity.c2st"][:2] == ("value", 0.80)
    assert not policy["public"].holds_records and not policy["public"].unresolved


def test_unknown_keys_are_named_with_a_guess() -> None:
    text = broken(rul=[])
    assert "unknown key 'rul'" in text and "did you mean 'rule'?" in text


def test_every_mistake_is_told_at_once() -> None:
    rules = copy.deepcopy(raw()["rule"])
    rules[0]["at_mst"] = rules[0].pop("at_most")
    rules[1]["bound"] = "lower"
    rules[2]["at_most"]["publik"] = "low"
    rules[3]["required"] = ["everyone"]
    text = broken(rule=rules, version=2)
    for word in ("at_mst", "did you mean 'at_most'", "bound 'lower'", "publik", "everyone", "version 2", "'low'"):
        assert word in text


def test_an_ideal_is_a_number() -> None:
    rules = [{"metric": "privacy.x", "bound": "upper", "ideal": "0", "at_most": {name: 0.1 for name in PROFILES}}]
    assert "ideal is no number" in broken(rule=rules)


def test_a_bound_that_rewards_wide_intervals_is_refused() -> None:
    rules = [{"metric": "privacy.x", "bound": "upper", "at_least": {name: 0.1 for name in PROFILES}}]
    assert "worse end" in broken(rule=rules)


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("at_most", {"public": 0.7}),
        ("needs", {"public": 0, "controlled": 10}),
        ("required", ["controlled", "internal"]),
    ],
)
def test_a_stricter_profile_is_never_laxer(where: str, change: Any) -> None:
    rules = copy.deepcopy(raw()["rule"])
    rules[0][where] = {**rules[0][where], **change} if where == "at_most" else change
    assert "laxer for public than for controlled" in broken(rule=rules)


def test_a_rule_missing_from_the_stricter_profile_is_refused() -> None:
    rules = copy.deepcopy(raw()["rule"])
    del next(rule for rule in rules if rule["metric"] == "fidelity.shape")["at_most"]["public"]
    assert "'fidelity.shape' is laxer for public" in broken(rule=rules)


def test_settings_are_ordered_too() -> None:
    profile = copy.deepcopy(raw()["profile"])
    profile["public"] = {"rare": 3, "holds_records": True, "unresolved": False}
    profile["controlled"]["holds_records"] = False
    text = broken(profile=profile)
    assert "'rare' is laxer" in text and "'holds_records' is laxer" in text


def test_settings_have_types() -> None:
    assert "is of type int" in broken(profile={"public": {"rare": True}})
    assert "did you mean 'public'" in broken(profile={"publc": {}})


def test_a_policy_without_privacy_is_refused() -> None:
    rules = [rule for rule in raw()["rule"] if not rule["metric"].startswith("privacy")]
    assert "every profile must judge privacy" in broken(rule=rules)


def test_a_rule_twice_is_refused() -> None:
    assert "twice for public" in broken(rule=[*raw()["rule"], raw()["rule"][0]])


def test_unreadable_files_are_usage_errors(tmp_path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("name = ")
    with pytest.raises(UsageError, match="cannot be read"):
        Policy.load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        Policy.load(tmp_path / "none.toml")


def test_an_unknown_profile_is_named_with_a_guess() -> None:
    with pytest.raises(UsageError, match="did you mean 'controlled'"):
        Policy.load()["controled"]


def test_wildcards_match_parts() -> None:
    rule = Rule("utility.tstr.*", "value", "at_least", 0.1)
    assert rule.matches("utility.tstr.linear") and not rule.matches("utility.gap.linear")
