"""How a network learns beats under differential privacy: its patients are counted, and then give gradients.

All that is known of the data beforehand is declared (`public`). A share of the budget counts rhythms, facts and the
size of each cosine (`counted`); the rest pays for DP-SGD (`learn.rules.Private`), in which each patient shows some
random beats of all that it has, of which the mean loss is clipped once. Nothing else looks at a record: the network
starts at recordings that are drawn from the counts, keeps nobody aside and stops where it was planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Plan
from semblance.core.promise import Ledger, Noise
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.counts import Asked, of_looks
from semblance.learn.drawn import Fitting, Learned
from semblance.learn.network import Drawn, Sampler
from semblance.learn.paid import Paid, public_number, refuse_undeclared, undeclared
from semblance.learn.patients import Patients, Showing, planned
from semblance.learn.trainer import TrainPlan
from semblance.learn.white_box import Likely, Spy
from semblance.modalities.signal import limb
from semblance.modalities.signal.cosines import FAR, Cosines
from semblance.modalities.signal.counted import Counted, Grid
from semblance.modalities.signal.data import Pieces, Public, Recordings
from semblance.modalities.signal.generators.network import NetworkSpec
from semblance.modalities.signal.generators.recorder import Recorder, RecorderModel
from semblance.modalities.signal.pieces import RATE, SIZE, Cut
from semblance.modalities.signal.style import Styles

RECORDS = "recordings"
"""What is learned, for those who are told what is wrong."""
COUNTED = (0.05, 0.05, 0.2)
"""Shares of the budget for what recordings, beats and cosines are counted for."""
BEATS = 4
"""Beats of a patient that are counted, and shown in a step."""
ALIKE = 0.9
"""The part of the noise behind a beat that all beats of a recording share: most of what differs between beats of a
kind differs between hearts."""
STAND_IN = 200
"""Recordings that stand in for the real ones."""


@dataclass(frozen=True)
class PaidBeats(Paid):
    """What was paid for of recordings."""

    @property
    def sigmas(self) -> tuple[float, float, float]:
        """The noise on the counts of recordings, beats and pieces."""
        noises = [part.sigma for part in self.spent if isinstance(part, Noise)]
        return noises[0], noises[1], noises[2]


@dataclass(frozen=True, eq=False)
class Work:
    """What follows from declarations alone."""

    schema: Schema
    public: Public
    cut: Cut
    code: Cosines
    grid: Grid
    band: tuple[float, float] | None = None

    @classmethod
    def of(cls, train: Recordings) -> Work:
        """Of recordings that were read under declarations. Raises UsageError for others."""
        public = train.public
        if public is None or not train.schema.public:
            raise undeclared(RECORDS)
        rate = min(public.rate, RATE)
        cut = Cut(True, rate, max(2, round(rate * SIZE / RATE)), public.leads)
        code = Cosines.of(public, cut.size)
        return cls(train.schema, public, cut, code, Grid(train.schema, public.kinds, code.width), train.band)

    def recorder(self, counted: Counted) -> Recorder:
        """Who records, from noisy counts."""
        ties = limb.ties([lead.name for lead in self.public.leads])
        habits = counted.habits(self.public)
        code = counted.scaled(self.code)
        return Recorder(self.schema, self.cut, code, habits, self.public.rate, ties, self.band)

    def pieces(self, train: Recordings) -> Pieces:
        """The beats of declared kinds that were measured in all leads."""
        found = self.cut.alone(self.cut.pieces(train))
        return found.take(np.isfinite(found.waves).all((1, 2)) & np.isin(found.labels, self.public.kinds))

    def nobody(self) -> Recorder:
        """Who would record if nobody had been counted."""
        return self.recorder(Counted(self.grid, self.grid.nothing, (1.0, 1.0, 1.0)))


@dataclass(frozen=True)
class PrivateSpec(NetworkSpec):
    """A network over beats that learns under differential privacy where it is given a ledger."""

    numbered: ClassVar[bool] = True
    """Whether it needs a public number of patients."""
    private_base: ClassVar[TrainPlan] = TrainPlan(steps=0, weight_decay=0.0, warmup=20, ema=0.99, rate=1e-3)
    lot: ClassVar[int] = 256

    def apart(self, parts: Any) -> Sampler:
        """The objective, with a loss in which no patient has a part in another's."""
        raise TypeError(f"{type(self).__name__} does not say what is trained privately")

    def refuse_undeclared(self, schema: Schema) -> None:
        """Raise UsageError, before any record is looked at, where what is public of them was not declared."""
        refuse_undeclared(schema, RECORDS)

    def plan(self, train: Recordings, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps; under a public schema by trying some on made-up beats."""
        if not train.schema.public:
            return super().plan(train, rng=rng, time_budget=time_budget)
        seed, public = root_of(rng), public_number(train.schema)
        return planned(
            lambda: self._begun(Work.of(train).nobody(), seed),
            self.private_base,
            lot=self.lot,
            public=public,
            shown=BEATS,
            rng=stream(seed, "probe"),
            time_budget=time_budget,
        )

    def outlined(self, train: Recordings) -> Recorder:
        """Under a public schema, who would record if nobody had been counted."""
        return Work.of(train).nobody() if train.schema.public else super().outlined(train)

    def fit_privately(self, train: Recordings, ledger: Ledger, how: Fitting) -> RecorderModel:
        """Pay, count, train for the plan, and keep the averaged weights of its end.

        Raises UsageError for what is not declared, PrivacyError where nothing is left.
        """
        self.refuse_undeclared(train.schema)
        seed = root_of(how.rng)
        chosen = how.plan if how.plan else self.plan(train, rng=stream(seed, "plan"))
        recorder, objective, paid, patients = self._trained(train, ledger, replace(how, plan=chosen), seed)
        measured: Mapping[str, Any] = {**paid.findings, "records": round(patients)}
        waves = self.told(Drawn(objective), recorder.sizes.channels)
        return RecorderModel(self.card, self.to_json(), recorder, waves, measured, ALIKE)

    def _trained(
        self, train: Recordings, ledger: Ledger, how: Fitting, seed: int, *, spy: Spy[Recordings] | None = None
    ) -> tuple[Recorder, Sampler, PaidBeats, float]:
        """Who records, the training at its end, what was paid for it, and about how many patients there are."""
        work = Work.of(train)
        showing, pieces = Showing(TrainPlan(**how.plan), public_number(train.schema)), work.pieces(train)
        paid = showing.pay(PaidBeats, lambda: _counts(work, train, pieces, ledger), ledger, resume=how.resume)
        counted = Counted(work.grid, paid.counts, paid.sigmas)
        recorder = work.recorder(counted)
        objective, _ = self._begun(recorder, seed)

        def source_of(data: Recordings) -> Patients:
            return self._source(recorder, pieces if data is train else work.pieces(data))

        heard = {} if spy is None else {"heard": partial(spy, source_of)}
        showing.train(objective, source_of(train), paid, ledger, replace(how, rng=stream(seed, "training")), **heard)
        return recorder, objective, paid, counted.patients

    def attacked(self, train: Recordings, plan: Plan, ledger: Ledger, *, spy: Spy[Recordings]) -> Likely[Recordings]:
        """What an attacker who sees everything that leaves a training would see (see `learn.white_box`)."""
        how, seed = Fitting(stream(0, "attacked"), plan, None, None), root_of(stream(0, "attacked"))
        paid, work = self._trained(train, ledger, how, seed, spy=spy)[2], Work.of(train)

        def likely(data: Recordings) -> np.ndarray:
            return np.array([_likely(work, data.take(np.array([i])), paid) for i in range(len(data))])

        return likely

    def _begun(self, recorder: Recorder, seed: int) -> tuple[Sampler, np.ndarray]:
        """The network at its start, and the rows of beats of made recordings that stand in for the real ones."""
        parts = self.parts(recorder.sizes)
        made = [recorder.story.draw(recorder.cut, rng=stream(seed, "stand-in", i)) for i in range(STAND_IN)]
        given, kinds = np.concatenate([one.given for one in made]), np.concatenate([one.kinds for one in made])
        objective = self.apart(parts)
        far = np.full((len(kinds), parts.numbers), FAR)
        objective.start(parts.join(far, given, kinds), rng=stream(seed, "weights"))
        numbers = stream(seed, "numbers").standard_normal(far.shape)
        return objective, self._rows(recorder, numbers, given, kinds)

    def _rows(self, recorder: Recorder, numbers: np.ndarray, given: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """(n, width) rows of pieces, as the network sees them."""
        sizes = recorder.sizes
        learned = Learned(numbers, labels, given, np.arange(len(labels)), sizes.kinds, sizes.channels)
        rows: np.ndarray = self.parts(sizes).join(self.seen(learned).coefficients, given, labels)
        return rows

    def _source(self, recorder: Recorder, pieces: Pieces) -> Patients:
        """The beats as rows, each from its own recording and the noisy habits."""
        story, k = recorder.story, len(recorder.story.kinds)
        fashion = story.fashion  # type: ignore[union-attr]
        n = int(pieces.source.max(initial=-1)) + 1
        styles = Styles(
            np.broadcast_to(fashion.mean + fashion.apart, (n, k, len(fashion.mean))),
            np.broadcast_to(fashion.loose[:, 0], (n, k)),
        )
        labels = np.array([story.kinds.index(label) for label in pieces.labels], dtype=np.int64)
        known = story.under(pieces, labels, styles)  # type: ignore[union-attr]
        numbers = known.relative(recorder.encoding.encode(pieces)).clip(-FAR, FAR)
        rows = self._rows(recorder, numbers, known.given, labels)
        return Patients(rows, labels, pieces.subjects, shown=BEATS)


def _counts(work: Work, train: Recordings, pieces: Pieces, ledger: Ledger) -> tuple[list[np.ndarray], list[Noise]]:
    """The noisy counts, and what was paid for them."""
    shapes = work.grid.shapes
    parts = [(share, len(part)) for share, part in zip(COUNTED, shapes, strict=True)]
    noises = ledger.affordable([*parts, (1 - sum(COUNTED), 1)])
    counts: list[np.ndarray] = []
    paid: list[Noise] = []
    for (asked, clip, note), noise in zip(_asked(work, train, pieces), noises, strict=False):
        sigma = noise.sigma * clip
        how: dict[str, Any] = {"sigma": sigma, "note": note, "clip": clip}
        counts += ledger.noisy_counts(asked.codes, asked.sizes, asked.subsets, asked.whose, **how)
        paid.append(Noise(sigma, clip, len(asked.subsets)))
    return counts, paid


def _likely(work: Work, one: Recordings, paid: PaidBeats) -> float:
    """Log of how much more likely the counts are with a patient than with nobody."""
    asked = ((asked, clip) for asked, clip, _ in _asked(work, one, work.pieces(one)))
    return of_looks(paid.counts, asked, paid.sigmas)


def _asked(work: Work, train: Recordings, pieces: Pieces) -> Iterator[tuple[Asked, int, str]]:
    yield work.grid.of_recordings(train), 1, "recordings"
    yield work.grid.of_beats(train), BEATS, "beats"
    yield work.grid.of_pieces(pieces, work.code), 1, "cosines"
