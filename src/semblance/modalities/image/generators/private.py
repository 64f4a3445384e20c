"""How a network learns images under differential privacy: its patients are counted by label, and then give gradients.

All that is known of the data beforehand is declared (`public`): the range of pixels gives their scale and their ends. A
share of the budget counts labels, one of each patient; the rest pays for DP-SGD (`learn.rules.Private`), in which each
patient shows some random images of all that it has, each under a noise of its own, and the gradient of their mean loss
is clipped once (noise multiplicity: Dockhorn, Cao, Vahdat & Kreis, Differentially Private Diffusion Models, TMLR 2023).
Nothing else looks at an image: no mean, no direction, nobody aside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.large import filled
from semblance.core.model import Plan, Wanted, Watch
from semblance.core.promise import Ledger, Noise
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.core.shares import simplex
from semblance.learn.drawn import Fitting
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Drawn, Sampler, parts_of
from semblance.learn.paid import Paid, public_number, refuse_undeclared
from semblance.learn.patients import Patients, Showing, planned
from semblance.learn.trainer import TrainPlan
from semblance.learn.white_box import Likely, Spy
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.network import NetworkSpec
from semblance.modalities.image.generators.painter import ImageModel
from semblance.modalities.image.public import PIXELS
from semblance.privacy.audit import of_counts

COUNTED = 0.05
"""The share of the budget for what labels are counted for."""
SHOWN = 4
"""Images of a patient, or noises of the same one, in a step: more teach more, and cost nothing but time."""
REACH = 2.0
"""The ends of the declared range, in units in which pixels are learned."""
STAND_IN = 64
"""Rows that stand in for real images: of noise, within the range."""


@dataclass(frozen=True)
class PrivateSpec(NetworkSpec):
    """A network over pixels that learns under differential privacy where it is given a ledger."""

    numbered: ClassVar[bool] = True
    """Whether it needs a public number of patients."""
    private_base: ClassVar[TrainPlan] = TrainPlan(steps=0, weight_decay=0.0, warmup=20, ema=0.99, rate=2e-3)
    lot: ClassVar[int] = 128

    def apart(self, shape: tuple[int, ...], parts: Parts) -> Sampler:
        """The objective, with a loss in which no image has a part in another's."""
        raise TypeError(f"{type(self).__name__} does not say what is trained privately")

    def refuse_undeclared(self, schema: Schema) -> None:
        """Raise UsageError, before any image is looked at, where what is public of them was not declared."""
        refuse_undeclared(schema, "images")

    def check(self, train: Images, *, wanted: Wanted) -> None:
        """Raise UsageError with all that no model of such images could draw; under a public schema, by that alone."""
        if not train.schema.public:
            super().check(train, wanted=wanted)
            return
        _outlined(train, np.ones(len(labels_of(train.schema)))).asked(wanted)

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Seconds (default 60) turned into steps; under a public schema by trying some on images of noise."""
        if not train.schema.public:
            return super().plan(train, rng=rng, time_budget=time_budget)
        seed, public = root_of(rng), public_number(train.schema)
        return planned(
            lambda: self._begun(_outlined(train, np.ones(len(labels_of(train.schema)))), seed),
            self.private_base,
            lot=self.lot,
            public=public,
            shown=SHOWN,
            rng=stream(seed, "probe"),
            time_budget=time_budget,
        )

    def fit(
        self,
        train: Images,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Any = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> ImageModel:
        """Learn `train`: under a ledger, by what it pays for. Raises UsageError for what is not declared."""
        if ledger is None:
            return super().fit(train, rng=rng, plan=plan, watch=watch, resume=resume)
        self.refuse_undeclared(train.schema)
        seed = root_of(rng)
        chosen = plan if plan else self.plan(train, rng=stream(seed, "plan"))
        return self._paid(train, ledger, Fitting(stream(seed, "private"), chosen, watch, resume))

    def _paid(self, train: Images, ledger: Ledger, how: Fitting) -> ImageModel:
        """Pay, count, train for the plan, and keep the averaged weights of its end. Raises PrivacyError where nothing
        is left."""
        encoding, objective, paid = self._trained(train, ledger, how)
        measured: Mapping[str, Any] = paid.findings
        return self.model()(self.card, self.kept, encoding, Drawn(objective), measured)

    def _trained(
        self, train: Images, ledger: Ledger, how: Fitting, *, spy: Spy[Images] | None = None
    ) -> tuple[Encoding, Sampler, Paid]:
        """How images become rows, the training at its end, and what was paid for it."""
        showing, seed = Showing(TrainPlan(**how.plan), public_number(train.schema)), root_of(how.rng)
        paid = showing.pay(Paid, _counting(train, ledger), ledger, resume=how.resume)
        encoding = _outlined(train, simplex(paid.counts[0] / paid.records))
        objective, _ = self._begun(encoding, seed)
        training, source_of = replace(how, rng=stream(seed, "training")), partial(_source, encoding=encoding)
        heard = {} if spy is None else {"heard": partial(spy, source_of)}
        showing.train(objective, source_of(train), paid, ledger, training, **heard)
        return encoding, objective, paid

    def attacked(self, train: Images, plan: Plan, ledger: Ledger, *, spy: Spy[Images]) -> Likely[Images]:
        """What an attacker who sees everything that leaves a training would see (see `learn.white_box`)."""
        _, _, paid = self._trained(train, ledger, Fitting(stream(0, "attacked"), plan, None, None), spy=spy)
        sigma = next(part.sigma for part in paid.spent if isinstance(part, Noise))

        def likely(images: Images) -> np.ndarray:
            codes = _codes(images)[:, None, None]
            return np.array([of_counts(paid.counts, [(0,)], own, sigma=sigma) for own in codes])

        return likely

    def _begun(self, encoding: Encoding, seed: int) -> tuple[Sampler, np.ndarray]:
        """The network at its start, which no image has a part in, and rows of noise that stand in for real ones."""
        parts = parts_of(encoding.sizes)
        objective = self.apart(encoding.shape, parts)
        labels = np.arange(STAND_IN) % parts.classes
        ends = np.full((STAND_IN, parts.numbers), REACH)
        objective.start(parts.join(ends, np.zeros((STAND_IN, 0)), labels), rng=stream(seed, "weights"))
        numbers = stream(seed, "numbers").uniform(-REACH, REACH, ends.shape)
        return objective, parts.join(numbers, np.zeros((STAND_IN, 0)), labels)


def labels_of(schema: Schema) -> tuple[str, ...]:
    """The declared labels, in order; one that stands for all where there are none."""
    target = schema.where("target")
    return ("",) if target is None or not target.categories else tuple(sorted(target.categories))


def _outlined(train: Images, shares: np.ndarray) -> Encoding:
    """How images become rows, by declarations alone, and the noisy shares of labels."""
    low, high = train.schema[PIXELS].min, train.schema[PIXELS].max
    assert low is not None and high is not None
    every, shape = np.ones(train.pixels.shape[1], np.float32), train.pixels.shape[1:]
    center, scale = every * np.float32((low + high) / 2), every * np.float32((high - low) / (2 * REACH))
    names = labels_of(train.schema)
    return Encoding(
        schema=train.schema,
        layout=train.layout,
        shape=shape,
        low=every * np.float32(low),
        high=every * np.float32(high),
        center=center,
        scale=scale,
        labels=() if names == ("",) else names,
        shares=np.asarray(shares, dtype=float) / float(np.sum(shares)) if names != ("",) else np.zeros(0),
        anonymous=train.anonymous,
    )


def _codes(train: Images) -> np.ndarray:
    return np.searchsorted(labels_of(train.schema), train.labels).astype(np.int64)


def _counting(train: Images, ledger: Ledger) -> Callable[[], tuple[list[np.ndarray], list[Noise]]]:
    """What counts the labels, one image of each patient."""

    def counting() -> tuple[list[np.ndarray], list[Noise]]:
        noise, _ = ledger.affordable([(COUNTED, 1), (1 - COUNTED, 1)])
        sizes = np.array([len(labels_of(train.schema))])
        how: dict[str, Any] = {"sigma": noise.sigma, "note": "labels"}
        return ledger.noisy_counts(_codes(train)[:, None], sizes, [(0,)], train.subjects, **how), [noise]

    return counting


def _source(train: Images, encoding: Encoding) -> Patients:
    """The images as rows."""
    flat = train.pixels.reshape(len(train), encoding.shape[0], math.prod(encoding.shape[1:]))
    labels, parts = _codes(train), parts_of(encoding.sizes)

    def joined(part: slice) -> np.ndarray:
        numbers = (flat[part] - encoding.center[:, None]) / encoding.scale[:, None]
        numbers = numbers.reshape(len(numbers), parts.numbers)
        return parts.join(numbers.clip(-REACH, REACH), np.zeros((len(numbers), 0)), labels[part])

    return Patients(filled(joined, (len(train), parts.width)), labels, train.subjects, shown=SHOWN)
