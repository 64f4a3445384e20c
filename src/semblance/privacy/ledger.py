"""The account of a cohort's privacy budget: one file for each cohort, written before data are touched.

A line is appended, synced, and only then is noise drawn; so a crash counts as spent. Every line holds the hash of the
one before it. A second run on the same cohort opens the same file, and two runs at once wait for each other. A ledger
stays with those inside: it holds digests of the files that were measured.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from semblance.core.errors import DataError, PrivacyError, Problem, ResourceError, UsageError, reason
from semblance.core.files import sync
from semblance.core.promise import Answers, Guarantee, Noise, Spent, Steps, spent_from
from semblance.privacy import cohorts
from semblance.privacy.accountant import answers_for, epsilon_of, noise_for, steps_for
from semblance.privacy.noise import chosen, noised

COHORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LEAST_EPSILON = 0.01
"""A smaller budget tells nothing, and takes minutes to account for."""
MOST_DELTA = 0.01
"""The largest delta where no number of patients is known."""


@dataclass(frozen=True)
class Ledger:
    """The budget of one cohort. Its unit is the patient: all that is measured holds at most so many of its records.

    Neighbouring data sets differ in one patient, who is there or not. The number of patients is private as well.
    """

    path: Path
    cohort: str
    epsilon: float
    delta: float

    @classmethod
    def open(cls, folder: str | Path, *, cohort: str, epsilon: float, delta: float) -> Ledger:
        """The cohort's ledger in `folder`, made where there is none.

        Raises UsageError for a budget that is none or another than the one the ledger was opened with, and for an id
        that differs from a known one in spelling only; DataError where the file is not what was written.
        """
        check_budget(cohort, epsilon, delta)
        path = Path(folder) / f"{cohort}.jsonl"
        ledger = cls(path, cohort, float(epsilon), float(delta))
        with ledger._only(), ledger._held() as file:
            lines = ledger._read(file)
            if not lines:
                ledger._append(file, {"cohort": cohort, "epsilon": ledger.epsilon, "delta": ledger.delta}, before="")
                sync(path.parent)
                return ledger
            budget, opened = {"epsilon": ledger.epsilon, "delta": ledger.delta}, _opened(lines)
            if opened != budget and not _noises(lines):
                ledger._append(file, {"cohort": cohort, **budget}, before=lines[-1]["hash"])
                return ledger
        if opened != budget:
            raise UsageError.of(
                f"a budget of epsilon {epsilon:g}, delta {delta:g} for cohort '{cohort}'",
                rule=f"its ledger was opened with epsilon {opened['epsilon']:g}, delta {opened['delta']:g}, for good",
                fix="ask for that budget; what is left of it is in the ledger",
            )
        return ledger

    def bind(self, data: Sequence[str]) -> bool:
        """Write down which files the cohort's records are in, before any is measured: `data` are their digests.

        Whether it was measured before, and never in these: they share its budget as the same patients do. Raises
        UsageError where one of them was measured as those of another cohort.
        """
        with self._only(data), self._held() as file:
            lines = self._read(file)
            known = [line["data"] for line in lines if "data" in line]
            if not data or sorted(data) in known:
                return False
            self._append(file, {"data": sorted(data)}, before=lines[-1]["hash"])
            return bool(known)

    def spent(self) -> tuple[Spent, ...]:
        """All that was reserved so far, whoever reserved it."""
        with self._held() as file:
            return _noises(self._read(file))

    def guarantee(self, delta: float | None = None) -> Guarantee:
        """What has been promised so far, by all runs on this cohort together."""
        at = self.delta if delta is None else delta
        return Guarantee(epsilon_of(self.spent(), delta=at), at)

    def left(self) -> float:
        """The epsilon that one more table of counts may have by itself, at the delta of the budget, or 0.

        Epsilons of Gaussian noise do not add up: it is more than the budget less what is spent.
        """
        return self._left(self.spent())

    def _left(self, before: Sequence[Spent]) -> float:
        (noise,) = noise_for(self.epsilon, delta=self.delta, parts=[(1.0, 1)], before=before)
        return 0.0 if noise.endless else epsilon_of([noise], delta=self.delta)

    def affordable(self, parts: Sequence[tuple[float, int]], *, kept: float = 0.0) -> tuple[Noise, ...]:
        """The least noise for `parts`, (share of the budget, histograms) each, that uses up what is left.

        So much of delta as is `kept` stays for thresholds. Raises PrivacyError where nothing is left.
        """
        before = self.spent()
        noises = noise_for(self.epsilon, delta=self.delta - kept, parts=parts, before=before)
        if any(noise.endless for noise in noises):
            raise self._spent(before)
        return noises

    def affordable_steps(self, *, rate: float, count: int) -> Steps:
        """`count` steps of DP-SGD with the least noise that uses up what is left; each patient is in a batch with
        probability `rate`.

        Raises PrivacyError where nothing is left.
        """
        before = self.spent()
        steps = steps_for(self.epsilon, delta=self.delta, rate=rate, count=count, before=before)
        if steps.endless:
            raise self._spent(before)
        return steps

    def affordable_answers(self, count: int = 1) -> Answers:
        """`count` randomised answers of each patient, with the largest epsilon each that what is left allows.

        Raises PrivacyError where nothing is left.
        """
        before = self.spent()
        answers = answers_for(self.epsilon, delta=self.delta, count=count, before=before)
        if answers is None:
            raise self._spent(before)
        return answers

    def _spent(self, before: Sequence[Spent]) -> PrivacyError:
        return PrivacyError.of(
            f"nothing is left of the budget of cohort '{self.cohort}'",
            rule=f"it is epsilon {self.epsilon:g} at delta {self.delta:g}, of which"
            f" {epsilon_of(before, delta=self.delta):.4g} is spent, for good",
            fix="sample from a model that was fitted before: that is free",
        )

    def reserve(self, *parts: Spent, note: str) -> str:
        """Pay; the receipt, which no other payment has.

        Raises PrivacyError, and spends nothing, where less is left than is asked.
        """
        if any(part.endless for part in parts):
            raise UsageError.of("noise without end", rule="what is measured has finite noise", fix="ask what is left")
        with self._held() as file:
            lines = self._read(file)
            before = _noises(lines)
            total = epsilon_of((*before, *parts), delta=self.delta)
            if total > self.epsilon:
                raise self._overspent(parts, before, total, note)
            entry = {"note": note, "noise": [part.to_json() for part in parts]}
            return self._append(file, entry, before=lines[-1]["hash"])

    def _overspent(self, asked: Sequence[Spent], before: Sequence[Spent], total: float, note: str) -> PrivacyError:
        return PrivacyError.of(
            f"'{note}' asks for epsilon {epsilon_of(asked, delta=self.delta):.4g} of cohort '{self.cohort}', which has"
            f" {self._left(before):.4g} left",
            rule=f"its budget is epsilon {self.epsilon:g} at delta {self.delta:g}, of which"
            f" {epsilon_of(before, delta=self.delta):.4g} is spent; together it would be {total:.4g}",
            fix="measure less, or with more noise; what was measured before can be sampled without end",
        )

    def refuse_other(self, receipt: str, result: str | None) -> None:
        """Raise PrivacyError where a payment is not in this ledger, or became something else than `result` before."""
        with self._held() as file:
            self._became(self._read(file), receipt, result)

    def settle(self, receipt: str, result: str) -> None:
        """Write down, for good, what a payment became: `result` is a digest of it. The same may be said again.

        A training that broke off is taken up under its payment; of two copies of it, only the one that ends first was
        paid for. Raises PrivacyError as `refuse_other` does.
        """
        with self._held() as file:
            lines = self._read(file)
            if self._became(lines, receipt, result) is None:
                self._append(file, {"settled": receipt, "result": result}, before=lines[-1]["hash"])

    def _became(self, lines: Sequence[Mapping[str, Any]], receipt: str, result: str | None) -> str | None:
        """What a payment became so far."""
        if not any(line["hash"] == receipt and "noise" in line for line in lines):
            raise PrivacyError.of(
                "a payment that is not in the ledger",
                rule="what was measured goes with the ledger that paid for it",
                fix=f"put the ledger of cohort '{self.cohort}' back where it was, or begin anew",
            )
        known: str | None = next((line["result"] for line in lines if line.get("settled") == receipt), None)
        if known is not None and known != result:
            raise PrivacyError.of(
                "a training that was paid for once is to be finished a second time",
                rule="each payment is for one training: a copy that is finished as well would tell more than was paid",
                fix="use the one that was finished; sampling from it is free",
            )
        return known

    def noisy_counts(
        self,
        codes: np.ndarray,
        sizes: np.ndarray,
        subsets: Sequence[tuple[int, ...]],
        subjects: np.ndarray,
        *,
        sigma: float | Sequence[float],
        note: str,
        clip: int = 1,
    ) -> list[np.ndarray]:
        """The joint histogram of each subset of the (n, d) columns, shaped by their sizes, with noise of scale `sigma`,
        or of a scale for each.

        Of a patient with more than `clip` records that many are counted, chosen at random. Paid before any is counted.
        """
        sigmas = np.broadcast_to(np.asarray(sigma, dtype=float), len(subsets)).tolist()
        self.reserve(*(Noise(one, clip, sigmas.count(one)) for one in dict.fromkeys(sigmas)), note=note)
        found = _counts(codes[chosen(subjects, most=clip)], sizes, subsets)
        return [noised(counts, sigma=one) for counts, one in zip(found, sigmas, strict=True)]

    # The file

    @contextmanager
    def _only(self, data: Sequence[str] = ()) -> Iterator[None]:
        """While no other cohort can be given this id, or these files; raise UsageError where one has them."""
        with self._usable(), cohorts.alone(self.path.parent):
            cohorts.refuse_other(self.path.parent, self.cohort, data)
            yield

    @contextmanager
    def _held(self) -> Iterator[BinaryIO]:
        """The file, while no other process may look at it."""
        with self._usable(), cohorts.locked(self.path) as file:
            yield file

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ResourceError.of(
                f"the ledger of cohort '{self.cohort}' cannot be used ({reason(error)})",
                rule="a ledger is written before anything is measured",
                fix="give a folder that can be written to; nothing was measured",
            ) from error

    def _read(self, file: BinaryIO) -> list[dict[str, Any]]:
        """All lines, of which each must name the hash of the one before it.

        A last line that was cut off by a crash is taken away: nothing is measured before a line is whole.
        """
        file.seek(0)
        text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            file.truncate(len(whole))
        lines: list[dict[str, Any]] = []
        for number, line in enumerate(whole.splitlines(), 1):
            before = lines[-1]["hash"] if lines else ""
            try:
                entry = json.loads(line)
                fine = entry["before"] == before and entry["hash"] == _hash(entry)
            except (ValueError, KeyError, TypeError):
                fine = False
            if not fine:
                raise DataError.of(
                    f"line {number} of the ledger of cohort '{self.cohort}' is not what was written",
                    rule="a ledger is only ever appended to; each line holds the hash of the one before",
                    fix="restore the newest copy, never an older one: what was measured since would count as unspent",
                )
            lines.append(entry)
        return lines

    def _append(self, file: BinaryIO, entry: dict[str, Any], *, before: str) -> str:
        """The hash of the line that was written."""
        entry = {**entry, "at": datetime.now(UTC).isoformat(timespec="seconds"), "before": before}
        mark = _hash(entry)
        file.write(json.dumps({**entry, "hash": mark}).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        return mark


def _opened(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The budget; as long as nothing is spent of it, it can be another."""
    last = [line for line in lines if "epsilon" in line][-1]
    return {key: last[key] for key in ("epsilon", "delta")}


