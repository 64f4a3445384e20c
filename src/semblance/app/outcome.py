"""How every run ends: judges that look, a gate that decides, and the folder in which its report lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semblance.app import stages
from semblance.app.assemble import leaves
from semblance.app.events import Progressed, Show
from semblance.app.judged import headline
from semblance.app.work import Stages
from semblance.core.modality import Modality
from semblance.core.report import Report


@dataclass(frozen=True)
class Outcome:
    """A finished run: its folder and its report, which holds the decision."""

    run: Path
    report: Report

    @property
    def decision(self) -> Mapping[str, Any]:
        """The gate's decision as plain JSON."""
        return self.report.decision or {}

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        return int(self.decision["exit_code"])

    def to_json(self) -> dict[str, Any]:
        """Decision, what was asked for, the weakest finding of each section, and paths: what --json prints."""
        told = {key: self.decision[key] for key in ("verdict", "asked", "granted", "exit_code", "against", "reasons")}
        numbers = [{**one.finding.to_json(), "detail": {}, "level": one.level} for one in headline(self.report)]
        wanted = {"wanted": self.report.subject["wanted"]} if self.report.subject.get("wanted") else {}
        return {**told, **wanted, "headline": numbers, "paths": self.paths()}

    def paths(self) -> dict[str, str]:
        """The files of the run that a person asks for first."""
        found = [
            *self.run.glob("synthetic*"),
            *(self.run / n for n in ("report.html", "report.json", "card.md", "public/GUARANTEE.md")),
            *([self.run / "public"] if leaves(self.report) else []),
        ]
        names = {"report.json": "json", "GUARANTEE.md": "guarantee"}
        return {names.get(path.name, path.stem): str(path) for path in found if path.exists()}


def decided(stage: Stages, found: Report, *, profile: str, rare: int | None) -> Report:
    """The stage in which the gate speaks."""
    said = stage.run("decide", lambda room: stages.decide(found, profile=profile, rare=rare).to_json(), profile=profile)
    return Report.from_json(said)


@dataclass
class Looks:
    """Counts the judges as they begin."""

    manifest: Modality
    show: Show
    done: int = 0

    @property
    def judges(self) -> int:
        from semblance.evaluate import suites

        return len(suites.metrics(self.manifest)) + len(suites.attacks(self.manifest))

    def __call__(self, name: str) -> None:
        self.show(Progressed("evaluate", self.done, self.judges, _spoken(name)))
        self.done += 1


def _spoken(judge: str) -> str:
    """The name of a judge as a person reads it: 'transfer' of 'semblance.evaluate.utility.transfer:transfer'."""
    return judge.rpartition(":")[2].replace("_", " ")
