"""Chooses a generator for a table by the rules of `race`, and has it learn: what comes out is the winner's own model.

The plan holds who won, why, and the winner's own plan, so that a run that is repeated races no second time.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.errors import UsageError
from semblance.core.model import Card, Plan
from semblance.modalities.table import MANIFEST
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import EncodingOptions
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting, saved
from semblance.modalities.table.race import RULES, SHARE, Rule, Runner, decide, race, rule_for

CARD = Card(
    name="auto",
    summary="chooses by rows, columns and time; two or three candidates race on a part of the training patients",
    paper="the rules stand below; C2ST after Lopez-Paz & Oquab, ICLR 2017; TSTR after Esteban et al. 2017",
    conditional=True,
    needs=("torch",),
)
FEWEST = 60
"""Patients without whom a race says nothing."""


def _why(names: list[str], rule: Rule) -> str:
    """Why the first of `names` is taken without a race: the rule's reason is one for the rule's first candidate."""
    if names[0] == rule.candidates[0]:
        return rule.why
    if names[0] in rule.candidates:
        return f"the first of {', '.join(rule.candidates)} that can do what is asked"
    return f"the default, since what is asked is beyond {', '.join(rule.candidates)}"


@dataclass(frozen=True)
class Choice:
    """The plan of a choice: who won, its own plan, why, and how the others did."""

    winner: str
    plan: dict
    why: str
    race: list


@dataclass(frozen=True)
class Auto(CodedSpec):
    """A choice among generators. The options are those that all of them have."""

    conditional: bool = False
    """Whether only generators run that can sample with given values."""
    card: ClassVar[Card] = CARD
    planned: ClassVar[type] = Choice
    """What a plan holds, so that one from a file can be checked."""
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Choose, and let the winner plan with the time that is left of `time_budget` (default 60 seconds)."""
        budget, begun = 60.0 if time_budget is None else time_budget, time.monotonic()
        rule = rule_for(records=len(train), columns=len(train.schema.learned), seconds=budget)
        names, runners = self._candidates(rule), tuple[Runner, ...]()
        winner, why = names[0], _why(names, rule)
        if len(names) > 1 and len(np.unique(train.subjects)) >= FEWEST:
            specs = {name: self._spec(name) for name in names}
            runners = race(specs, train, seconds=SHARE * budget, rng=rng)
            winner, why = decide(runners)
        left = max(budget - (time.monotonic() - begun), 0.5 * budget)
        plan = dict(self._spec(winner).plan(train, rng=rng, time_budget=left))
        return {"winner": winner, "plan": plan, "why": why, "race": [runner.to_json() for runner in runners]}

    def _candidates(self, rule: Rule) -> list[str]:
        """Who runs: the rule's candidates that the catalogue has and that can do what is asked, or the default."""
        able = [name for name in rule.candidates if name in MANIFEST.generators and self._can(name)]
        return able if able else [MANIFEST.default]

    def _can(self, name: str) -> bool:
        return not self.conditional or MANIFEST.generator(name).card.conditional

    def _spec(self, name: str) -> Any:
        """The spec of a generator with the options that all have."""
        return MANIFEST.generator(name)(**{field.name: getattr(self, field.name) for field in fields(EncodingOptions)})

    def chosen(self, plan: Plan) -> Any:
        """The winner's spec. Raises UsageError where a plan from elsewhere names no generator that may win."""
        candidates = {MANIFEST.default, *(name for rule in RULES for name in rule.candidates)}
        if plan["winner"] not in candidates & MANIFEST.generators.keys():
            rule = f"one of {', '.join(sorted(candidates & MANIFEST.generators.keys()))}"
            raise UsageError.of(f"[plan] winner '{plan['winner']}'", rule=rule, fix="leave out the whole [plan]")
        return self._spec(plan["winner"])

    def learn_from(self, train: Table, how: Fitting) -> CodedModel:
        """The winner's model of `train`. Raises UsageError for a plan that names nobody."""
        told: dict[str, Any] = dict(rng=how.rng, encoding=how.encoding, watch=how.watch, resume=how.resume)
        model: CodedModel = self.chosen(how.plan).fit(train, plan=how.plan["plan"], **told)
        return model

    @staticmethod
    def load(folder: Path) -> CodedModel:
        """The winner's model, by the name that stands in its folder. Raises DataError where there is none."""
        saved(folder)
        model: CodedModel = MANIFEST.generator(json.loads((folder / "model.json").read_text())["generator"]).load(
            folder
        )
        return model
