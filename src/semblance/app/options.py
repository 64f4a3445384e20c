"""What one run was asked to do. The fields are the options of the command line and the keys of config.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semblance.core.errors import Problem, UsageError

PROFILES = ("public", "controlled", "internal")
TIERS = ("fast", "standard", "audit")
DEVICES = ("auto", "cpu", "cuda")
# Smallest group that may be told apart: five patients as usual in health statistics, eleven where anyone may read.
RARE = {"public": 11, "controlled": 5, "internal": 5}


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
    holdout: float = 0.2
    """Share of patients that the generator never sees."""
    epsilon: float | None = None
    """Differential privacy budget."""
    delta: float | None = None
    """The delta that belongs to epsilon."""
    profile: str = "controlled"
    """Who shall be able to read the result."""
    time_budget: float = 60.0
    """Seconds for fitting."""
    seed: int = 0
    """Seed of every random draw."""
    device: str = "auto"
    """Where the network learns."""
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
    resume: bool = False
    """Take up a run that was interrupted."""
    yes: bool = False
    """Accept what the first screen says about unclear columns."""

    def __post_init__(self) -> None:
        problems = [*self._choices(), *self._ranges()]
        if problems:
            raise UsageError(*problems)

    @property
    def rare(self) -> int:
        """Values held by fewer patients than this become a rare class."""
        return RARE[self.profile]

    def _choices(self) -> list[Problem]:
        allowed = {"profile": PROFILES, "device": DEVICES, "tier": TIERS}
        return [
            Problem(f"{name} '{getattr(self, name)}'", f"one of {', '.join(known)}", f"--{name} {known[0]}")
            for name, known in allowed.items()
            if getattr(self, name) not in known
        ]

    def _ranges(self) -> list[Problem]:
        checks = [
            (bool(self.paths), "no input", "at least one file", "semblance synth patients.csv -o RUN"),
            (self.rows is None or self.rows >= 1, f"rows {self.rows}", "at least 1", "--rows 1000"),
            (0 < self.holdout < 1, f"holdout {self.holdout}", "a share between 0 and 1", "--holdout 0.2"),
            (self.time_budget > 0, f"time budget {self.time_budget} s", "above 0 seconds", "--time-budget 60s"),
            (self.threads is None or self.threads >= 1, f"threads {self.threads}", "at least 1", "--threads 2"),
            (self.seed >= 0, f"seed {self.seed}", "0 or above", "--seed 0"),
            (self.epsilon is None or self.epsilon > 0, f"epsilon {self.epsilon}", "above 0", "--epsilon 1"),
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
    holdout: str
    """Records of other patients that it never saw."""
    synthetic: str
    """What it made."""
    run: Path
    """The run folder."""
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

    def __post_init__(self) -> None:
        for name, known in (("profile", PROFILES), ("tier", TIERS)):
            if getattr(self, name) not in known:
                raise UsageError.of(
                    f"{name} '{getattr(self, name)}'", rule=f"one of {', '.join(known)}", fix=f"--{name} {known[0]}"
                )

    @property
    def rare(self) -> int:
        """Values held by fewer patients than this become a rare class."""
        return RARE[self.profile]
