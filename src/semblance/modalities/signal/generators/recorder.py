"""What every generator of recordings shares: pieces are cut and coded, learned given their kind and style, drawn for a
new person's rhythm, and joined to a recording. Subclasses say how coefficients are learned (`learn`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save

from semblance.core.arrays import under, within
from semblance.core.errors import DataError, UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Wanted, Watch, refuse_ledger, refuse_negative, refuse_wanted
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.drawn import Drawer as Waves
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.person import Limits
from semblance.modalities.signal import habits, limb, scenes
from semblance.modalities.signal.code import Code
from semblance.modalities.signal.cosines import Cosines
from semblance.modalities.signal.data import Lead, Marks, Pieces, Recording, Recordings
from semblance.modalities.signal.encode import Encoding
from semblance.modalities.signal.generators.impute import filled
from semblance.modalities.signal.habits import Habits
from semblance.modalities.signal.knobs import Knobs
from semblance.modalities.signal.limb import Tie
from semblance.modalities.signal.parts import Part, Strip
from semblance.modalities.signal.pieces import Cut, heart, resampled
from semblance.modalities.signal.scenes import Scenes
from semblance.modalities.signal.wanted import Asked, Known
from semblance.modalities.signal.wanted import asked as asked_of

TOGETHER = 512
"""Pieces that are drawn at once, at least."""
ENCODING, WAVES = "encoding", "waves"


@dataclass(frozen=True, eq=False)
class Recorder:
    """How recordings come about but for their pieces' coefficients. `rate` and `leads` are those of the files; `ties`
    are what some leads are of others."""

    schema: Schema
    cut: Cut
    encoding: Code
    story: Habits | Scenes
    rate: float
    ties: tuple[Tie, ...] = ()
    band: tuple[float, float] | None = None
    """The frequencies (Hz) that were kept of what was learned, where they were declared."""

    @classmethod
    def fit(cls, data: Recordings, spec: RecorderSpec, *, rng: np.random.Generator) -> tuple[Recorder, Learned]:
        """From recordings, as the options of `spec` say; with it, what is to be learned."""
        cut = Cut.of(data)
        if cut.beats:  # a recording without beats tells nothing of hearts
            data = data.take(np.array([heart(one) for one in data.recordings]))
        pieces = cut.alone(cut.pieces(data))
        kinds = habits.kinds_of(data, rare=spec.rare) if cut.beats else scenes.kinds_of(pieces, rare=spec.rare)
        pieces = pieces.take(_learnable(pieces, kinds))
        if not len(pieces):
            raise DataError.of(
                "no piece of the recordings can be learned from",
                rule="a beat or window of which every lead was measured, of a kind that enough patients have",
                fix="give recordings of the same leads, or a smaller --rare",
            )
        kinds = tuple(kind for kind in kinds if (pieces.labels == kind).any())
        encoding = spec.coded(pieces, rng=rng)
        told = (data, cut, pieces, encoding.encode(pieces))
        story, learned = (Habits if cut.beats else Scenes).fit(*told, kinds=kinds, rare=spec.rare)
        kept = limb.kept([lead.name for lead in cut.leads], (one.values() for one in data.recordings))
        made = cls(data.schema, cut, encoding, story, data.recordings[0].rate, kept, data.band)
        return made, replace(learned, channels=len(cut.leads))

    @property
    def sizes(self) -> Sizes:
        """How many numbers and leads a piece has, how many it is given, and how many kinds there are."""
        return Sizes(self.encoding.width, self.story.given, len(self.story.kinds), len(self.cut.leads))

    @property
    def known(self) -> Known:
        """What can be asked for."""
        leads = self.cut.leads
        known = self.story.known(leads, tuple(leads[tie.lead].name for tie in self.ties))
        return replace(known, units={c.name: 10.0**-c.decimals for c in self.schema.learned if c.continuous})

    def recordings(self, parts: list[Part], drawn: np.ndarray, *, first: int, rng: Any) -> Recordings:
        """The recordings of some parts from what was drawn for all their pieces, numbered from `first`."""
        labels = np.array(self.story.kinds, dtype=object)[np.concatenate([part.kinds for part in parts])]
        ends = np.cumsum([len(part.kinds) for part in parts])[:-1]
        each = zip(parts, np.split(drawn, ends), strict=True)
        numbers = np.concatenate([part.coefficients(own) for part, own in each])
        waves = self.encoding.decode(numbers.astype(np.float32), labels, rng=rng)
        strips = [
            self.story.join(self.cut, some, part) for some, part in zip(np.split(waves, ends), parts, strict=True)
        ]
        made = zip(strips, parts, strict=True)
        ones = tuple(self._recording(strip, first + i, part.knobs, rng=rng) for i, (strip, part) in enumerate(made))
        frame = pd.concat([part.frame for part in parts], ignore_index=True)
        for column in self.schema.learned:
            if column.continuous and column.name in frame:
                frame[column.name] = frame[column.name].clip(column.min, column.max).round(column.decimals)
        for name in frame.columns[[frame[name].dtype == object for name in frame]]:
            frame[name] = frame[name].astype("category")
        subjects = np.arange(first, first + len(ones))
        return Recordings(self.schema, frame, ones, subjects, band=self.band)

    def _recording(self, strip: Strip, number: int, knobs: Knobs, *, rng: np.random.Generator) -> Recording:
        """A strip at the rate of the files."""
        values = knobs.noisy(resampled(strip.values, self.cut.rate, self.rate), rng=rng)
        values = limb.tied(values, self.ties, self.cut.leads)
        ratio = self.rate / self.cut.rate
        beats, states = (
            Marks(np.minimum(np.round(m.at * ratio).astype(np.int64), len(values) - 1), m.symbol)
            for m in (strip.beats, strip.states)
        )
        leads = self.cut.leads
        return Recording(f"s{number + 1:06d}", self.rate, leads, len(values), lambda: values, beats, states)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is saved as tensors."""
        return {**within(ENCODING, self.encoding.arrays()), **self.story.arrays()}

    def to_json(self) -> dict[str, Any]:
        """All else as plain JSON."""
        cut = {**vars(self.cut), "leads": [asdict(lead) for lead in self.cut.leads]}
        told = {"schema": self.schema.to_json(), "cut": cut, "rate": self.rate, "ties": list(map(asdict, self.ties))}
        kept = {} if self.band is None else {"band": list(self.band)}
        return {**told, **kept, "story": self.story.to_json(), "labels": list(self.encoding.labels)}

    @classmethod
    def restored(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, code: type[Code]) -> Recorder:
        """The inverse of `to_json` and `arrays`."""
        cut = Cut(**{**told["cut"], "leads": tuple(Lead(**lead) for lead in told["cut"]["leads"])})
        story = (Habits if cut.beats else Scenes).restored(told["story"], arrays)
        encoding = code.from_arrays(tuple(told["labels"]), under(arrays, ENCODING))
        ties = tuple(Tie(tie["lead"], tuple(tie["of"]), tuple(tie["parts"])) for tie in told["ties"])
        band = tuple(told["band"]) if "band" in told else None
        return cls(Schema.from_json(told["schema"]), cut, encoding, story, told["rate"], ties, band)


