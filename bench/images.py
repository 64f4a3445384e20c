"""Generators of images on real data: python -m bench.images --board pneumoniamnist --contenders real floor diffusion

A contender learns the training images and draws new ones, which our own judges compare with the images that the
board's makers held out. A row is written after every contender, into results/images.json and from there into
results/images.md.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.boards import DATA, ROOT
from bench.peers.judging import peak
from bench.results import REAL, Row, Section, Try, made, put, told
from semblance import catalog
from semblance.core.dataset import Evidence, split_by_subject
from semblance.core.modality import ReadOptions, load
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images, concat
from semblance.modalities.image.read import read

DRAWN = 2_000
NOTES = """\
# Generators of images

Each contender learns the training images within a budget and draws 2,000 new ones; judges compare them with the
images that the board's makers held out. No peers yet.

- fit s, CPU s: seconds of the clock and of processors for planning and fitting; GiB: the most memory so far; images/s:
  by the clock, and for each second of a processor (where the machine does other work, only these compare)
- FID: Fréchet distance from held-out images over that of train, with 1,000 images a side: by a classifier that learned
  from train, by fixed random convolutions, by radiomics. 1 is as near as real images are
- alike: difference of the mean MS-SSIM among images of a label from that of real ones; spectrum: decibels; brightness:
  share of the range; precision, recall, coverage: in the modality's embedding
- TSTR: macro AUC over labels on held-out images of boosted trees that learned synthetic ones; TRTR: real ones
- copies: share of images that are more like a training image than 99 % of held-out ones, less 1 %
- real against real: train in the place of new images, another sample of it where not all are looked at. Its copies are
  of themselves
"""
COLUMNS = {
    "fit s": ("fit", 0),
    "CPU s": ("cpu", 0),
    "GiB": ("peak", 1),
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
    "copies": ("copies", 3),
}
JUDGES = (
    *("frechet:frechet", "similarity:similarity", "spectrum:power_spectrum", "histogram:histogram", "copies:copies"),
)
SHARED = ("fidelity.coverage:coverage", "utility.transfer:transfer")


@dataclass(frozen=True)
class Board:
    """An archive of images with a holdout of its own, and the seconds that a generator may learn."""

    title: str
    path: Path
    seconds: float

    def parts(self) -> tuple[Images, Images]:
        """Train, and what is held out."""
        images, _ = read([self.path], ReadOptions())
        return split_by_subject(images, holdout=0.2, rng=stream(0, "split"))


BOARDS = {
    "pneumoniamnist": Board(
        "PneumoniaMNIST, 5,232 radiographs of 28 x 28, 2 labels", DATA / "images" / "pneumoniamnist", 600
    ),
    "mednist": Board("MedNIST, 6,000 images of 64 x 64, 6 modalities", DATA / "images" / "mednist", 600),
}


def drawn(name: str, train: Images, seconds: float, *, seed: int) -> tuple[Images, dict[str, float]]:
    """New images, and what they cost."""
    spec: Any = catalog.modality("image").generator(name)()
    times = [_now()]
    plan = spec.plan(train, rng=stream(seed, "plan"), time_budget=seconds)
    model = spec.fit(train, rng=stream(seed, "fit"), plan=plan)
    times.append(_now())
    new = concat(list(model.sample(min(len(train), DRAWN), rng=stream(seed, "sample"))))
    times.append(_now())
    (fit, cpu), (sample, busy) = np.diff(times, axis=0).tolist()
    return new, {"fit": fit, "cpu": cpu, "peak": peak(), "pace": len(new) / sample, "pace_cpu": len(new) / busy}


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def judged(train: Images, holdout: Images, new: Images, *, seed: int) -> dict[str, float]:
    """What the judges say of new images."""
    evidence = Evidence(train, holdout, new, catalog.modality("image"), seed=seed)
    paths = [f"semblance.modalities.image.metrics.{name}" for name in JUDGES]
    paths += [f"semblance.evaluate.{name}" for name in SHARED]
    found = {f.metric: f for path in paths for f in load(path)(evidence) if f.status == "measured"}
    return dict(_numbers(found))


def _numbers(found: dict[str, Finding]) -> Iterator[tuple[str, float]]:
    for metric, finding in found.items():
        assert finding.estimate is not None
        if metric == "utility.tstr.boosting":
            yield "tstr", finding.estimate.value
            assert finding.control is not None
            yield "trtr", finding.control.value
        elif not metric.startswith("utility."):
            yield metric.rpartition(".")[2], finding.estimate.value


def attempt(name: str, board: Board, seconds: float, *, seed: int) -> Try:
    """A contender on a board."""
    train, holdout = board.parts()
    if name == REAL:
        return Try("finished", values=judged(train, holdout, train, seed=seed))
    new, cost = drawn(name, train, seconds, seed=seed)
    return Try("finished", values={**cost, **judged(train, holdout, new, seed=seed)})


def run(args: argparse.Namespace) -> None:
    """Every contender; its row is written after every seed."""
    board = BOARDS[args.board]
    seconds = board.seconds if args.seconds is None else args.seconds
    for name in args.contenders:
        tries: tuple[Try, ...] = ()
        for seed in range(args.seeds):
            tries = (*tries, attempt(name, board, seconds, seed=seed))
            threads = f", OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}"
            row = Row(name, tries, made("images", versions=threads))
            section = Section(f"{board.title}; {seconds:g} s", "", {name: row})
            book = put(args.out.with_suffix(".json"), f"{args.board} {seconds:g}", section)
            args.out.write_text(told(book, NOTES, COLUMNS, by="image_fid_domain"), encoding="utf-8")
            print(name, ", ".join(f"{key} {value:.3f}" for key, value in tries[-1].values.items()), flush=True)


def contenders(words: Sequence[str]) -> list[str]:
    """The names that the words stand for: 'real' and 'ours' are groups, any other word is a contender."""
    groups = {"real": [REAL], "ours": list(catalog.modality("image").generators)}
    return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))


def main() -> None:
    """The command line."""
    words = ["real", "ours"]
    parser = argparse.ArgumentParser(prog="python -m bench.images", description=__doc__)
    parser.add_argument("--board", choices=[*BOARDS], default="pneumoniamnist")
    parser.add_argument("--contenders", nargs="+", default=words, choices=[*words, *contenders(["ours"])])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="seconds for fitting; the board's own when not given")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "images.md")
    args = parser.parse_args()
    args.contenders = contenders(args.contenders)
    run(args)


if __name__ == "__main__":
    main()
