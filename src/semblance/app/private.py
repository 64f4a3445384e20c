"""What a run under differential privacy settles before anything is read: whose budget, how much, and what is public."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from semblance.app.options import SynthOptions
from semblance.core.errors import Problem, UsageError
from semblance.core.promise import Guarantee

if TYPE_CHECKING:
    from semblance.privacy.ledger import Ledger

EXPONENT = 1.1
"""The usual delta is n to the power of minus this: below the chance of publishing one of n patients at random."""


def ledger_folder() -> Path:
    """Where ledgers live: SEMBLANCE_LEDGER_DIR, or the user's data folder. All runs on a cohort must find the same."""
    override = os.environ.get("SEMBLANCE_LEDGER_DIR")
    return Path(override) if override else Path(platformdirs.user_data_dir("semblance")) / "ledgers"


def settled(options: SynthOptions) -> SynthOptions:
    """The options of a private run with delta and the number of records filled in from what is public.

    Raises UsageError with everything that is not declared: the true number of patients is private.
    """
    problems = list(_undeclared(options))
    if problems:
        raise UsageError(*problems)
    public = _cohort(options).get("n_public")
    delta = options.delta if public is None or options.delta is not None else float(public) ** -EXPONENT
    return replace(options, delta=delta, rows=public if options.rows is None else options.rows)


def _undeclared(options: SynthOptions) -> Iterator[Problem]:
    cohort = _cohort(options)
    if not cohort.get("id"):
        rule = "under differential privacy all runs on the same patients share one budget, kept under the cohort's id"
        yield Problem("no cohort is declared", rule, 'in the schema file: [cohort] id = "icu-2024" (--schema FILE)')
    if cohort.get("n_public") is None:
        rule, told = "the true number of records is private", "[cohort] n_public = a number that is public anyway"
        if options.rows is None:
            yield Problem("nothing public says how many records to make", rule, f"--rows 10000, or {told}")
        if options.delta is None:
            yield Problem("no delta, and nothing public to derive it from", rule, f"--delta 1e-6, or {told}")


def _cohort(options: SynthOptions) -> Mapping[str, Any]:
    """The [cohort] section of the schema file; wrong ones are told by the reader."""
    said = (options.declared or {}).get("cohort", {})
    return said if isinstance(said, Mapping) else {}


def ledger_of(options: SynthOptions) -> Ledger:
    """The ledger of the cohort that settled options name."""
    from semblance.privacy.ledger import Ledger

    assert options.epsilon is not None and options.delta is not None
    cohort = str(_cohort(options)["id"])
    folder = ledger_folder() if options.ledger is None else Path(options.ledger)
    return Ledger.open(folder, cohort=cohort, epsilon=options.epsilon, delta=options.delta)


def told(ledger: Ledger, guarantee: Guarantee, measured: Mapping[str, Any]) -> dict[str, Any]:
    """What is public about a private run: the promise, the noise that backs it, and what was measured with it."""
    return {
        **guarantee.to_json(),
        "cohort": ledger.cohort,
        "budget": {"epsilon": ledger.epsilon, "delta": ledger.delta},
        "noise": [noise.to_json() for noise in ledger.spent()],
        "measured": dict(measured),
    }