def _learnable(pieces: Pieces, kinds: tuple[str, ...]) -> np.ndarray:
    """(n,) bool: pieces of a known kind of which every sample was measured."""
    whole: np.ndarray = np.isfinite(pieces.waves).all((1, 2))
    return whole & np.isin(pieces.labels, kinds)


@dataclass(frozen=True)
class RecorderSpec:
    """A generator of recordings."""

    rare: int = 5
    """A kind of beat or a category that fewer patients have is not learned."""
    card: ClassVar[Card]
    code: ClassVar[type[Code]] = Encoding
    """What stands for a piece, and is saved."""

    def coded(self, pieces: Pieces, *, rng: np.random.Generator) -> Code:
        """That code, fitted on pieces."""
        raise TypeError(f"{type(self).__name__} does not say how pieces are coded")

    def plan(self, train: Recordings, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Nothing to plan."""
        return {}

    def learn(self, learned: Learned, how: Fitting) -> Waves:
        """What pieces' coefficients are given their labels and numbers."""
        raise TypeError(f"{type(self).__name__} does not say what is learned")

    @classmethod
    def waves(cls, options: Mapping[str, Any], sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Waves:
        """What `learn` gave, from its arrays."""
        raise TypeError(f"{cls.__name__} does not say what it saved")

    def fit(
        self,
        train: Recordings,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Any = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> RecorderModel:
        """Learn `train`. Raises DataError where no piece can be learned, UsageError for a ledger."""
        refuse_ledger(self.card, ledger=ledger)
        if ledger is not None:
            return self.fit_privately(train, ledger, Fitting(rng, {} if plan is None else plan, watch, resume))
        chosen = self.plan(train, rng=rng) if plan is None else plan
        seed = root_of(rng)
        recorder, learned = Recorder.fit(train, self, rng=stream(seed, "encoding"))
        waves = self.learn(learned, Fitting(stream(seed, "waves"), chosen, watch, resume))
        return RecorderModel(self.card, self.to_json(), recorder, waves)

    def fit_privately(self, train: Recordings, ledger: Ledger, how: Fitting) -> RecorderModel:
        """Learn `train` with what a ledger pays for."""
        raise TypeError(f"{type(self).__name__} does not say how it learns privately")

    def outlined(self, train: Recordings) -> Recorder:
        """Who records, as far as what can be asked for depends on it."""
        return Recorder.fit(train, self, rng=stream(0, "check"))[0]

    def check(self, train: Recordings, *, wanted: Wanted) -> None:
        """Raise UsageError with all that no model of these recordings could draw; nothing is learned for it."""
        if wanted:
            known = self.outlined(train).known
            asked = asked_of(wanted, known)
            for limits in (asked.limits, *(asked.limits.and_also(one) for quota in asked.quotas for _, one in quota)):
                known.person.draw(1, rng=stream(0, "check"), limits=limits)

    def unlearned(self, train: Recordings) -> dict[str, str]:
        """The kinds of beats that are not learned from these recordings, and why."""
        few = habits.unlearned(train, rare=self.rare) if Cut.of(train).beats else {}
        return {
            f"beats of {kind}": f"patients who have them: {n}, and {self.rare} are needed" for kind, n in few.items()
        }

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON."""
        return asdict(self)

    @classmethod
    def load(cls, folder: Path) -> RecorderModel:
        """The inverse of `RecorderModel.save`."""
        if not (folder / "recorder.json").exists():
            raise UsageError.of(
                f"no model in '{folder.name}'", rule="a folder with recorder.json", fix="give RUN/model"
            )
        told = json.loads((folder / "recorder.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "weights.safetensors")
        recorder = Recorder.restored(told, arrays, code=Cosines if "alike" in told else cls.code)
        waves = cls.waves(told["options"], recorder.sizes, under(arrays, WAVES))
        path = folder / "measured.json"
        measured = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return RecorderModel(cls.card, told["options"], recorder, waves, measured, told.get("alike"))


@dataclass(frozen=True, eq=False)
class RecorderModel:
    """A fitted generator of recordings."""

    card: Card
    options: Mapping[str, Any]
    recorder: Recorder
    learned: Waves
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What may be told of what a ledger has paid for."""
    alike: float | None = None
    """The part of the noise behind a beat that all beats of a recording share, where no styles are known."""

    def sample(self, n: int, *, rng: np.random.Generator, wanted: Wanted | None = None) -> Iterator[Recordings]:
        """`n` recordings, some at a time; the first do not depend on how many follow, but where there are quotas.

        Raises UsageError with all of what is wanted that the model cannot draw.
        """
        refuse_wanted(self.card, wanted=wanted, able=())
        refuse_negative(n, what="recordings")
        asked = asked_of(wanted, self.recorder.known)
        return self._sample(n, root_of(rng), asked)

    def _sample(self, n: int, seed: int, asked: Asked) -> Iterator[Recordings]:
        done, limits = 0, asked.of_each(n, rng=stream(seed, "quotas"))
        while done < n:
            parts = self._parts(done, seed, asked, limits)
            rng = stream(seed, "pieces", done)
            labels, given = (np.concatenate([getattr(p, what) for p in parts]) for what in ("kinds", "given"))
            drawn = self._drawn(parts, labels, given, done, seed, rng)
            yield self.recorder.recordings(parts, drawn, first=done, rng=rng).take(np.arange(min(len(parts), n - done)))
            done += len(parts)

    def _drawn(
        self, parts: list[Part], labels: np.ndarray, given: np.ndarray, first: int, seed: int, rng: np.random.Generator
    ) -> np.ndarray:
        """The numbers of all pieces. Where no styles are known, one heart is told by noise that its beats share: each
        is normal noise all the same, and so each beat is distributed as it was."""
        if self.alike is None:
            return self.learned.draw(labels, given, rng=rng)
        maker: Any = self.learned
        own = [stream(seed, "heart", first + i).standard_normal((1, maker.noise)) for i in range(len(parts))]
        heart = np.repeat(np.concatenate(own), [len(part.kinds) for part in parts], 0)
        start = np.sqrt(self.alike) * heart + np.sqrt(1 - self.alike) * rng.standard_normal(heart.shape)
        drawn: np.ndarray = maker.draw_from(start, labels, given)
        return drawn

    def _parts(self, first: int, seed: int, asked: Asked, limits: list[Limits]) -> list[Part]:
        """Recordings to be, from number `first`, until there are enough pieces to draw, wanted or not."""
        parts: list[Part] = []
        while sum(len(part.kinds) for part in parts) < TOGETHER:
            number = first + len(parts)
            own = limits[number] if number < len(limits) else asked.limits
            rng = stream(seed, "recording", number)
            parts.append(self.recorder.story.draw(self.recorder.cut, rng=rng, limits=own, asked=asked))
        return parts

    def impute(self, data: Recordings, *, rng: np.random.Generator) -> Recordings:
        """The recordings with a draw for every sample that is missing (NaN), given those that were measured.

        Gaps are filled, leads that were not measured are reconstructed, and where a recording has only begun it goes on
        as it might have, with marks of the beats that are new. Raises UsageError for other leads or another rate.
        """
        return filled(self.recorder, self.learned, data, seed=root_of(rng))

    def again(self, data: Recordings, *, rng: np.random.Generator) -> Pieces:
        """The pieces of recordings drawn anew, each of its kind, given its intervals, around its recording's style.

        Beats are joined to strips and cut again. Pieces of a kind that was not learned, or with missing samples, are
        left out; beside others they stay. They are for judges that compare pieces of the very same recordings, and are
        no release: the styles are those of real recordings.
        """
        recorder = self.recorder
        cut = recorder.cut
        every = cut.alone(cut.pieces(data))
        able = _learnable(every, recorder.story.kinds)
        pieces = every.take(able)
        known = recorder.story.conditions(data, pieces, recorder.encoding.encode(pieces))
        drawn = known.absolute(self.learned.draw(known.labels, known.given, rng=rng))
        waves = np.nan_to_num(every.waves)
        waves[able] = recorder.encoding.decode(drawn, pieces.labels, rng=rng)
        return cut.joined(replace(every, waves=waves)).take(able)

    def save(self, folder: Path) -> None:
        """Write model.json, recorder.json and weights.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {**self.recorder.arrays(), **within(WAVES, self.learned.arrays())}
        write_bytes(folder / "weights.safetensors", save({n: np.ascontiguousarray(a) for n, a in arrays.items()}))
        told = {} if self.alike is None else {"alike": self.alike}
        write_json(folder / "recorder.json", {**self.recorder.to_json(), "options": dict(self.options), **told})
        if self.measured:
            write_json(folder / "measured.json", dict(self.measured))
        write_json(folder / "model.json", {"modality": "signal", "generator": self.card.name})
