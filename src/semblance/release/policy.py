"""The release policy: which numbers are good enough for whom. A TOML file states it; it is checked before it is used.

Profiles run from strict to loose (public, controlled, internal), and a stricter one must hold every rule of the looser
one, at least as strictly. So "public is granted" implies "controlled is granted", whatever the findings are.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from semblance.core.errors import Problem, UsageError

Bound = Literal["value", "excess", "upper", "lower"]
Direction = Literal["at_most", "at_least"]

PROFILES = ("public", "controlled", "internal")
_RULE_KEYS = ("metric", "bound", "at_most", "at_least", "needs", "required", "ideal", "why")
_PROFILE_KEYS = ("rare", "holds_records", "unresolved")
_POLICY_KEYS = ("name", "version", "profile", "rule")


def holds(number: float, direction: str, threshold: float) -> bool:
    """Whether a number is at most (or at least) the threshold."""
    return number <= threshold if direction == "at_most" else number >= threshold


@dataclass(frozen=True)
class Rule:
    """One comparison. `bound` says which number of the estimate must be `direction` (at most, at least) `threshold`.

    "excess" is the value less the control's, or less the ideal where there is no control.
    `metric` may hold "*". With fewer than `needs` units the threshold cannot be certified, nor where the interval is
    wider than the way from `ideal`, the value of a perfect generator, to the threshold. A missing or insufficient
    finding refuses where the rule is `required`.
    """

    metric: str
    bound: Bound
    direction: Direction
    threshold: float
    needs: int = 0
    required: bool = True
    ideal: float = 0.0
    why: str = ""

    def matches(self, metric: str) -> bool:
        """Whether the rule judges this finding."""
        return fnmatchcase(metric, self.metric)

    def allows(self, number: float) -> bool:
        """Whether the threshold holds for a number."""
        return holds(number, self.direction, self.threshold)

    def implies(self, other: Rule) -> bool:
        """Whether whatever passes this rule passes `other`, a rule of the same metric, bound and direction."""
        tight = other.allows(self.threshold)
        return tight and self.needs >= other.needs and self.required >= other.required

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two rules the same but for their thresholds."""
        return self.metric, self.bound, self.direction


@dataclass(frozen=True)
class Profile:
    """The rules of one audience, and what must be true of the run itself.

    `rare`: fewest patients behind a category. `holds_records`, `unresolved`: whether a generator that keeps records, or
    columns with undecided identifiers, are tolerated.
    """

    name: str
    rules: tuple[Rule, ...]
    rare: int = 1
    holds_records: bool = False
    unresolved: bool = False

    def lacks(self, other: Profile) -> list[str]:
        """What keeps this profile from being at least as strict as `other`; empty when it is."""
        own = {rule.key: rule for rule in self.rules}
        lax = [rule.metric for rule in other.rules if rule.key not in own or not own[rule.key].implies(rule)]
        lax += ["rare"] * (self.rare < other.rare)
        lax += ["holds_records"] * (self.holds_records > other.holds_records)
        return lax + ["unresolved"] * (self.unresolved > other.unresolved)


@dataclass(frozen=True)
class Policy:
    """Profiles from strict to loose, with the name and SHA-256 of the file that states them."""

    name: str
    profiles: tuple[Profile, ...]
    sha256: str = ""

    def __post_init__(self) -> None:
        problems = [*_order(self.profiles), *_teeth(self.profiles)]
        if problems:
            raise UsageError(*problems)

    def __getitem__(self, name: str) -> Profile:
        for profile in self.profiles:
            if profile.name == name:
                return profile
        rule = f"a profile is one of {', '.join(PROFILES)}"
        raise UsageError.of(f"profile '{name}'", rule=rule, fix=_near(name, PROFILES, "name one of them"))

    @classmethod
    def load(cls, path: Path | None = None) -> Policy:
        """The policy of a TOML file, or the default one. Raises UsageError with every mistake of the file."""
        source = resources.files("semblance.release") / "policy.toml" if path is None else path
        try:
            raw = source.read_bytes()
            data = tomllib.loads(raw.decode())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            found = f"the policy '{source.name}' cannot be read ({error})"
            raise UsageError.of(found, rule="a policy is a TOML file", fix="correct it, or use the default") from error
        return cls.parse(data, sha256=hashlib.sha256(raw).hexdigest())

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, sha256: str = "") -> Policy:
        """The policy of a parsed TOML file. Raises UsageError with every mistake in it."""
        problems = list(_mistakes(data))
        if problems:
            raise UsageError(*problems)
        settings = data.get("profile", {})
        profiles = [Profile(name, _rules(data["rule"], profile=name), **settings.get(name, {})) for name in PROFILES]
        return cls(data["name"], tuple(profiles), sha256)


def _rules(entries: Iterable[Mapping[str, Any]], *, profile: str) -> tuple[Rule, ...]:
    rules = []
    for entry in entries:
        for direction in get_args(Direction):
            if profile in entry.get(direction, {}):
                rules.append(_rule(entry, profile=profile, direction=direction))
    return tuple(rules)


def _rule(entry: Mapping[str, Any], *, profile: str, direction: Direction) -> Rule:
    return Rule(
        metric=entry["metric"],
        bound=entry["bound"],
        direction=direction,
        threshold=float(entry[direction][profile]),
        needs=entry.get("needs", {}).get(profile, 0),
        required=profile in entry.get("required", PROFILES),
        ideal=float(entry.get("ideal", 0.0)),
        why=entry.get("why", ""),
    )


