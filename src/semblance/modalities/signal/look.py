"""One look at all samples of a set: what is missing, flat, clipped, far off or upside down, as notes that name both
recording and lead.

A lead that is flat throughout a recording was not connected: it counts as missing there, as do values without an end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.modality import FieldPlan
from semblance.modalities.signal.align import listed
from semblance.modalities.signal.data import Recording
from semblance.modalities.signal.found import Found
from semblance.modalities.signal.polarity import inverted, upright

SHORTEST = 1.0
"""Seconds that a recording lasts at least."""
FLAT = 1.0
"""Seconds without a change after which a lead was off."""
CLIP = 0.02
"""Seconds at a recording's own extreme after which it was clipped; at a known end of the converter two samples do."""
SPIKE, USUAL = 10.0, (1.0, 99.0)
"""How many times as far from the median as most samples, those between these percentiles, are apart, a sample is a
spike: no heart and no brain goes there, and a handful of them decides what the largest component of a lead is."""
SCALE, FEWEST = 10.0, 3
"""How many times as far apart as in the median recording, of so many at least, most samples of a lead are where its
unit or gain may be wrong: over the 22 patients of MIT-BIH it is .18 to 2.8 times."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Of each lead of a recording (leads,): shares of samples that are missing, in flat stretches, or clipped; of those
    that are missing, the ones that are infinite; and gross spikes. `reach` is how far apart most samples are, `upright`
    how much farther up than down a normal QRS complex goes."""

    missing: np.ndarray
    flat: np.ndarray
    clipped: np.ndarray
    endless: np.ndarray
    spikes: np.ndarray
    reach: np.ndarray
    upright: np.ndarray

    @property
    def dead(self) -> np.ndarray:
        """(leads,) measured, but without any change."""
        return (self.flat + self.missing >= 1) & (self.missing < 1)


def too_short(recordings: Sequence[Recording]) -> list[Problem]:
    """Recordings of less than a second."""
    rule = f"a recording lasts at least {SHORTEST:g} s"
    fix = "leave it out, or correct its length or rate"
    return [
        Problem(
            f"record '{r.name}' has {r.length:,} {'sample' if r.length == 1 else 'samples'} at {r.rate:g} Hz", rule, fix
        )
        for r in recordings
        if r.length < SHORTEST * r.rate
    ]


def look(found: Sequence[Found], *, without_spikes: bool = False) -> tuple[list[Found], list[FieldPlan], list[str]]:
    """The recordings without their dead leads, a plan of each lead, and notes. Raises DataError for dead recordings.

    With `without_spikes` gross spikes count as missing.
    """
    seen = [seen_in(one) for one in found]
    dead = [one.recording.name for one, s in zip(found, seen, strict=True) if (s.dead | (s.missing >= 1)).all()]
    if dead:
        rule, fix = "at least one lead of a recording is measured and changes", "leave it out"
        raise DataError(*(Problem(f"record '{name}' is flat or missing in all leads", rule, fix) for name in dead))
    kept = [_mended(one, s, without_spikes=without_spikes) for one, s in zip(found, seen, strict=True)]
    then = _THEN | {"gross spikes": ", which count as missing"} if without_spikes else _THEN
    return kept, _plans(found, seen), _notes(found, seen, then)


def seen_in(one: Found) -> Seen:
    """What one recording's samples show. Raises DataError where there are not as many as the header says."""
    recording = one.recording
    values = recording.values()
    if values.shape != (recording.length, len(recording.leads)):
        found = f"record '{recording.name}' holds {len(values):,} of the {recording.length:,} samples"
        raise DataError.of(found, rule="header and samples agree", fix="copy or download it again")
    ends = one.ends if one.ends else (None,) * len(recording.leads)
    columns = [_lead(values[:, i], recording.rate, end) for i, end in enumerate(ends)]
    missing, flat, clipped, endless, spikes, reach = np.array(columns, dtype=float).reshape(-1, 6).T
    return Seen(missing, flat, clipped, endless, spikes, reach, upright(values, recording))


def _lead(values: np.ndarray, rate: float, ends: tuple[float, float] | None) -> tuple[float, ...]:
    known = values[np.isfinite(values)]
    endless = np.isinf(values).mean()
    if not len(known):
        return 1.0, 0.0, 0.0, endless, 0.0, 0.0
    level, length = runs(known)
    flat = length[length >= FLAT * rate].sum() if len(length) > 1 else len(known)
    clipped = _clipped(level, length, rate, ends) if len(length) > 1 else 0
    spikes, reach = spiky(known)
    missing = 1 - len(known) / len(values)
    return missing, flat / len(values), clipped / len(values), endless, spikes.mean(), reach


def spiky(known: np.ndarray) -> tuple[np.ndarray, float]:
    """(n,) bool: samples far beyond where nearly all are; none where nearly all are alike, as those of a marker. And
    how far apart nearly all are."""
    low, middle, high = np.percentile(known, [USUAL[0], 50, USUAL[1]])
    return (np.abs(known - middle) > SPIKE * (high - low)) & (high > low), float(high - low)


def runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value and the length of each stretch without a change.

    >>> [part.tolist() for part in runs(np.array([1, 1, 3]))]
    [[1, 3], [2, 1]]
    """
    starts = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1])
    return values[starts], np.diff(np.append(starts, len(values)))


def _clipped(level: np.ndarray, length: np.ndarray, rate: float, ends: tuple[float, float] | None) -> int:
    total, slack = 0, 1e-6 * max(1.0, float(np.abs(level).max()))
    for end, extreme in enumerate((level.min(), level.max())):
        known = ends is not None and (extreme <= ends[0] + slack if end == 0 else extreme >= ends[1] - slack)
        least = 2 if known else max(5, CLIP * rate)
        stretches = length[level == extreme]
        # Longer than a second it is a lead that was off, which is told as flat.
        total += int(stretches[(stretches >= least) & (stretches < FLAT * rate)].sum())
    return total


def _mended(one: Found, seen: Seen, *, without_spikes: bool) -> Found:
    spiked = np.flatnonzero((seen.spikes > 0) & without_spikes)
    one = replace(one, lacks=bool((seen.dead | (seen.missing >= 1)).any()))
    if not (seen.dead | (seen.endless > 0)).any() and not len(spiked):
        return one
    values = partial(_blanked, one.recording.values, np.flatnonzero(seen.dead), spiked)
    return replace(one, recording=replace(one.recording, values=values))


def _blanked(values: Callable[[], np.ndarray], leads: np.ndarray, spiked: np.ndarray) -> np.ndarray:
    held = values().copy()
    held[np.isinf(held)] = np.nan
    for lead in spiked:
        known = np.flatnonzero(~np.isnan(held[:, lead]))
        held[known[spiky(held[known, lead])[0]], lead] = np.nan
    held[:, leads] = np.nan
    return held


def _plans(found: Sequence[Found], seen: Sequence[Seen]) -> list[FieldPlan]:
    length = np.array([one.recording.length for one in found], dtype=float)
    missing = np.array([np.where(s.dead, 1.0, s.missing) for s in seen])
    recording = found[0].recording
    return [
        FieldPlan(
            lead.name,
            ", ".join(filter(None, ["lead", lead.unit, f"{recording.rate:g} Hz"])),
            "lead",
            float(length @ missing[:, i] / length.sum()),
            ", ".join(word for word, where in _words(seen, i) if where.any()),
        )
        for i, lead in enumerate(recording.leads)
    ]


def _words(seen: Sequence[Seen], lead: int) -> list[tuple[str, np.ndarray]]:
    """What may be wrong with a lead, and in which recordings."""
    dead = np.array([s.dead[lead] for s in seen])
    flat = np.array([s.flat[lead] for s in seen]) > 0
    clipped = np.array([s.clipped[lead] for s in seen]) > 0
    endless = np.array([s.endless[lead] for s in seen]) > 0
    gaps = np.array([s.endless[lead] + 1e-9 < s.missing[lead] < 1 for s in seen])
    spikes = np.array([s.spikes[lead] for s in seen]) > 0
    return [
        *(("flat throughout", dead), ("flat stretches", flat & ~dead), ("clipped", clipped), ("gaps", gaps)),
        *(("infinite values", endless), ("gross spikes", spikes)),
        ("another scale", _scaled(np.array([s.reach[lead] for s in seen]))),
        ("upside down", inverted(np.array([s.upright[lead] for s in seen]))),
    ]


def _scaled(reach: np.ndarray) -> np.ndarray:
    """(recordings,) bool: where a lead reaches much farther or much less far than in the median recording."""
    live = reach > 0
    if live.sum() < FEWEST:
        return np.zeros(len(reach), dtype=bool)
    usual = np.median(reach[live])
    return live & ((reach > SCALE * usual) | (reach * SCALE < usual))


def _notes(found: Sequence[Found], seen: Sequence[Seen], then: Mapping[str, str]) -> list[str]:
    alike: dict[tuple[str, str], list[str]] = {}  # leads of which the same is told of the same recordings
    for i, lead in enumerate(found[0].recording.leads):
        for word, where in _words(seen, i):
            names = [one.recording.name for one, here in zip(found, where, strict=True) if here]
            if names:
                alike.setdefault((word, listed(names)), []).append(f"'{lead.name}'")
    return [
        f"lead{'s' if len(leads) > 1 else ''} {listed(leads, most=20)}: {word} in {names}{then.get(word, '')}"
        for (word, names), leads in alike.items()
    ]


_THEN = {
    "flat throughout": ", where it counts as missing",
    "infinite values": ", which count as missing",
    "gross spikes": f", over {SPIKE:g} times as far off as most samples are apart: what is no signal is left out by "
    '[signal] spikes = "missing"',
    "upside down": ", where QRS complexes point the other way than in nearly all others: its polarity may be wrong",
    "another scale": f", {SCALE:g} times as large or as small as in most recordings: its unit or gain may be wrong",
}
