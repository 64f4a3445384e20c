"""Images from other contrasts and from masks, on real data: python -m bench.translations --board flair

A contender learns the images of some patients. Of the others it makes what is not given, which our own judges compare
with the truth; and it draws new images with masks, of which these judges learn to segment (bench.own).
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.boards import DATA, ROOT
from bench.own import COST, Bench
from bench.results import Columns
from semblance.core.dataset import split_by_subject
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.image.data import Channel, Images, Layout

NOTES = """\
# Images from contrasts and from masks

Each contender learns the images of some patients for as many seconds of a processor; judges look at the others.

- fit s, CPU s: seconds of the clock and of processors for planning and fitting; GiB: the most memory so far; images/s:
  by the clock, and for each second of a processor (where the machine does other work, only these compare)
- SSIM, PSNR: likeness (1: the same) and decibels of the contrast that was made of unseen patients' given one, inside
  the foreground; beside the given contrast brought to the range of the real one (copy), the mean image of train, and
  the real one of the slice beside it (next)
- lesions: share of the contrast of lesions with what lies around them that is lost, or added; not of one patient
- Dice: overlap with marks by hand, on unseen images, of what a small U-Net marks that learned new images and masks
  alone; real: as many real ones
- gain: points of Dice by adding all new images to a tenth of the real patients; turned: by classical augmentation
- real against real: train in the place of new images
"""
COLUMNS: Columns = {
    **COST,
    "images/s": ("pace", 1),
    "images/CPU s": ("pace_cpu", 1),
    "SSIM": ("translation_ssim", 3),
    "copy": ("translation_ssim_copy", 3),
    "mean": ("translation_ssim_floor", 3),
    "next": ("translation_ssim_control", 3),
    "PSNR": ("translation_psnr", 1),
    "copy PSNR": ("translation_psnr_copy", 1),
    "mean PSNR": ("translation_psnr_floor", 1),
    "next PSNR": ("translation_psnr_control", 1),
    "lesions": ("translation_lesion_contrast", 3),
    "Dice": ("segmentation_dice", 3),
    "real": ("segmentation_dice_control", 3),
    "HD95": ("segmentation_hd95", 1),
    "gain": ("segmentation_gain", 3),
    "turned": ("segmentation_gain_control", 3),
}
_HERE = "semblance.modalities.image.metrics"
JUDGES = (
    f"{_HERE}.translation:translation",
    f"{_HERE}.lesions:lesions",
    f"{_HERE}.segmentation:segmentation",
    f"{_HERE}.segmentation:gain",
)


@dataclass(frozen=True)
class Board:
    """An archive of images with masks: the `channels` that are looked at (none: all, as colours), the mask and what it
    shows, what is `given`, the patients' array, and the share of patients that is held out."""

    title: str
    path: Path
    channels: tuple[str, ...]
    mask: str
    shows: str
    given: tuple[str, ...]
    subjects: str
    holdout: float
    seconds: float
    options: Mapping[str, Any] = field(default_factory=dict)

    def parts(self) -> tuple[Images, Images]:
        """Train, and the images of other patients."""
        with np.load(self.path, allow_pickle=False) as held:
            light, mask, who = held["images"], held[self.mask] > 0, held[self.subjects].astype(np.int64)
            names = held["channels"].tolist() if self.channels else ["red", "green", "blue"]
        if not self.channels:
            light = np.moveaxis(light, -1, 1)
        chosen = self.channels or tuple(names)
        light = light[:, [names.index(name) for name in chosen]]
        pixels = np.concatenate([light, mask[:, None]], 1).astype(np.float32)
        marked = Channel(self.shows, ("background", self.shows), (0, 1), "uint8")
        layout = Layout(channels=(*map(Channel, chosen), marked), given=self.given, axes="first")
        schema = Schema((Column("patient", "identifier", "subject", dtype="int64"),))
        images = Images(schema, pd.DataFrame(index=pd.RangeIndex(len(pixels))), pixels, who, layout)
        return split_by_subject(images, holdout=self.holdout, rng=stream(0, "split"))


@dataclass(frozen=True)
class Phantoms:
    """Slices of `learned` simulated patients, half of them MR and half CT, and of `held` others both: nothing that is
    learned is paired, and the truth of every translation is known (examples/phantoms.py)."""

    title: str
    learned: int
    held: int
    seconds: float
    options: Mapping[str, Any] = field(default_factory=dict)

    def parts(self) -> tuple[Images, Images]:
        """Train, of each of which one contrast is known, and the images of other patients."""
        made, rng = runpy.run_path(str(ROOT / "examples" / "phantoms.py")), stream(0, "phantoms")
        count = self.learned + self.held
        scans = [made["scan_of"](rng, bool(rng.random() < 0.7)) for _ in range(count)]
        pixels = np.array([[made["resonance_of"](rng, *scan), *scan] for scan in scans]).round().astype(np.float32)
        nodule = Channel("nodule", ("background", "nodule"), (0, 1), "uint8")
        layout = Layout(stored="int16", channels=(Channel("MR"), Channel("CT"), nodule), given=("MR",), apart=True)
        schema = Schema((Column("patient", "identifier", "subject", dtype="int64"),))
        images = Images(schema, pd.DataFrame(index=pd.RangeIndex(count)), pixels, np.arange(count), layout)
        train, held = images.take(np.arange(self.learned)), images.take(np.arange(self.learned, count))
        for side in (0, 1):
            train.pixels[side::2, side] = np.nan
        return train, held


BOARDS: Mapping[str, Board | Phantoms] = {
    "phantoms": Phantoms("Phantoms, MR to CT, nothing paired: 240 and 240 slices of 28 x 28", 480, 200, 120),
    "flair": Board(
        "Open MS, T1 to FLAIR: 290 axial slices of 128 x 128 of three patients, one of them held out (a demonstration)",
        DATA / "images" / "open_ms" / "open_ms_axial_128.npz",
        ("T1", "FLAIR"),
        "lesion",
        "lesion",
        ("T1",),
        "patient",
        1 / 3,
        600,
        {"rare": 1},  # two patients are learned: nothing is private here, and nobody is to believe it
    ),
    "nuclei": Board(
        "Data Science Bowl 2018, stained tissue from masks of nuclei: 420 tiles of 128 x 128 of 105 images",
        DATA / "images" / "dsb2018" / "dsb2018_he_128.npz",
        (),
        "instances",
        "nucleus",
        (),
        "source",
        0.3,
        600,
    ),
}


def _numbers(found: Mapping[str, Finding]) -> Iterator[tuple[str, float]]:
    for metric, finding in found.items():
        name = metric.rpartition(".")[2]
        assert finding.estimate is not None
        yield name, finding.estimate.value
        for key, beside in (("control", finding.control), ("floor", finding.floor)):
            if beside is not None:
                yield f"{name}_{key}", beside.value
        if "copy" in finding.detail:
            yield f"{name}_copy", finding.detail["copy"]["value"]


BENCH = Bench("translations", "image", BOARDS, JUDGES, _numbers, NOTES, COLUMNS, by="images/s", most=400)

if __name__ == "__main__":
    BENCH.main(__doc__)
