"""From paths to Recordings and the Profile that a person sees first.

Gather what the files hold, refuse what is too short, bring leads and rates in line, look once at all samples, keep the
declared band, and settle what is known of each recording as a whole. Every problem of a step is told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from semblance.core.errors import DataError, UsageError
from semblance.core.facts import Statics
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Schema
from semblance.modalities.signal import declare, statics
from semblance.modalities.signal.align import alike, listed
from semblance.modalities.signal.band import banded, inside, slow, too_short_for, too_slow, words
from semblance.modalities.signal.beats import without_remarks
from semblance.modalities.signal.data import Recordings, concat
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.detect import detected
from semblance.modalities.signal.found import Found
from semblance.modalities.signal.gather import FOLDERS, gather, kind_of
from semblance.modalities.signal.habits import kinds_of, unlearned
from semblance.modalities.signal.look import look, too_short
from semblance.modalities.signal.paces import odd_paces, odd_rates, wrong_rates
from semblance.modalities.signal.pieces import Cut, heart, hearts

__all__ = ["column_names", "concat", "further", "like", "output_name", "prepared", "read"]


def read(paths: Sequence[str | Path], options: ReadOptions) -> tuple[Recordings, Profile]:
    """Read recordings and say what was found. Raises DataError or UsageError with every problem of the input."""
    said, problems = declare.check(options)
    if problems:
        raise UsageError(*problems)
    found, given, said = gather(paths, said)
    found, remarks = without_remarks(found, said)
    as_told = [one.recording for one in found]
    found, notes = _alike(found, said)
    problems = list(too_slow(said.resample, heart=said.beats is not None or hearts([one.recording for one in found])))
    if problems:
        raise DataError(*problems)
    found, plans, seen = look(found, without_spikes=said.spikes is not None)
    if said.beats is not None:
        found, beats = detected(found)
        seen += beats
    if said.band is not None:
        found, without = banded(found, said.band, heart=hearts([one.recording for one in found]))
        seen += without
        plans = [replace(plan, kind=f"{plan.kind}, {words(said.band)}") for plan in plans]
    settled = statics.settle(found, said, given=given)
    recordings = replace(_recordings(found, settled), band=said.band)
    repairs = [note for one in found for note in one.notes]
    cut = Cut.of(recordings)
    fields = (*plans, *_marks(recordings, cut), *settled.plans)
    patients = int(settled.subjects.max()) + 1
    rates = (*slow(cut.rate, heart=cut.beats), *odd_paces(recordings.recordings), *odd_rates(as_told))
    taught = (*_without_rhythm(recordings, cut), *_unlearned(found, cut), *_rare(recordings, cut, options.rare))
    told = (*repairs, *remarks, *notes, *seen, *rates, *taught, *settled.notes, *_of_one(patients))
    return recordings, Profile(len(found), patients, fields, told)


def _marks(recordings: Recordings, cut: Cut) -> Iterator[FieldPlan]:
    """A plan of the beats and one of the states, where there are any, which says whether they are learned."""
    labelled = recordings.schema.where("target") is not None
    for kind, left in (
        ("beats", "" if cut.beats else "fewer than half of the recordings have beats"),
        ("states", "beats are learned instead" if cut.beats else "the label is learned instead" if labelled else ""),
    ):
        symbols = {text for one in recordings.recordings for text in getattr(one, kind).symbol if text}
        if symbols:
            told = f"{kind}, {len(symbols)} {'symbol' if len(symbols) == 1 else 'symbols'}"
            yield FieldPlan(kind, told, "marks", 0.0, left, "drop" if left else "learn")


def _without_rhythm(recordings: Recordings, cut: Cut) -> Iterator[str]:
    """A note where recordings are cut into windows, across whatever beats they have."""
    if not cut.beats and any(one.seconds * cut.rate > cut.size for one in recordings.recordings):
        length = f"windows of {cut.size:,} samples ({cut.size / cut.rate:.3g} s)"
        fix = '[signal] beats = "detect" finds those of an ECG'
        yield f"no beats are marked: {length} are learned, and no rhythm; {fix}"


def _unlearned(found: Sequence[Found], cut: Cut) -> Iterator[str]:
    """Notes of recordings that teach no beat or window: every piece has all leads, and every beat two neighbours."""
    bare = [one.recording.name for one in found if cut.beats and not heart(one.recording)]
    partial = [one.recording.name for one in found if one.lacks and one.recording.name not in bare]
    what = "beats" if cut.beats else "windows"
    if bare:
        yield f"nothing of {listed(bare)} is learned, as hardly a beat or none is marked there"
    if partial:
        yield f"no {what} of {listed(partial)} are learned, as a lead is missing there throughout"


def _rare(recordings: Recordings, cut: Cut, rare: int) -> Iterator[str]:
    """A note of the kinds of beats that too few patients have."""
    few = unlearned(recordings, rare=rare) if cut.beats else {}
    if few:
        known = ", ".join(kinds_of(recordings, rare=rare))
        others = ", ".join(f"{kind} ({patients} {_people(patients)})" for kind, patients in few.items())
        verb = "are" if "," in known else "is"
        yield f"beats: {known} {verb} learned; {others}: fewer than {rare} patients, not learned"


def _people(count: int) -> str:
    return "patient" if count == 1 else "patients"


def _of_one(patients: int) -> Iterator[str]:
    if patients == 1:
        yield "all is of one patient: nobody is set aside whom the generator never saw, so nothing is told of privacy"


def like(
    paths: Sequence[str | Path], schema: Schema, *, leads: Sequence[str] | None = None, rate: float | None = None
) -> Recordings:
    """Read further recordings under a known schema: other facts are ignored, a missing one is a DataError.

    `leads` are the names to bring them to, in order, and `rate` (Hz) what they are resampled to, and have where they
    tell none; without these the recordings decide among themselves, as in `read`.
    """
    subject, target = schema.where("subject"), schema.where("target")
    said = Said(
        leads=None if leads is None else tuple(leads),
        resample=rate,
        assumed=rate,
        subject=None if subject is None else subject.name,
        target=None if target is None else target.name,
    )
    found, _, said = gather(paths, said)
    found, _ = _alike(found, said)
    found, _, _ = look(found)
    return _recordings(found, statics.conform(found, schema, said))


def further(paths: Sequence[str | Path], train: Recordings) -> Recordings:
    """Read further recordings at the rate of `train`, with its leads in its order."""
    first = train.recordings[0]
    return like(paths, train.schema, leads=[lead.name for lead in first.leads], rate=first.rate)


def prepared(data: Recordings, train: Recordings) -> Recordings:
    """Further real recordings as those of `train` were prepared: in its band. Raises DataError for those too short."""
    band = train.band
    if band is None:
        return data
    problems = [problem for one in data.recordings for problem in too_short_for(one, band)]
    if problems:
        raise DataError(*problems)
    return replace(data, recordings=tuple(inside(one, band) for one in data.recordings), band=band)


def column_names(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """What a manifest says of recordings, whatever a schema says. Raises DataError where files cannot be read."""
    return tuple(gather(paths, Said())[1])


def output_name(paths: Sequence[str | Path]) -> str:
    """The name of the synthetic data in the input's format: a folder for formats of one recording per file."""
    if not paths:  # records in memory: their leads tell the format
        return "synthetic"
    kind = kind_of(paths)
    if kind in FOLDERS:
        return "synthetic"
    # A bare array cannot tell its rate.
    return "synthetic.npz" if kind == ".npy" else f"synthetic{kind.removesuffix('.gz')}"


def _alike(found: list[Found], said: Said) -> tuple[list[Found], list[str]]:
    recordings = [one.recording for one in found]
    problems = [*too_short(recordings), *wrong_rates(recordings)]
    if problems:
        raise DataError(*problems)
    return alike(found, said)


def _recordings(found: Sequence[Found], settled: Statics) -> Recordings:
    return Recordings(settled.schema, settled.frame, tuple(one.recording for one in found), settled.subjects)
