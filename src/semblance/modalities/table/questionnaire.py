"""A survey as its parties use it: made of declarations alone, answered where a record lies, learned where answers come.

It is the same wherever it is made: of the declared schema, epsilon, a public number of patients, and what the round
before said, which is public too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from semblance.core.errors import UsageError
from semblance.core.promise import Guarantee
from semblance.core.rng import stream
from semblance.modalities.table.domain import declared_record, declared_schema, public_encoding
from semblance.modalities.table.generators.local import Local, LocalModel, Told
from semblance.modalities.table.survey import Survey, Tally, seats_of

Report = Mapping[str, Any]
DAY = len("2024-12-31")


@dataclass(frozen=True, eq=False)
class Questionnaire:
    """One round of a survey under local differential privacy."""

    declared: Mapping[str, Any]
    spec: Local
    survey: Survey

    @classmethod
    def of(
        cls, declared: Mapping[str, Any], *, epsilon: float, patients: int | None = None, **options: Any
    ) -> Questionnaire:
        """The first round. `patients` is a public number, by default the declared `n_public`.

        Raises UsageError with everything that is not declared.
        """
        schema, spec = declared_schema(declared), Local(**options)
        seats = seats_of(schema.n_public if patients is None else patients)
        return cls(declared, spec, spec.survey(public_encoding(schema), epsilon=epsilon, seats=seats))

    @property
    def guarantee(self) -> Guarantee:
        """What a patient is promised who gives one report."""
        return Guarantee(self.survey.epsilon, 0.0, "patient", "any record of a patient for any other")

    def report(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The randomised answer of one patient to one question, as JSON: all of the record that may leave its source.

        Values are as in a file; what is missing may be left out. Raises UsageError for a column that is not declared.
        No seed repeats it, and every further report of the patient costs epsilon once more.
        """
        table = declared_record(record, self.declared)
        return self.survey.report(self.survey.coder.encode(table)[0])

    def next(self, reports: Iterable[Report]) -> Questionnaire | None:
        """The second round, for patients who have not reported; None where it could ask nothing."""
        if self.survey.before:
            raise UsageError.of("a third round", rule="there are two: columns, then pairs", fix="learn the reports")
        found = self.survey.next(self.survey.gathered(reports))
        return None if found is None else Questionnaire(self.declared, self.spec, found)

    def learned(self, reports: Iterable[Report], *, seed: int) -> LocalModel:
        """What the reports of this round, and of the one before, say; only what comes after them depends on a seed.

        Raises DataError for a report that is none of this survey.
        """
        told = Told(self.survey.epsilon, (*self.survey.before, *self.survey.gathered(reports)))
        return self.spec.learned(self.survey.coder, told, rng=stream(seed, "fit"))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: what every source needs to answer."""
        before = [{"asked": tally.asked, "counts": tally.counts.tolist()} for tally in self.survey.before]
        options = {name: getattr(self.spec, name) for name in ("components", "steps", "groups", "classes", "single")}
        told = {"declared": _plain(self.declared), "epsilon": self.survey.epsilon, "options": options}
        return {**told, "patients": self.survey.asking.seats, "before": before}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Questionnaire:
        """The inverse of `to_json`."""
        first = cls.of(_read(told["declared"]), epsilon=told["epsilon"], patients=told["patients"], **told["options"])
        if not told["before"]:
            return first
        pairs = zip(first.survey.questions, told["before"], strict=True)
        tallies = [Tally(q, part["asked"], np.array(part["counts"], dtype=np.int64)) for q, part in pairs]
        found = first.survey.next(tallies)
        assert found is not None
        return cls(first.declared, first.spec, found)


def _plain(said: Any) -> Any:
    """Declarations as JSON: a date is {"date": its ISO text}."""
    if isinstance(said, Mapping):
        return {key: _plain(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_plain(value) for value in said]
    return {"date": said.isoformat()} if isinstance(said, date) else said


def _read(told: Any) -> Any:
    """The inverse."""
    if isinstance(told, Mapping) and isinstance(told.get("date"), str):
        return (date if len(told["date"]) == DAY else datetime).fromisoformat(told["date"])
    if isinstance(told, Mapping):
        return {key: _read(value) for key, value in told.items()}
    return [_read(value) for value in told] if isinstance(told, list) else told