def _order(profiles: tuple[Profile, ...]) -> Iterable[Problem]:
    if tuple(profile.name for profile in profiles) != PROFILES:
        yield Problem("other profiles", f"the profiles are {', '.join(PROFILES)}, in this order", "correct them")
    for strict, loose in itertools.pairwise(profiles):
        for what in strict.lacks(loose):
            yield Problem(
                f"'{what}' is laxer for {strict.name} than for {loose.name}",
                "a stricter profile holds every rule of a looser one, at least as strictly",
                f"tighten {strict.name} or loosen {loose.name}",
            )


def _teeth(profiles: tuple[Profile, ...]) -> Iterable[Problem]:
    for profile in profiles:
        keys = [rule.key for rule in profile.rules]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield Problem(f"'{key[0]}' twice for {profile.name}", "a metric and bound have one rule", "remove one")
        if not any(rule.metric.startswith("privacy.") and rule.required for rule in profile.rules):
            fix = "add a [[rule]] with a metric such as 'privacy.membership'"
            yield Problem(f"no required privacy rule for {profile.name}", "every profile must judge privacy", fix)


def _mistakes(data: Mapping[str, Any]) -> Iterable[Problem]:
    yield from _unknown(data, _POLICY_KEYS, "the policy")
    if not isinstance(data.get("name"), str):
        yield Problem("no name", "a policy has a name, which its decisions carry", 'name = "..."')
    if data.get("version") != 1:
        yield Problem(f"version {data.get('version')!r}", "this program reads version 1", "version = 1")
    yield from _profile_mistakes(data.get("profile", {}))
    rules = data.get("rule", [])
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        yield Problem("no rules", "a policy has rules", "write them as [[rule]] tables")
        return
    for number, entry in enumerate(rules, start=1):
        yield from _rule_mistakes(entry, f"rule {number} ({entry.get('metric', 'no metric')})")


def _profile_mistakes(profiles: Any) -> Iterable[Problem]:
    if not isinstance(profiles, dict) or not all(isinstance(entry, dict) for entry in profiles.values()):
        yield Problem("profile is no table", "settings stand in [profile.public] and so on", "correct it")
        return
    yield from _unknown(profiles, PROFILES, "[profile]")
    for name, entry in profiles.items():
        yield from _unknown(entry, _PROFILE_KEYS, f"[profile.{name}]")
        for key, value in entry.items():
            wanted = int if key == "rare" else bool
            if key in _PROFILE_KEYS and type(value) is not wanted:
                found = f"[profile.{name}] {key} = {value!r}"
                yield Problem(found, f"{key} is of type {wanted.__name__}", "correct it")


def _rule_mistakes(entry: Mapping[str, Any], where: str) -> Iterable[Problem]:
    yield from _unknown(entry, _RULE_KEYS, where)
    if not isinstance(entry.get("metric"), str):
        yield Problem(f"{where}: no metric", "a rule names the finding that it judges", 'metric = "fidelity.shape"')
    directions = [name for name in get_args(Direction) if name in entry]
    if len(directions) != 1:
        yield Problem(f"{where}: {len(directions)} directions", "a rule has at_most or at_least", "state one of them")
    fair = ("value", "excess", "lower") if directions == ["at_least"] else ("value", "excess", "upper")
    if entry.get("bound") not in fair:
        rule = "a rule compares the value, its excess, or the interval's worse end"
        fix = f"bound is one of {', '.join(fair)}; the other end would reward a wide interval"
        yield Problem(f"{where}: bound {entry.get('bound')!r}", rule, fix)
    for key in (*directions, "needs"):
        yield from _numbers(entry.get(key, {}), where=f"{where}: {key}", whole=key == "needs")
    if type(entry.get("ideal", 0.0)) not in (int, float):
        yield Problem(f"{where}: ideal is no number", "ideal is what a perfect generator reaches", "ideal = 0.01")
    if not isinstance(entry.get("required", []), list):
        yield Problem(f"{where}: required is no list", "required lists profiles", 'required = ["public"]')
    else:
        yield from _unknown(entry.get("required", []), PROFILES, f"{where}: required")


def _numbers(table: Any, *, where: str, whole: bool) -> Iterable[Problem]:
    if not isinstance(table, dict):
        yield Problem(f"{where} is no table", "thresholds stand per profile", "{ public = 0.02, controlled = 0.10 }")
        return
    yield from _unknown(table, PROFILES, where)
    kinds = (int,) if whole else (int, float)
    for name, value in table.items():
        if type(value) not in kinds or not -1e300 < value < 1e300:
            yield Problem(f"{where}: {name} = {value!r}", "a finite number" + " of patients" * whole, "correct it")


def _unknown(keys: Iterable[Any], known: tuple[str, ...], where: str) -> Iterable[Problem]:
    for key in keys:
        if key not in known:
            fix = _near(str(key), known, f"use one of {', '.join(known)}")
            rule = "every key is known, so that no typo loosens a rule"
            yield Problem(f"{where} has an unknown key '{key}'", rule, fix)


def _near(word: str, known: tuple[str, ...], otherwise: str) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{close[0]}'?" if close else otherwise
