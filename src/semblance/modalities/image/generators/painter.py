"""What every generator of images shares: images become rows, rows of each label are learned, new ones are drawn and
become images. Subclasses say how rows are learned (`learn`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.errors import DataError, UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Wanted, Watch, refuse_ledger, refuse_negative
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Drawer, Fitting, Learned, Sizes
from semblance.modalities.image.data import Images
from semblance.modalities.image.encode import Encoding, check
from semblance.modalities.image.halves import known_in_part

TOGETHER, NUMBERS = 64, 65_536
"""Images that are drawn at once, at most, and the numbers that these have together."""


@dataclass(frozen=True)
class ImageSpec:
    """A generator of images."""

    rare: int = 5
    """Labels and brightnesses that fewer patients have are not learned, and no direction that fewer stand behind."""
    card: ClassVar[Card]
    roles: ClassVar[tuple[str, ...]] = ("channels",)
    """What is asked of images before anything is learned (see `check`)."""
    reads: ClassVar[bool] = False
    """Whether it is told the texts of images, where these are declared; others draw images without a text."""

    def plan(self, train: Images, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Nothing to plan."""
        return {}

    def seen(self, train: Images) -> Images:
        """Images as they are learned."""
        return train

    def learn(self, learned: Learned, form: Any, how: Fitting) -> Drawer:
        """What draws rows of each label; the form of images is their shape (channels, ...)."""
        raise TypeError(f"{type(self).__name__} does not say what is learned")

    @classmethod
    def drawer(cls, options: Mapping[str, Any], sizes: Sizes, form: Any, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """What `learn` gave, from its arrays."""
        raise TypeError(f"{cls.__name__} does not say what it saved")

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
        """Learn `train`. Raises UsageError for a ledger."""
        refuse_ledger(self.card, ledger=ledger)
        train = self.seen(train)
        self.refuse_unfit(train)
        chosen = self.plan(train, rng=rng) if plan is None else plan
        seed = root_of(rng)
        made, learned = Encoding.fit(train, rare=self.rare, reads=self.reads)
        drawer = self.drawn(made, learned, Fitting(stream(seed, "rows"), chosen, watch, resume))
        return self.model()(self.card, self.kept, made, drawer)

    @property
    def kept(self) -> dict[str, Any]:
        """The options that a model keeps."""
        return asdict(self)

    @classmethod
    def model(cls) -> type[ImageModel]:
        """What it becomes."""
        return ImageModel

    def drawn(self, encoding: Encoding, learned: Learned, how: Fitting) -> Drawer:
        """What draws rows of each label; to most generators all planes of an image are alike."""
        return self.learn(learned, encoding.shape, how)

    @classmethod
    def restored(cls, options: Mapping[str, Any], encoding: Encoding, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """What `drawn` gave, from its arrays."""
        return cls.drawer(options, encoding.sizes, encoding.shape, arrays)

    def check(self, train: Images, *, wanted: Wanted) -> None:
        """Raise, before anything is learned: UsageError with all that no model of `train` could draw, DataError where
        its channels are not those that are learned."""
        train = self.seen(train)
        self.refuse_unfit(train)
        check(train, wanted=wanted, rare=self.rare, reads=self.reads)

    def refuse_unfit(self, train: Images) -> None:
        """Raise DataError where the channels of `train` are not those that are learned."""
        if known_in_part(train):
            raise DataError.of(
                f"'{self.card.name}' was given images of which only some channels are known",
                rule="all channels of an image that is learned are known",
                fix="pair them (`pair` in the manifest), or choose cyclegan or cut, which learn from unpaired ones",
            )

    @classmethod
    def load(cls, folder: Path) -> ImageModel:
        """The inverse of `ImageModel.save`."""
        if not (folder / "images.json").exists():
            raise UsageError.of(f"no model in '{folder.name}'", rule="a folder with images.json", fix="give RUN/model")
        told = json.loads((folder / "images.json").read_text(encoding="utf-8"))
        encoding = Encoding.from_json(told)
        arrays = load_file(folder / "weights.safetensors")
        drawer = cls.restored(told["options"], encoding, arrays)
        path = folder / "measured.json"
        measured = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return cls.model()(cls.card, told["options"], encoding, drawer, measured)


@dataclass(frozen=True, eq=False)
class ImageModel:
    """A fitted generator of images."""

    card: Card
    options: Mapping[str, Any]
    encoding: Encoding
    learned: Drawer
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What a ledger paid for, and what came out; nothing where none was given."""

    def sample(self, n: int, *, rng: np.random.Generator, wanted: Wanted | None = None) -> Iterator[Images]:
        """`n` images, some at a time; the first do not depend on how many follow, but where there are quotas.

        Raises UsageError with all of what is wanted that the model cannot draw.
        """
        refuse_negative(n, what="images")
        return self._sample(n, root_of(rng), self.encoding.asked(wanted))

    @property
    def together(self) -> int:
        """How many images are drawn at once."""
        return max(1, min(TOGETHER, NUMBERS // self.encoding.sizes.numbers))

    def _sample(self, n: int, seed: int, asked: Any) -> Iterator[Images]:
        together = self.together
        for first, classes, frame in self.encoding.each(n, asked, together=together, seed=seed):
            rows = self.learned.draw(classes, self.encoding.given(frame), rng=stream(seed, "rows", first))
            yield self.encoding.images(rows, frame, first=first).take(np.arange(min(together, n - first)))

    def save(self, folder: Path) -> None:
        """Write model.json, images.json and weights.safetensors; measured.json where a ledger paid."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in self.learned.arrays().items()}
        write_bytes(folder / "weights.safetensors", save(arrays))
        write_json(folder / "images.json", {**self.encoding.to_json(), "options": dict(self.options)})
        if self.measured:
            write_json(folder / "measured.json", dict(self.measured))
        write_json(folder / "model.json", {"modality": "image", "generator": self.card.name})
