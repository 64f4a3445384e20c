"""A fitted generator fills the gaps of recordings: the rhythm goes on, and pieces agree with what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from semblance.core.errors import Problem, UsageError
from semblance.core.rng import stream
from semblance.modalities.signal import stitch
from semblance.modalities.signal.aami import classes
from semblance.modalities.signal.data import Marks, Recording, Recordings
from semblance.modalities.signal.fill import (
    SAMPLED,
    Linear,
    agreeing,
    at_rate,
    centred,
    pasted,
    plotted,
    precision,
    strayed,
    windows_of,
)
from semblance.modalities.signal.habits import Habits, beats, given_of
from semblance.modalities.signal.limb import agreed, untangled
from semblance.modalities.signal.pieces import beats_of
from semblance.modalities.signal.rhythm import LONGEST, SHORTEST, Rhythm, told
from semblance.modalities.signal.scenes import Scenes, shared_of

if TYPE_CHECKING:
    from semblance.modalities.signal.generators.recorder import Recorder, Waves

MISSED = 1.6
"""Usual intervals without a mark after which beats are missing where nothing was measured."""
FEWEST = 3
"""Marks that tell a rhythm."""


def filled(recorder: Recorder, learned: Waves, data: Recordings, *, seed: int) -> Recordings:
    """The recordings without gaps; all that was measured stays. Raises UsageError for other leads or rates."""
    problems = [*_other_band(recorder, data), *(p for one in data.recordings for p in _unlike(recorder, one))]
    if problems:
        raise UsageError(*problems)
    ones = []
    for i, one in enumerate(map(partial(_held, recorder), data.recordings)):
        gaps = not np.isfinite(one.values()).all()
        facts = data.frame.iloc[[i]].reset_index(drop=True)
        made = _Filling(recorder, learned, one, facts, stream(seed, "fill", i)).made() if gaps else one
        ones.append(_agreeing(recorder, one, made) if gaps and recorder.ties else made)
    return Recordings(data.schema, data.frame, tuple(ones), data.subjects, band=data.band)


def _other_band(recorder: Recorder, data: Recordings) -> Iterator[Problem]:
    """What is measured is held against what was learned, and so has its frequencies."""
    own, learned = (None if band is None else list(band) for band in (data.band, recorder.band))
    if own != learned:
        found = "recordings with all frequencies" if own is None else f"recordings of the band {own} Hz"
        rule = "those that were learned: " + ("all frequencies" if learned is None else f"the band {learned} Hz")
        fix = "leave [signal] band out" if learned is None else f"read(..., schema=) with [signal] band = {learned}"
        yield Problem(found, rule, fix)


def _unlike(recorder: Recorder, one: Recording) -> list[Problem]:
    known, names = [lead.name for lead in recorder.cut.leads], [lead.name for lead in one.leads]
    found = []
    if names != known:
        fix = f"give the leads {', '.join(known)} in this order; what was not measured is NaN"
        found.append(Problem(f"recording '{one.name}' of {', '.join(names)}", "the leads that were learned", fix))
    if one.rate != recorder.rate:
        fix = f"resample it: [signal] resample = {recorder.rate:g}"
        found.append(Problem(f"recording '{one.name}' at {one.rate:g} Hz", f"learned at {recorder.rate:g} Hz", fix))
    if recorder.cut.beats and not len(beats_of(one)) and not found and _begun(one):
        rule = "beats that were measured are marked, for what is missing goes on from them"
        found.append(Problem(f"recording '{one.name}' without marks of beats", rule, "give its annotations (.atr)"))
    return found


def _begun(one: Recording) -> bool:
    """Whether some of a recording was measured and some is missing."""
    known = np.isfinite(one.values())
    return bool(known.any() and not known.all())


def _held(recorder: Recorder, one: Recording) -> Recording:
    """The recording, its samples read once for all that looks at them, with limb leads that others tell."""
    values = one.values()
    if np.isfinite(values).all():
        return one
    if recorder.ties:
        values = untangled(values, [lead.name for lead in one.leads])
    return replace(one, values=lambda: values)


def _agreeing(recorder: Recorder, one: Recording, made: Recording) -> Recording:
    """The filled recording, in whose gaps limb leads keep the identities too."""
    whole = agreed(made.values(), np.isfinite(one.values()), [lead.name for lead in recorder.cut.leads])
    return replace(made, values=lambda: whole)


class _Filling:
    """One recording being filled."""

    def __init__(
        self, recorder: Recorder, learned: Waves, one: Recording, facts: pd.DataFrame, rng: np.random.Generator
    ) -> None:
        self.recorder, self.learned, self.one, self.facts, self.rng = recorder, learned, one, facts, rng
        self.cut, self.story = recorder.cut, recorder.story
        self.values, self.slow = at_rate(one, self.cut)
        self.lines = [Linear.of(recorder.encoding, kind, rng=rng) for kind in self.story.kinds]

    def made(self) -> Recording:
        """The recording without gaps."""
        return self._of_beats(self.story) if isinstance(self.story, Habits) else self._of_windows(self.story)

    def _of_beats(self, story: Habits) -> Recording:
        at, kinds, fresh = self._rhythm(story)
        first = at - self.cut.before
        gaps = np.diff(at) / self.cut.rate
        usual = np.median(gaps) if len(gaps) else 1.0
        before, after = np.append(usual, gaps)[: len(at)], np.append(gaps, usual)[: len(at)]
        waves, measured = self._alone(*plotted(self.values, first, self.cut.size), np.stack([before, after], 1))
        centre, spread = self._style(story, kinds, waves, measured)
        given = given_of(before, after, story.fashion.shown(centre, np.log(spread))[kinds])
        drawn = self._pieces(kinds, given, centre, spread, waves, measured)
        length = len(self.values)
        strip = stitch.beats(drawn, at, length, rate=self.cut.rate, before=self.cut.before)
        return pasted(self.one, strip + self.slow, self.cut, self._marks(at, kinds, fresh), self.one.states)

    def _alone(self, waves: np.ndarray, measured: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Beats without their neighbours, as they are learned: those in part measured are told by their own samples."""
        rate, before, whole = self.cut.rate, self.cut.before, np.asarray(measured.all((1, 2)))
        waves[whole] = stitch.alone(waves[whole], gaps[whole], rate=rate, before=before)
        own = stitch.own(gaps, self.cut.size, rate=rate, before=before)[:, None, :] > 0.5
        return waves, measured & (own | whole[:, None, None])

    def _marks(self, at: np.ndarray, kinds: np.ndarray, fresh: np.ndarray) -> Marks:
        """The marks that there were, and those of the beats that are new."""
        ratio, old = self.one.rate / self.cut.rate, self.one.beats
        new = np.minimum(np.round(at[fresh] * ratio).astype(np.int64), self.one.length - 1)
        places = np.concatenate([old.at, new])
        symbols = np.concatenate([old.symbol, np.array(self.story.kinds, dtype=object)[kinds[fresh]]])
        order = np.argsort(places, kind="stable")
        return Marks(places[order], symbols[order])

    def _rhythm(self, story: Habits) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(n,) samples and kinds of all beats, and which of them are new."""
        marks, k = beats_of(self.one), len(story.kinds)
        at = np.round(marks.at * self.cut.rate / self.one.rate).astype(np.int64)
        kinds = np.maximum(pd.Index(story.kinds).get_indexer(classes(marks.symbol)), 0)
        if len(at) >= FEWEST:
            rhythm = Rhythm.of_vector(told([beats(self.one, story.kinds)], k)[0], k)
        else:
            rhythm = Rhythm.of_vector(story.person.draw(1, rng=self.rng)[1][0], k)
        usual = float(np.clip(np.exp(rhythm.level), SHORTEST, LONGEST)) * self.cut.rate
        blank = np.concatenate([[0], np.cumsum(~np.isfinite(self.values).any(1))])
        new_at, new_kinds = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        ends = np.concatenate([[0], at, [len(self.values)]])
        for i, (begin, end) in enumerate(pairwise(ends.tolist())):
            if end - begin > MISSED * usual and blank[end] - blank[begin] > usual:
                some = self._between(rhythm, begin, end, usual, last=i == len(at))
                new_at.append(some[0])
                new_kinds.append(some[1])
        every = np.concatenate([at, *new_at])
        order = np.argsort(every, kind="stable")
        fresh = (np.arange(len(every)) >= len(at))[order]
        return every[order], np.concatenate([kinds, *new_kinds])[order], fresh

    def _between(
        self, rhythm: Rhythm, begin: int, end: int, usual: float, *, last: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Beats between two samples: those of a rhythm, paced so that the last interval ends at `end`."""
        n = max(int((end - begin) / usual * 2) + 4, 4)
        kinds = rhythm.kinds(n, rng=self.rng)
        steps = np.cumsum(rhythm.intervals(kinds, rng=self.rng) * self.cut.rate)
        count = int((steps < end - begin - (0 if last else usual / 2)).sum())
        if not last and count:  # one more interval leads to the mark that follows
            steps = steps * ((end - begin) / steps[min(count, n - 1)])
        at = begin + np.round(steps[:count]).astype(np.int64)
        return np.minimum(at, len(self.values) - 1), kinds[:count]

    def _style(
        self, story: Habits, kinds: np.ndarray, waves: np.ndarray, measured: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(k, d) centres and (k,) spreads of this recording's pieces."""
        numbers = story.person.draw(SAMPLED, rng=self.rng)[1][:, -story.fashion.numbers :]
        people = [story.fashion.draw(row, rng=self.rng) for row in numbers]
        centres, spreads = np.stack([one for one, _ in people]), np.exp(np.mean([one for _, one in people], 0))
        found = np.empty(centres.shape[1:])
        for k, line in enumerate(self.lines):
            rows = kinds == k
            # Another kind differs from the usual one of its recording.
            prior = centres[:, 0] if not k else found[0] + centres[:, k] - centres[:, 0]
            found[k] = centred(line, prior, spreads[k], waves[rows], measured[rows])
            spreads[k] = strayed(line, found[k], spreads[k], waves[rows], measured[rows])
        return found, spreads

    def _pieces(
        self,
        kinds: np.ndarray,
        given: np.ndarray,
        centre: np.ndarray,
        spread: np.ndarray,
        waves: np.ndarray,
        measured: np.ndarray,
    ) -> np.ndarray:
        """(n, leads, size) waves of pieces that agree with what was measured; whole ones stay as they are."""
        made = waves.astype(np.float32)
        for k, line in enumerate(self.lines):
            rows = np.flatnonzero((kinds == k) & ~measured.all((1, 2)))
            if not len(rows):
                continue
            more = self.rng.choice(rows, SAMPLED)
            drawn = self.learned.draw(
                np.full(len(rows) + SAMPLED, k), np.concatenate([given[rows], given[more]]), rng=self.rng
            )
            numbers = centre[k] + spread[k] * drawn
            inverse = precision(numbers[len(rows) :])
            numbers = agreeing(line, numbers[: len(rows)], inverse, waves[rows], measured[rows], rng=self.rng)
            label = np.full(len(rows), self.story.kinds[k], dtype=object)
            made[rows] = self.recorder.encoding.decode(numbers.astype(np.float32), label, rng=self.rng)
        return made

    def _of_windows(self, story: Scenes) -> Recording:
        size, shared = self.cut.size, shared_of(self.cut) if len(self.values) > self.cut.size else 0
        first = windows_of(self.values, size, shared)
        waves, measured = plotted(self.values, first, size)
        kinds = self._states(story, first + size // 2)
        given = np.repeat(story.given_of(self.facts), len(first), 0)
        none, one = np.zeros((len(story.kinds), 1)), np.ones(len(story.kinds))
        drawn = self._pieces(kinds, given, none, one, waves, measured)
        strip = stitch.windows(drawn, fade=shared if len(drawn) > 1 else 0)[: len(self.values)]
        return pasted(self.one, strip, self.cut, self.one.beats, self.one.states)

    def _states(self, story: Scenes, middle: np.ndarray) -> np.ndarray:
        """(n,) kinds of windows: as they are marked, else as the chain of states goes on."""
        drawn = story.kinds_of(self.facts, len(middle), rng=self.rng)
        if story.target:
            return drawn
        place = np.minimum(middle * self.one.rate / self.cut.rate, self.one.length - 1).astype(np.int64)
        marked = pd.Index(story.kinds).get_indexer(self.one.states.state_at(place).astype(str))
        return np.where(marked >= 0, marked, drawn)
