"""What a run under differential privacy settles before anything is read: whose budget, how much, and what is public."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from semblance.app.options import SynthOptions
from semblance.app.work import digest
from semblance.core.errors import PrivacyError, Problem, UsageError
from semblance.core.files import user_folder
from semblance.core.promise import Ledger as Account
from semblance.core.promise import spent_from
from semblance.core.schema import MEASURE, Schema
from semblance.privacy import cohorts
from semblance.privacy.accountant import epsilon_of_rho, noise_for, rho_of
from semblance.privacy.ledger import Ledger, check_budget, wrong_delta

NOISY, USELESS = 0.4, 2.0
"""From where on a person is warned, and from where on a run is refused; the fit takes most of the noise out again."""
ENOUGH = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
EXPONENT = 1.1
"""The usual delta is n to the power of minus this: below the chance of publishing one of n patients at random."""


def ledger_folder() -> Path:
    """Where ledgers live: SEMBLANCE_LEDGER_DIR, or the user's data folder. All runs on a cohort must find the same."""
    override = os.environ.get("SEMBLANCE_LEDGER_DIR")
    return Path(override) if override else user_folder() / "ledgers"


def settled(options: SynthOptions, *, numbered: bool = False) -> SynthOptions:
    """The options of a private run with delta and the number of records filled in from what is public.

    Raises UsageError with everything that is not declared: the true number of patients is private. A generator that is
    `numbered` needs a public one, or one to be measured.
    """
    problems = list(_undeclared(options, numbered=numbered))
    if problems:
        raise UsageError(*problems)
    public = _n_public(options)
    delta = options.delta if public is None or options.delta is not None else float(public) ** -EXPONENT
    # Absolute: a run from another folder must find the same ledger.
    ledger = str((ledger_folder() if options.ledger is None else Path(options.ledger)).resolve())
    said = None if options.delta is not None else f"n_public = {public} gives it a delta of {delta:.3g}"
    check_budget(str(_cohort(options)["id"]), options.epsilon or 0.0, delta or 0.0, n_public=public, said=said)
    return replace(options, delta=delta, rows=public if options.rows is None else options.rows, ledger=ledger)


def _undeclared(options: SynthOptions, *, numbered: bool) -> Iterator[Problem]:
    cohort, public = _cohort(options), _n_public(options)
    counted = cohort.get("n_public") == MEASURE
    if public is not None and (not isinstance(public, int) or isinstance(public, bool) or public < 2):
        yield Problem("n_public is no number of patients", "[cohort] n_public is a whole number from 2", "correct it")
    if not cohort.get("id"):
        rule = "under differential privacy all runs on the same patients share one budget, kept under the cohort's id"
        yield Problem("no cohort is declared", rule, 'in the schema file: [cohort] id = "icu-2024" (--schema FILE)')
    if numbered and public is None and not counted:
        yield Problem(
            "no public number of patients",
            f"'{options.model}' plans by one, and the true number is private",
            f'[cohort] n_public = a number that is public anyway, or "{MEASURE}"; or --model pairwise',
        )
    if public is None:
        rule, told = "the true number of records is private", "[cohort] n_public = a number that is public anyway"
        if options.rows is None and not counted:
            yield Problem(
                "nothing public says how many records to make", rule, f'--rows 10000, or {told}, or "{MEASURE}"'
            )
        if options.delta is None:
            rule = "delta is settled before anything is measured" if counted else rule
            yield Problem("no delta, and nothing public to derive it from", rule, f"--delta 1e-6, or {told}")


def _n_public(options: SynthOptions) -> Any:
    """What is declared as the number of patients; None where it is to be measured."""
    said = _cohort(options).get("n_public")
    return None if said == MEASURE else said


def _cohort(options: SynthOptions) -> Mapping[str, Any]:
    """The [cohort] section of the schema file; wrong ones are told by the reader."""
    said = (options.declared or {}).get("cohort", {})
    return said if isinstance(said, Mapping) else {}


def ledger_of(options: SynthOptions) -> Ledger:
    """The ledger of the cohort that settled options name."""
    assert options.epsilon is not None and options.delta is not None
    cohort, folder = str(_cohort(options)["id"]), ledger_path(options).parent
    return Ledger.open(folder, cohort=cohort, epsilon=options.epsilon, delta=options.delta)


def ledger_path(options: SynthOptions) -> Path:
    """The file of that ledger."""
    folder = ledger_folder() if options.ledger is None else Path(options.ledger)
    return folder / f"{_cohort(options)['id']}.jsonl"


def opened(options: SynthOptions, inputs: Mapping[str, str]) -> Ledger:
    """The same, for records of these files to be measured."""
    ledger = ledger_of(options)
    ledger.bind(marks(inputs))
    return ledger


def marks(inputs: Mapping[str, str]) -> tuple[str, ...]:
    """What a ledger keeps of input files: their SHA-256, of a member of a zip with its name."""
    parts = {path: "" if Path(path).exists() else path.partition("::")[2] for path in inputs}
    return tuple(sha if not parts[path] else digest(sha, parts[path]) for path, sha in inputs.items())


