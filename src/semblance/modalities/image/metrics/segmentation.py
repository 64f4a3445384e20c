"""Are synthetic images with masks of use to who segments real ones? Train on one side, test on the holdout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, mean, over_draws
from semblance.core.judge import Wording, measures, patient_rows, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.halves import known_in_part
from semblance.modalities.image.metrics.overlap import alarms, dice, hd95, over_shown
from semblance.modalities.image.metrics.samples import LEAST, Measured, pooled

DICE, FAR, GAIN = "utility.segmentation_dice", "utility.segmentation_hd95", "utility.segmentation_gain"
IMAGES = {"fast": 120, "standard": 400, "audit": 2_000}
STEPS = {"fast": 40, "standard": 150, "audit": 600}
_UNTAUGHT = "real images do not teach the network to mark a class either, so nothing can be compared"
FEW, FEWEST, GROUP = 0.1, 2, 30
"""The share of real patients that counts as few, the patients of the smallest one, and of a group that is judged."""
SHARES = (0.05, 0.1, 0.25, 0.5, 1.0)
FRACTIONS = {"fast": (0.1, 1.0), "standard": SHARES, "audit": SHARES}
SHARE_STEPS = {"fast": 40, "standard": 300, "audit": 600}
AGAIN, DRAWS = {"fast": (), "standard": (FEW,), "audit": SHARES}, 3
"""Of each tier: images a side, steps of a training, shares of the real patients that are learned from, steps of their
trainings, one for each of WAYS, and the shares that are drawn DRAWS times. Of stained nuclei, after 60 steps a tenth of
the patients taught a network as much as all of them to 1.8 points of Dice, after 150 to 4.4, after 400 to 5.6: in fewer
steps than that it is not records that are wanting."""
WAYS = ("real", "augmented", "both")
SIDE, DEEP, WIDTH, PLACES = 64, 24, 16, 16
"""Pixels a side to which images are made small, of volumes DEEP; channels and places a side of the segmenter."""
NOTHING = 0.05
"""The Dice coefficient below which real images did not teach anything either: the yardstick is missing."""


@measures(DICE, FAR)
def segmentation(evidence: Measured) -> tuple[Finding, ...]:
    """Dice coefficient and 95th percentile Hausdorff distance, on the holdout, of a small U-Net that learned the first
    mask from synthetic images alone. Control: the same from as many real ones; floor: from the floor's.

    Of images that show a class; `detail["false_alarms"]` has how often one is marked that an image does not show.
    Distances are in millimetres where the spacing is known, else in pixels. Intervals over patients hold for these
    trainings and do not cover their luck.
    """
    task = _task(evidence)
    if isinstance(task, tuple):
        return _finding.unmeasured((DICE, FAR), status=task[0], reason=task[1])
    lessons = {part: task.lesson(part, task.as_many(part)) for part in task.learned}
    steps = STEPS[evidence.tier]
    scores = {part: task.scored(part, lesson, steps=steps) for part, lesson in lessons.items()}
    if scores["train"].overlap.mean() < NOTHING:
        return _finding.unmeasured((DICE, FAR), status="insufficient", reason=_UNTAUGHT)
    detail = {
        "mask": task.name,
        "images": int(task.shown.sum()),
        "learned": {part: len(lesson.codes) for part, lesson in lessons.items()},
        "false_alarms": {part: one.alarms for part, one in scores.items()},
    }
    overlap, distance = (
        slots({part: task.over_patients(getattr(one, name)) for part, one in scores.items()})
        for name in ("overlap", "distance")
    )
    return _finding(DICE, detail=detail, **overlap), _finding(FAR, better="lower", detail=detail, **distance)


@measures(GAIN)
def gain(evidence: Measured) -> tuple[Finding, ...]:
    """By how much the Dice coefficient rises when all synthetic images are added to a tenth of the real patients.

    Control: by how much it rises with classical augmentation instead (turned over, other brightness). `detail` has
    every share of the real patients: real, augmented, and both, the gain of every draw, and the distances of edges by
    each (`hd95`); which shares are `drawn_once`; and the gain in each protected group of GROUP patients. Intervals are
    those of paired differences over patients, and where a share is drawn again (AGAIN) of other patients, and learned
    by another network, widened by the spread over draws (Student's t). A training is dear: other shares are drawn once,
    and luck is not covered.
    """
    task = _task(evidence)
    if isinstance(task, tuple):
        return _finding.unmeasured((GAIN,), status=task[0], reason=task[1])
    rows, few, taught = [], dict[str, np.ndarray](), 0.0
    for share in FRACTIONS[evidence.tier]:
        draws = [task.draw(share, draw) for draw in range(times(evidence.tier, share))]
        overlap = {way: np.stack([one[way].overlap for one in draws]) for way in WAYS}
        each = {way: task.over_patients(one).plain() for way, one in overlap.items()}
        gains = (overlap["both"] - overlap["real"]).mean(1).tolist()
        away = {way: float(np.mean([one[way].distance for one in draws])) for way in WAYS}
        rows.append({"share": share, **each, "draws": gains, "hd95": away})
        few = overlap if share == FEW else few
        taught = max(taught, float(overlap["real"].mean()))
    if taught < NOTHING:
        return _finding.unmeasured((GAIN,), status="insufficient", reason=_UNTAUGHT)
    told = {way: task.over_patients(few[way] - few["real"]) for way in ("both", "augmented")}
    once = drawn_once(evidence.tier)
    detail = {"mask": task.name, "shares": rows, "drawn_once": once, "groups": list(_groups(task, few))}
    usual = {"control": told["augmented"], "control_is": "classical augmentation"}
    found = _finding(GAIN, estimate=told["both"], detail=detail, **usual)
    return (replace(found, meaning=f"{found.meaning}{_luck(once)}"),)


def times(tier: str, share: float) -> int:
    """How often a share is drawn."""
    return DRAWS if share in AGAIN[tier] else 1


def drawn_once(tier: str) -> list[float]:
    """The shares of which no interval covers the luck of a draw."""
    return [share for share in FRACTIONS[tier] if times(tier, share) == 1]


def _luck(once: Sequence[float]) -> str:
    """What intervals leave out, as a sentence."""
    shares = ", ".join(f"{share:.0%}".replace("%", " %") for share in once)
    return f" Of the patients {shares} are drawn once: no interval there covers the luck of a draw." if once else ""


def _groups(task: _Task, few: Mapping[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    """The gain in each protected group of enough patients."""
    for name, members in task.groups.items():
        some = members[task.shown]
        whose = task.subjects["holdout"][task.shown][some]
        if patients(whose) >= GROUP:
            gain, usual = (few[way][:, some] - few["real"][:, some] for way in ("both", "augmented"))
            made = _over(gain, whose)
            yield {"group": name, "patients": made.n, "control": float(usual.mean()), **made.plain()}


def _over(scores: np.ndarray, whose: np.ndarray) -> Estimate:
    """The mean of scores (draws, n), with an interval over patients and over draws."""
    return over_draws(mean(scores.mean(0), clusters=whose), scores.mean(1))


def _task(evidence: Measured) -> _Task | tuple[Any, str]:
    """What is learned and tested, or the status and the reason of what cannot be."""
    if not evidence.train.layout.maps:
        return "not_applicable", "no image has a mask"
    if any(known_in_part(part) for part in (evidence.train, evidence.holdout, evidence.synthetic)):
        return "not_applicable", "some images have no mask, or not all channels"
    task = evidence.once("segmentation", lambda: _Task.of(evidence))
    shown = [int(_shows(task.codes[part]).sum()) for part in ("train", "holdout")]
    if min(*shown, len(evidence.synthetic)) < LEAST:
        return "insufficient", f"fewer than {LEAST} images show a class of the mask"
    return task


@dataclass(frozen=True, eq=False)
class _Scores:
    """(n,) Dice coefficients and distances of the images that show a class, means over the classes they show; and the
    share of `alarms` where there is nothing, None where all images show all classes."""

    overlap: np.ndarray
    distance: np.ndarray
    alarms: float | None


@dataclass(frozen=True, eq=False)
class _Task:
    """Small images of each part in units of train's brightness, with the codes of their classes; `groups` (n,) bool of
    protected attributes in the holdout, by their name."""

    name: str
    classes: int
    pixels: Mapping[Part, np.ndarray]
    codes: Mapping[Part, np.ndarray]
    subjects: Mapping[Part, np.ndarray]
    spacing: tuple[float, ...]
    groups: Mapping[str, np.ndarray]
    seed: int
    tier: str

    @classmethod
    def of(cls, evidence: Measured) -> _Task:
        at, channel = next(iter(evidence.train.layout.maps.items()))
        known: tuple[Part, ...] = ("synthetic", "train", "floor", "holdout")
        parts: dict[Part, Images] = {
            part: getattr(evidence, part) for part in known if getattr(evidence, part) is not None
        }
        most, seed = IMAGES[evidence.tier], evidence.seed
        rng = {part: stream(seed, "segmentation", part) for part in parts}
        some = {p: whole.take(patient_rows(whole.subjects, most, rng=rng[p])) for p, whole in parts.items()}
        limit = SIDE if evidence.train.pixels.ndim == 4 else DEEP
        light = {part: pooled(images.light, limit) for part, images in some.items()}
        axes = (0, *range(2, light["train"].ndim))
        center, spread = light["train"].mean(axes, keepdims=True), light["train"].std(axes, keepdims=True)
        codes = {
            part: _pooled_codes(images.pixels[:, at], len(channel.classes), limit) for part, images in some.items()
        }
        spacing = evidence.train.layout.spacing or (1.0,) * (light["train"].ndim - 2)
        shrunk = [a / b for a, b in zip(evidence.train.pixels.shape[2:], light["train"].shape[2:], strict=True)]
        return cls(
            channel.name,
            len(channel.classes),
            {part: (x - center) / np.maximum(spread, 1e-6) for part, x in light.items()},
            codes,
            {part: images.subjects for part, images in some.items()},
            tuple(a * b for a, b in zip(spacing, shrunk, strict=True)),
            _members(some["holdout"]),
            seed,
            evidence.tier,
        )

    @property
    def learned(self) -> tuple[Part, ...]:
        """The parts that are learned from."""
        return tuple(part for part in self.codes if part != "holdout")

    @property
    def shown(self) -> np.ndarray:
        """(n,) which of the holdout's images show a class."""
        return _shows(self.codes["holdout"])

    def as_many(self, part: Part) -> np.ndarray:
        """As many images of each part that is learned from."""
        least = min(len(self.codes[one]) for one in self.learned)
        return patient_rows(self.subjects[part], least, rng=stream(self.seed, "segmentation", "as many", part))

    def lesson(self, part: Part, rows: np.ndarray | None = None, also: Part | None = None) -> Any:
        """What is learned from some images of a part, and from all of another."""
        from semblance.learn.objectives.segmentation import Lesson

        some = slice(None) if rows is None else rows
        pixels, codes = [self.pixels[part][some]], [self.codes[part][some]]
        if also is not None:
            pixels, codes = [*pixels, self.pixels[also]], [*codes, self.codes[also]]
        return Lesson(np.concatenate(pixels), np.concatenate(codes))

    def draw(self, share: float, draw: int) -> dict[str, _Scores]:
        """By each way how well the holdout is marked by who learned from a share of the patients."""
        some = self.share(share, draw)
        alone = self.lesson("train", some)
        lessons = alone, replace(alone, augmented=True), self.lesson("train", some, also="synthetic")
        steps = SHARE_STEPS[self.tier]
        return {
            way: self.scored(f"{share} {way} {draw}", lesson, steps=steps)
            for way, lesson in zip(WAYS, lessons, strict=True)
        }

    def share(self, share: float, draw: int) -> np.ndarray:
        """The train images of a share of the patients; shares of one draw lie within each other."""
        every = np.unique(self.subjects["train"])
        count = max(round(share * len(every)), min(FEWEST, len(every)))
        chosen = stream(self.seed, "segmentation", "patients", draw).permutation(every)[:count]
        return np.flatnonzero(np.isin(self.subjects["train"], chosen))

    def scored(self, name: str, lesson: Any, *, steps: int) -> _Scores:
        """How well the holdout's images are marked by who learned this in so many steps."""
        from semblance.learn.objectives.segmentation import segmenter
        from semblance.learn.trainer import TrainPlan

        plan = TrainPlan(steps, batch=16, rate=4e-3, weight_decay=0.01, ema=0.9, look=10**9, warmup=10)
        rng = stream(self.seed, "segmentation", "training", name)
        segment = segmenter(lesson, self.classes, width=WIDTH, side=PLACES, plan=plan, rng=rng)
        found, real = segment(self.pixels["holdout"]), self.codes["holdout"]
        ways = (dice, partial(hd95, spacing=self.spacing))
        overlap, distance = (over_shown(measure, found, real, self.classes)[self.shown] for measure in ways)
        false = alarms(found, real, self.classes)
        return _Scores(overlap, distance, None if np.isnan(false).all() else float(np.nanmean(false)))

    def over_patients(self, scores: np.ndarray) -> Estimate:
        """The mean of scores (n,) or (draws, n), with an interval over patients and over draws."""
        return _over(np.atleast_2d(scores), self.subjects["holdout"][self.shown])


def _members(images: Images) -> dict[str, np.ndarray]:
    """(n,) who is of each group of a protected attribute."""
    every = [column for column in images.schema.learned if column.protected and not column.continuous]
    levels = [(c.name, level) for c in every for level in images.frame[c.name].cat.categories]
    return {f"{name} = {level}": (images.frame[name] == level).to_numpy() for name, level in levels}


def _shows(codes: np.ndarray) -> np.ndarray:
    """(n,) whether there is any class but the first."""
    made: np.ndarray = codes.reshape(len(codes), -1).max(1) > 0
    return made


def _pooled_codes(codes: np.ndarray, classes: int, most: int) -> np.ndarray:
    """(n, ...) int64: of pixels that become one, the class that most of them have."""
    shares = pooled((codes[:, None] == np.arange(classes).reshape(-1, *[1] * (codes.ndim - 1))).astype(float), most)
    made: np.ndarray = shares.argmax(1)
    return made


_finding = Wording(
    {
        DICE: (
            "Segmentation, overlap",
            "Overlap (Dice) of what a network that learned from synthetic images alone marks in unseen real ones, "
            "with what was marked by hand, where anything was (1: the same).",
        ),
        FAR: (
            "Segmentation, distance",
            "How far the edges of what it marks are from those marked by hand, but for the farthest 5 % (0: not).",
        ),
        GAIN: (
            "Segmentation, few patients",
            "By how much the overlap rises when synthetic images are added to a tenth of the real patients.",
        ),
    },
    better="higher",
)
