"""GUARANTEE.md: what differential privacy promises about the records, what backs it, and what it does not cover.

Everything in it is public: it is made of declarations, of the noise that was drawn, and of noisy measurements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from typing import Any

from semblance.app import facts
from semblance.app.card import plain
from semblance.core.promise import Answers, Guarantee, Steps, rounded_up, spent_from
from semblance.core.schema import Schema

NOBODY = (
    "No column was declared to tell patients: no patient has a second record, but for files that name the patient "
    "themselves."
)
ASSUMED = (
    "Every run on these patients, also as part of another cohort, was paid for by this ledger; budgets of cohorts that "
    "share patients add up.",
    "The schema file was written without looking at the records.",
    "The ledger of the cohort was not removed or replaced, and no other tool published anything about these patients.",
    "What a file is as a whole (its kind, its header, its separator) is the same with one patient more or less.",
    "Nobody outside sees the folder of an unfinished run, which keeps what it measured.",
    "Nobody outside can see how long the computation took, what its memory held, or which errors it met.",
)
PLANNED = "Steps of training that came after other measurements are accounted for as if planned beforehand."
FLOATING = (
    "The Gaussian noise of training is made of floating-point numbers, which are not quite Gaussian: that the last "
    "bits of trained weights give nobody away is assumed, not proven. (Noise on counts is exact.)"
)
NOT_COVERED = (
    "What is true of patients in general can be learned, and so may say something about every patient.",
    "Measurements of quality on the real records stay inside: none stands in this folder. Whoever decides by them "
    "whether to publish adds a look at the records that the guarantee does not cover.",
)


def guarantee_page(told: Mapping[str, Any], *, schema: Schema, file: str) -> str:
    """The page, from what `semblance.app.private.promised` says."""
    promise = Guarantee(*(told[key] for key in ("epsilon", "delta", "unit", "relation")))
    parts = [
        ["# Guarantee", "", f"The records in `{plain(file)}` were made under {promise}.", "", *_meaning(told)],
        ["## What backs it", "", *_noise(told)],
        ["## What attacks found", "", *_attacked(told.get("audit"))],
        ["## What was measured", "", *_measured(told["measured"], local=_local(told))],
        ["## What it rests on", "", *(f"- {line}" for line in _assumed(told, schema))],
        ["## What it does not cover", "", *(f"- {line}" for line in NOT_COVERED)],
        ["## Columns", "", *_columns(schema)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _meaning(told: Mapping[str, Any]) -> Iterator[str]:
    epsilon, delta = told["epsilon"], told["delta"]
    right = (exp(epsilon) + delta) / (exp(epsilon) + 1)
    yield (
        "Whatever anybody does with these records, now or later, and whatever else they know: whether one patient was "
        "in the data changes the probability of anything that they see by a factor of at most "
        f"{rounded_up(exp(epsilon)):g} (but for {rounded_up(delta, 2):g}). Who guesses whether a patient was in the "
        f"data, where both are equally likely, is right in at most {rounded_up(100 * min(right, 1.0), 3):g}% of cases."
    )


def _noise(told: Mapping[str, Any]) -> Iterator[str]:
    budget = told["budget"]
    yield (
        f"The ledger of cohort `{plain(told['cohort'])}` (budget: epsilon {budget['epsilon']:g}, delta "
        f"{budget['delta']:.3g}) holds all that it knows was measured of these patients, with randomness of the "
        "operating system:"
    )
    yield ""
    yield from (f"- {spent_from(part)}" for part in told["noise"])


def _attacked(audit: Mapping[str, Any] | None) -> Iterator[str]:
    """Those of the run, which came before it measured anything."""
    if audit is None:
        yield "None were tried in this run. `semblance audit` tries them on simulated patients, at the run's settings."
        return
    yield (
        f"Before it measured anything, the same generator with the whole budget was attacked: {facts.audit(audit)}. A "
        "bound below the promise shows that these attacks failed, not that none could succeed."
    )


def _assumed(told: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    """Noise on counts is exact; that of training is as good as floating-point numbers are."""
    subject, parts = schema.where("subject"), [spent_from(part) for part in told["noise"]]
    yield (
        NOBODY
        if subject is None
        else f"All records of a patient carry the same value in the column `{plain(subject.name)}`, and no others do."
    )
    yield from ASSUMED
    if any(isinstance(part, Steps) for part in parts):
        yield from (PLANNED, FLOATING) if len(parts) > 1 else (FLOATING,)


def _local(told: Mapping[str, Any]) -> bool:
    """Whether nobody but the patient ever saw a record."""
    return all(isinstance(spent_from(part), Answers) for part in told["noise"])


def _measured(measured: Mapping[str, Any], *, local: bool) -> Iterator[str]:
    yield "Noisy, and paid for by the ledger:"
    yield ""
    if "reports" in measured:
        yield (
            f"- {measured['reports']:,} reports: one randomised answer of each patient to one question, and answers"
            " of nobody for the rest. "
            + (
                "The guarantee holds locally: of each answer by itself, for whoever sees it, the curator included"
                if local
                else "Something else was counted from the records themselves, so the curator is trusted with them"
            )
        )
    if "records" in measured:
        yield f"- records learned from: about {measured['records']:,}"
    if "categories from" in measured:
        yield f"- categories: values that about {measured['categories from']:,} patients or more hold; others are one"
    if "bounds from" in measured:
        yield f"- bounds: values of some {measured['bounds from']:,} patients may lie beyond each"
    if "patients" in measured:
        yield f"- patients: about {measured['patients']:,}"
    if "pairs" in measured:
        yield (
            f"- pairs of columns: the model differs from the noisy counts by {measured['pairs']:.3f} (mean total "
            f"variation); noise alone would make {measured['pairs of noise alone']:.3f}"
        )


def _columns(schema: Schema) -> Sequence[str]:
    rows = (f"| {plain(c.name)} | {c.kind} | {plain(_domain(c))} | {c.bound} |" for c in schema if c.learned)
    return ["| Column | Kind | What it may hold | How it is known |", "| --- | --- | --- | --- |", *rows]


def _domain(column: Any) -> str:
    if column.continuous:
        return f"{column.min:g} to {column.max:g}" if column.kind != "date" else "dates between two bounds"
    listed = f"{len(column.categories or ())} categories"
    return listed if column.other is None else f"{listed}, one of them for all others"
