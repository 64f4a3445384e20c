"""What one run was asked to do. The fields are the options of the command line and the keys of config.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from semblance.app.conditions import wanted_of
from semblance.core.errors import Problem, UsageError
from semblance.core.model import FAIRNESS, Wanted

PROFILES = ("public", "controlled", "internal")
TIERS = ("fast", "standard", "audit")
DEVICES = ("auto", "cpu", "cuda")
HOLDS_RECORDS = ("no", "yes")
# Smallest group that may be told apart: five patients as usual in health statistics, eleven where anyone may read.
RARE = {"public": 11, "controlled": 5, "internal": 5}


def wrong_choices(**asked: str) -> list[Problem]:
    """What was asked of an option that has names ("profile", "device", "tier", "holds_records") and is none of them."""
    allowed = {"profile": PROFILES, "device": DEVICES, "tier": TIERS, "fairness": FAIRNESS}
    allowed["holds_records"] = HOLDS_RECORDS
    return [
        Problem(f"{flag} '{value}'", f"one of {', '.join(allowed[name])}", f"--{flag} {allowed[name][0]}")
        for name, flag, value in ((name, name.replace("_", "-"), value) for name, value in asked.items())
        if value not in allowed[name]
    ]


def refuse_wrong(*, seed: int, **choices: str) -> None:
    """Raise UsageError with everything that no judgement can be asked for."""
    problems = wrong_choices(**choices)
    if seed < 0:
        problems.append(Problem(f"seed {seed}", "0 or above", "--seed 0"))
    if problems:
        raise UsageError(*problems)


@dataclass(frozen=True)
class SynthOptions:
    """One `semblance synth`."""

    paths: tuple[str, ...]
    """The input: CSV, Parquet, Feather or Excel; `FILE.zip::member` chooses from a zip."""
    run: Path
    """The run folder."""
    modality: str = "auto"
    """What the input is."""
    model: str = "auto"
    """The generator, by its catalogue name."""
    rows: int | None = None
    """Synthetic records to make; as many as the input has when not given."""
    subject: str | None = None
    """The column that names the patient."""
    target: str | None = None
    """The column that others shall predict."""
    given: Mapping[str, str] | None = None
    """Conditions that every record satisfies, by column: "F", "60..80", "I10,I50.1"."""
    quota: Mapping[str, str] | None = None
    """Exact shares of the records, by column: "F:.5,M:.5", or "balanced"."""
    shift: Mapping[str, str] | None = None
    """Other means or odds, by column: "+10", "yes:2"."""
    fair_on: str | None = None
    """Columns, divided by commas, between whose groups the target shall be fair."""
    fairness: str = FAIRNESS[0]
    """What fair means: demographic parity, or equalised odds."""
    holdout: float = 0.2
    """Share of patients that the generator never sees."""
    epsilon: float | None = None
    """Differential privacy budget."""
    delta: float | None = None
    """The delta that belongs to epsilon."""
    ledger: str | None = None
    """The folder of ledgers; the user's own when not given."""
    profile: str = "controlled"
    """Who shall be able to read the result."""
    time_budget: float = 60.0
    """Seconds for fitting."""
    seed: int = 0
    """Seed of every random draw."""
    device: str = "auto"
    """Where the network learns and draws: 'auto' is CUDA where the generator and the machine have it, else the CPU."""
    threads: int | None = None
    """Threads to compute with; all cores when not given. Equal bytes need equal threads."""
    tier: str = "standard"
    """How hard the judges look."""
    declared: Mapping[str, Any] | None = None
    """The schema file as parsed."""
    generator: Mapping[str, Any] = field(default_factory=dict)
    """Options of the generator itself."""
    plan: Mapping[str, Any] | None = None
    """A saved plan of steps, instead of a new one."""
    accepted: Mapping[str, str] = field(default_factory=dict)
    """Unclear columns that a person has accepted before, each with the role that was shown."""
    resume: bool = False
    """Take up a run that was interrupted."""
    yes: bool = False
    """Accept what the first screen says about unclear columns."""

    def __post_init__(self) -> None:
        problems = [*self._choices(), *self._ranges(), *self._unwanted()]
        if problems:
            raise UsageError(*problems)

    @property
    def wanted(self) -> Wanted | None:
        """What the records shall be like, if anything was asked."""
        parts = {part: getattr(self, part) for part in ("given", "quota", "shift", "fair_on")}
        return wanted_of(**parts, fairness=self.fairness)

    @property
    def rare(self) -> int:
        """Values held by fewer patients than this become a rare class."""
        return RARE[self.profile]

    def _choices(self) -> list[Problem]:
        return wrong_choices(profile=self.profile, device=self.device, tier=self.tier, fairness=self.fairness)

    def _unwanted(self) -> list[Problem]:
        """What is wrong with what is wanted, whatever the data are."""
        if self.fairness not in FAIRNESS:
            return []
        try:
            _ = self.wanted
        except UsageError as error:
            return list(error.problems)
        return []

    def _ranges(self) -> list[Problem]:
        checks = [
            (bool(self.paths), "no input", "at least one file", "semblance synth patients.csv -o RUN"),
            (self.rows is None or self.rows >= 1, f"rows {self.rows}", "at least 1", "--rows 1000"),
            (0 < self.holdout < 1, f"holdout {self.holdout}", "a share between 0 and 1", "--holdout 0.2"),
            (
                0 < self.time_budget < inf,
                f"time budget {self.time_budget} s",
                "above 0 seconds, and finite",
                "--time-budget 60s",
            ),
            (self.threads is None or self.threads >= 1, f"threads {self.threads}", "at least 1", "--threads 2"),
            (self.seed >= 0, f"seed {self.seed}", "0 or above", "--seed 0"),
            (self.epsilon is None or 0 < self.epsilon < inf, f"epsilon {self.epsilon}", "above 0", "--epsilon 1"),
            (self.delta is None or 0 < self.delta < 1, f"delta {self.delta}", "between 0 and 1", "--delta 1e-6"),
            (
                self.delta is None or self.epsilon is not None,
                "a delta without an epsilon",
                "both belong together",
                "add --epsilon",
            ),
        ]
        return [Problem(found, rule, fix) for fine, found, rule, fix in checks if not fine]


@dataclass(frozen=True)
class EvaluateOptions:
    """One `semblance evaluate`."""

    train: str
    """The records that the generator saw."""
    synthetic: str
    """What it made."""
    run: Path
    """The run folder."""
    holdout: str | None = None
    """Records of other patients that it never saw; without them no finding of privacy can be measured."""
    further: tuple[str, ...] = ()
    """Further synthetic sets of the same generator: estimates of an analysis are combined over all of them."""
    subject: str | None = None
    """The column that names the patient."""
    target: str | None = None
    """The column that others shall predict."""
    profile: str = "controlled"
    """Who shall be able to read the result."""
    tier: str = "standard"
    """How hard the judges look."""
    modality: str = "auto"
    """What the inputs are."""
    seed: int = 0
    """Seed of every random draw."""
    declared: Mapping[str, Any] | None = None
    """The schema file as parsed."""
    holds_records: str | None = None
    """Whether the generator that made the records keeps training records, as the person says: yes, no, or unknown."""

    def __post_init__(self) -> None:
        said = {} if self.holds_records is None else {"holds_records": self.holds_records}
        refuse_wrong(seed=self.seed, profile=self.profile, tier=self.tier, **said)

    @property
    def rare(self) -> int:
        """Values held by fewer patients than this become a rare class."""
        return RARE[self.profile]
