"""The Python face of local differential privacy: a survey that patients answer at the source of their records.

survey = sb.survey("clinic.toml", epsilon=4)                the same wherever it is made
report = survey.report({"age": 71, "sex": "F"})             at the source: JSON, and all that leaves it
model = survey.fit("reports.jsonl")                         where reports are gathered
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semblance.app import config
from semblance.app.face import Fitted
from semblance.catalog import modality
from semblance.core.errors import DataError, UsageError
from semblance.core.files import write_json
from semblance.core.modality import Modality
from semblance.core.modality import load as attribute
from semblance.core.promise import Guarantee

Reports = str | Path | Iterable[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Survey:
    """One round of questions, of which each patient answers one, once, where its record lies."""

    asked: Any
    modality: Modality

    @property
    def guarantee(self) -> Guarantee:
        """What a patient is promised who gives one report, whoever sees it."""
        found: Guarantee = self.asked.guarantee
        return found

    def report(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The randomised answer of one patient to one question, as JSON: all of the record that may leave its source.

        Values are as in a file; what is missing may be left out. Raises UsageError for a column that is not declared.
        No seed repeats it, and every further report of the patient costs epsilon once more.
        """
        found: dict[str, Any] = self.asked.report(record)
        return found

    def next(self, reports: Reports) -> Survey | None:
        """The second round, about pairs of columns, for patients who have not reported yet; None where noise would
        cover all of it. `reports` as in `fit`."""
        found = self.asked.next(_read(reports))
        return None if found is None else Survey(found, self.modality)

    def fit(self, reports: Reports, *, seed: int = 0) -> Fitted:
        """The model of the reports of this round, and of the one before: dictionaries, or a file with one a line.

        It spends nothing: reports may be published. Raises DataError for a report that is none of this round.
        """
        model = self.asked.learned(_read(reports), seed=seed)
        return Fitted(model, self.modality, {}, seed, spec=self.asked.spec)

    def save(self, path: str | Path) -> None:
        """Write what a source needs to answer, as JSON."""
        write_json(Path(path), self.asked.to_json())


def survey(
    schema: Mapping[str, Any] | str | Path, *, epsilon: float | None = None, patients: int | None = None
) -> Survey:
    """A survey under local differential privacy, from a schema file and epsilon, or from a file that `save` wrote.

    `patients` is a public number of those who may answer, by default the schema's `n_public`; what is asked depends on
    it. Raises UsageError with everything that is not declared.
    """
    manifest = modality("table")
    kind: Any = attribute(manifest.survey or "")
    if isinstance(schema, str | Path) and Path(schema).suffix == ".json":
        return Survey(kind.from_json(_saved(Path(schema))), manifest)
    if epsilon is None:
        raise UsageError.of("a survey without epsilon", rule="a schema file says nothing of it", fix="epsilon=4")
    declared = config.read_toml(Path(schema)) if isinstance(schema, str | Path) else schema
    return Survey(kind.of(declared, epsilon=epsilon, patients=patients), manifest)


def _saved(path: Path) -> Any:
    text = config.read_text(path)
    try:
        return json.loads(text)
    except ValueError:
        raise UsageError.of(
            f"'{path.name}' is not JSON", rule="a survey as save() wrote it", fix="save it anew"
        ) from None


def _read(reports: Reports) -> Iterator[Mapping[str, Any]]:
    """Reports, from a file one a line. Raises UsageError for a file that cannot be read, DataError for a line that is
    none."""
    if not isinstance(reports, str | Path):
        yield from reports
        return
    for number, line in enumerate(config.read_text(Path(reports)).splitlines(), 1):
        yield _report(number, line)


def _report(number: int, line: str) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise DataError.of(
            f"line {number} is no report", rule="one JSON object a line, as report() made it", fix="leave it out"
        )
    return told
