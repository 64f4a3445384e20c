"""Generators of images on real data: python -m bench.images --board pneumoniamnist --contenders real floor diffusion

A contender learns the training images and draws new ones, which our own judges compare with the images that the
board's makers held out (bench.own).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.boards import DATA
from bench.contenders import Peer
from bench.own import COST, Bench, Guests
from bench.results import Columns
from semblance.core.dataset import split_by_subject
from semblance.core.modality import ReadOptions
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.read import read

NOTES = """\
# Generators of images

Each contender learns the training images for as many seconds of a processor and draws 2,000 new ones; judges compare
them with the images that the board's makers held out. With CUDA the seconds are those of the clock. Peers learn in an
environment of their own (bench/README.md).

- fit s, CPU s: seconds of the clock and of processors for planning and fitting; GiB: the most memory so far; images/s:
  by the clock, and for each second of a processor (where the machine does other work, only these compare)
- FID: Fréchet distance from held-out images over that of train, with 1,000 images a side: by a classifier that learned
  from train, by fixed random convolutions, by radiomics. 1 is as near as real images are
- alike: difference of the mean MS-SSIM among images of a label from that of real ones; spectrum: decibels; brightness:
  share of the range; precision, recall, coverage: in the modality's embedding
- TSTR: macro AUC over labels on held-out images of boosted trees that learned synthetic ones; TRTR: real ones;
  right: the share of held-out images whose label they find
- copies: share of images that are more like a training image than 99 % of held-out ones, less 1 %
- real against real: train in the place of new images, another sample of it where not all are looked at. Its copies are
  of themselves
"""
COLUMNS: Columns = {
    **COST,
    "images/s": ("pace", 0),
    "images/CPU s": ("pace_cpu", 0),
    "FID classifier": ("image_fid_domain", 2),
    "FID random": ("image_fid_bank", 2),
    "FID radiomics": ("image_fid_radiomics", 2),
    "alike": ("image_similarity", 3),
    "spectrum": ("image_spectrum", 2),
    "brightness": ("image_histogram", 3),
    "precision": ("precision", 2),
    "recall": ("recall", 2),
    "coverage": ("coverage", 2),
    "TSTR": ("tstr", 3),
    "TRTR": ("trtr", 3),
    "TSTR right": ("tstr_right", 3),
    "TRTR right": ("trtr_right", 3),
    "copies": ("copies", 3),
}
_HERE = "semblance.modalities.image.metrics"
JUDGES = (
    f"{_HERE}.frechet:frechet",
    f"{_HERE}.similarity:similarity",
    f"{_HERE}.spectrum:power_spectrum",
    f"{_HERE}.histogram:histogram",
    f"{_HERE}.copies:copies",
    "semblance.evaluate.fidelity.coverage:coverage",
    "semblance.evaluate.utility.transfer:transfer",
)


@dataclass(frozen=True)
class Board:
    """An archive of images with a holdout of its own, and the seconds that a generator may learn."""

    title: str
    path: Path
    seconds: float
    options: Mapping[str, Any] = field(default_factory=dict)

    def parts(self) -> tuple[Images, Images]:
        """Train, and what is held out."""
        images, _ = read([self.path], ReadOptions())
        return split_by_subject(images, holdout=0.2, rng=stream(0, "split"))


BOARDS = {
    "pneumoniamnist": Board(
        "PneumoniaMNIST, 5,232 radiographs of 28 x 28, 2 labels", DATA / "images" / "pneumoniamnist", 600
    ),
    "mednist": Board("MedNIST, 6,000 images of 64 x 64, 6 modalities", DATA / "images" / "mednist", 600),
    "gpu": Board("MedNIST learned with CUDA, by the clock", DATA / "images" / "mednist", 600, {"device": "cuda"}),
}


def _numbers(found: Mapping[str, Finding]) -> Iterator[tuple[str, float]]:
    for metric, finding in found.items():
        assert finding.estimate is not None
        if metric == "utility.tstr.boosting":
            yield "tstr", finding.estimate.value
            assert finding.control is not None
            yield "trtr", finding.control.value
            for name, side in (("tstr_right", "synthetic"), ("trtr_right", "real")):
                yield name, finding.detail["accuracy"][side]["value"]
        elif not metric.startswith("utility."):
            yield metric.rpartition(".")[2], finding.estimate.value


def _peer(part: str, title: str, package: str = "torch") -> Peer:
    return Peer(title, "images", "image_networks.py", part, package)


PEERS = {  # not by the bare names, which are those of our own
    "monai_ddpm": _peer("monai_ddpm", "MONAI DDPM", "monai"),
    "denoising_diffusion": _peer("denoising_diffusion", "denoising-diffusion-pytorch", "denoising-diffusion-pytorch"),
    "plain_dcgan": _peer("dcgan", "DCGAN, torch"),
}


def give(train: Images, path: Path, n: int, rng: np.random.Generator) -> None:
    """Images between 0 and 1 with codes of labels, and the labels of `n` new ones, as often as they come."""
    low, high = _ends(train)
    codes = np.unique(train.labels, return_inverse=True)[1]
    images = ((train.pixels - low) / (high - low)).astype(np.float32)
    np.savez(path, images=images, labels=codes, wanted=rng.choice(codes, n))


def take(path: Path, train: Images) -> Images:
    """What a peer drew, in the units of train; each image is of a patient of its own."""
    low, high = _ends(train)
    with np.load(path, allow_pickle=False) as held:
        pixels, codes = low + held["images"] * (high - low), held["labels"]
    target = train.schema.where("target")
    assert target is not None
    kind = train.frame[target.name].dtype
    frame = pd.DataFrame({target.name: pd.Categorical(np.unique(train.labels)[codes], dtype=kind)})
    stored = train.layout.numbers(pixels) * train.layout.slope + train.layout.intercept
    return Images(train.schema, frame, stored.astype(np.float32), np.arange(len(codes)), train.layout, anonymous=True)


def _ends(train: Images) -> tuple[float, float]:
    return float(train.pixels.min()), float(train.pixels.max())


GUESTS = Guests(PEERS, give, take)
BENCH = Bench("images", "image", BOARDS, JUDGES, _numbers, NOTES, COLUMNS, "image_fid_domain", 2_000, GUESTS)

if __name__ == "__main__":
    BENCH.main(__doc__)