def _counts(codes: np.ndarray, sizes: np.ndarray, subsets: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
    """The joint histogram of each subset of the columns. Subsets that differ in their last column alone should follow
    each other: what the others say of each record is then found once."""
    columns = np.asfortranarray(codes)  # a column is read as it lies in memory
    if len(columns) and not ((columns.min(0) >= 0) & (columns.max(0) < sizes)).all():
        raise ValueError("a code beyond those of its column")
    held: tuple[tuple[int, ...], Any] = ((), 0)
    for subset in subsets:
        if subset[:-1] != held[0] or not held[0]:
            held = subset[:-1], _places(columns, sizes, subset[:-1])
        shape = tuple(int(sizes[j]) for j in subset)
        cell = held[1] * shape[-1] + columns[:, subset[-1]]
        yield np.bincount(cell, minlength=math.prod(shape)).reshape(shape)


def _places(columns: np.ndarray, sizes: np.ndarray, subset: tuple[int, ...]) -> Any:
    """(n,) the cell of each record in the histogram of a subset; 0 of none."""
    place: Any = 0
    for j in subset:
        place = place * int(sizes[j]) + columns[:, j]
    return place


def check_budget(
    cohort: str, epsilon: float, delta: float, *, n_public: int | None = None, said: str | None = None
) -> None:
    """Raise UsageError for an id that no cohort can have, and for a budget that is none (of so many patients).

    `said` tells where a delta comes from that nobody asked for.
    """
    problems = []
    if not COHORT.fullmatch(cohort):
        found, rule = f"the cohort is called '{cohort}'", "an id has letters, digits, dots, hyphens and underscores"
        problems.append(Problem(found, f"{rule}, at most 100", '[cohort] id = "icu-2024"'))
    if not LEAST_EPSILON <= epsilon < math.inf:
        rule = f"epsilon is finite and at least {LEAST_EPSILON:g}: less covers whatever a cohort could tell"
        problems.append(Problem(f"a budget of epsilon {epsilon:g}", rule, "--epsilon 1 (in Python epsilon=1)"))
    problems += wrong_delta(delta, n_public=n_public, said=said)
    if problems:
        raise UsageError(*problems)


def wrong_delta(delta: float, *, n_public: int | None, said: str | None = None) -> list[Problem]:
    """What is wrong with the delta of a budget for so many patients, said as it is or as `said`."""
    if 0 < delta <= MOST_DELTA and (n_public is None or delta < 1 / n_public):
        return []
    rule = f"delta is the chance that nothing is promised: above 0 and at most {MOST_DELTA:g}"
    if n_public is not None:
        rule += f", and below 1/n_public, {1 / n_public:.2g}, or one patient could be published at random"
    fits = 10.0 ** math.floor(math.log10(min(MOST_DELTA, 1 / (n_public or 1)) / 10))
    found = f"a delta of {delta:.3g}" if said is None else said
    return [Problem(found, rule, f"--delta {fits:g} (in Python delta={fits:g})")]


def _hash(entry: dict[str, Any]) -> str:
    told = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _noises(lines: Sequence[dict[str, Any]]) -> tuple[Spent, ...]:
    return tuple(spent_from(told) for line in lines for told in line.get("noise", ()))