def refuse_other_cohort(options: SynthOptions, inputs: Mapping[str, str]) -> None:
    """Raise UsageError, before anything is read, where the cohort or its files are known under another id."""
    cohorts.refuse_other(ledger_path(options).parent, str(_cohort(options)["id"]), marks(inputs))


def standing(options: SynthOptions, inputs: Mapping[str, str], *, resumed: bool) -> list[str]:
    """What the first screen says of a cohort's budget, before anything of this run is spent."""
    path, name = ledger_path(options), f"cohort '{_cohort(options)['id']}'"
    budget = f"epsilon {options.epsilon:g} at delta {options.delta:.3g}"
    if not path.exists():
        return [f"{name}: new ledger of {budget}; patients who were measured before under another id need that id"]
    ledger = ledger_of(options)
    left = "" if resumed else f", left {ledger.left():.3g} for one more measurement"
    said = [f"{name}: spent {ledger.guarantee().epsilon or 0.0:.3g} of {budget}{left}"]
    if cohorts.changed(path, marks(inputs)):
        said.append(
            f"{name} was measured in other files before, and they share its budget; other patients need an own id"
        )
    return said


def refuse_spent(options: SynthOptions) -> None:
    """Raise PrivacyError, before anything is read, where nothing is left of a cohort's budget."""
    if ledger_path(options).exists():
        ledger_of(options).affordable([(1.0, 1)])


def warned(options: SynthOptions, spec: Any, schema: Schema) -> str | None:
    """What the person shall know of how much the noise will cover, from what is public; None where it is little, and
    where a generator cannot say (a network has no table in which noise could be counted).

    What was spent on the cohort before, by anybody, is not there any more. Raises UsageError, before the generator
    measures anything, where the noise would cover everything, PrivacyError where nothing is left.
    """
    if options.delta is not None and (problems := wrong_delta(options.delta, n_public=schema.n_public)):
        raise UsageError(*problems)  # of a number of patients that was measured, which nobody knew before
    public = options.rows if schema.n_public is None else schema.n_public
    if public is None or options.epsilon is None or options.delta is None or not hasattr(spec, "floor"):
        return None
    delta, gone = options.delta, _gone(options)

    def floor(epsilon: float) -> float:
        left = rho_of(epsilon, delta=delta) - gone
        if left <= 0:
            return math.inf
        found: float = spec.floor(schema, epsilon=epsilon_of_rho(left, delta=delta), delta=delta, records=public)
        return found

    found = floor(options.epsilon)
    if math.isinf(found):
        ledger_of(options).affordable([(1.0, 1)])  # says that nothing is left
    said = f"noise alone moves a table of 100 cells by {found:.2f} of at most 1 (total variation)"
    said += ", after what is spent of the budget" if gone else ""
    if found < NOISY:
        return None
    enough = next((e for e in ENOUGH if e > options.epsilon and floor(e) < NOISY), None)
    fix = 'fewer columns (role = "drop")' + ("" if enough is None else f", or --epsilon {enough:g}")
    if found >= USELESS:
        rule = f"with about {public:,} patients, {len(schema.learned)} columns and this epsilon nothing would be left"
        raise UsageError.of(said, rule=rule, fix=fix)
    return f"{said}: relations between columns will be faint; {fix} would help"


def _gone(options: SynthOptions) -> float:
    """What is spent of the cohort's budget, in zero-concentrated terms."""
    before = ledger_of(options).spent() if ledger_path(options).exists() else ()
    if not before or options.epsilon is None or options.delta is None:
        return 0.0
    left = noise_for(options.epsilon, delta=options.delta, parts=[(1.0, 1)], before=before)[0].rho
    return max(rho_of(options.epsilon, delta=options.delta) - left, 0.0)


def promised(
    options: SynthOptions, measured: Mapping[str, Any], *, schema: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is public about a private run: the promise, the noise that backs it, and what was measured with it, also for
    its `schema` where that was measured.

    Raises PrivacyError where the ledger does not hold the noise of these measurements.
    """
    if not ledger_path(options).exists():
        raise _lost(str(_cohort(options)["id"]))
    return claimed(ledger_of(options), measured, schema=schema)


def claimed(ledger: Account, measured: Mapping[str, Any], *, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is public about measurements that this ledger paid for. Raises PrivacyError where it did not."""
    first = {} if schema is None else schema
    paid = [spent_from(part) for part in (*first.get("noise", ()), *measured["noise"])]
    spent = list(ledger.spent())
    if any(spent.count(noise) < paid.count(noise) for noise in paid):
        raise _lost(ledger.cohort)
    return {
        **ledger.guarantee().to_json(),
        "cohort": ledger.cohort,
        "budget": {"epsilon": ledger.epsilon, "delta": ledger.delta},
        "noise": [noise.to_json() for noise in spent],
        "measured": {**{k: v for k, v in measured.items() if k != "noise"}, **first.get("told", {})},
    }


def _lost(cohort: str) -> PrivacyError:
    return PrivacyError.of(
        "the ledger does not hold what was measured",
        rule="a guarantee is made of the ledger that paid for the measurements",
        fix=f"put the ledger of cohort '{cohort}' back where it was, and add --resume",
    )
