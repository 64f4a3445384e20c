"""Generators of a modality on real data: those of the catalogue learn in this process, peers in their own, and our own
judges compare what they draw with held-out records.

A row is written after every seed, into results/NAME.json and from there into results/NAME.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psutil
import torch

from bench.boards import ROOT
from bench.contenders import Peer, environment, installed, launched
from bench.peers.judging import peak
from bench.results import REAL, Columns, Row, Section, Try, made, put, told
from bench.watch import GIB, Limits, by_processor
from semblance import catalog
from semblance.app import stages
from semblance.app.choose import build_spec
from semblance.core.dataset import Evidence
from semblance.core.errors import DataError, UsageError
from semblance.core.modality import load
from semblance.core.report import Finding
from semblance.core.rng import stream

COST: Columns = {"fit s": ("fit", 0), "CPU s": ("cpu", 0), "GiB": ("peak", 1)}


START, PATIENCE = 180, 6
"""Seconds of the clock for what a peer does before it learns, and how many budgets it may take in all."""


class Board(Protocol):
    """Real data, and the seconds that every generator may learn: of a processor, or, where `options` name a device, of
    the clock."""

    @property
    def title(self) -> str:
        """What it is."""
        ...

    @property
    def seconds(self) -> float:
        """How long a generator may learn."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """What a generator of the catalogue that has such options is told besides."""
        ...

    def parts(self) -> tuple[Any, Any]:
        """Train, and what is held out."""
        ...


@dataclass(frozen=True)
class Guests:
    """The `peers` of a bench: `give` writes what they learn to a path, with what `n` new records shall be, and `take`
    reads what they drew, as records like those of train."""

    peers: Mapping[str, Peer]
    give: Callable[[Any, Path, int, np.random.Generator], None]
    take: Callable[[Path, Any], Any]

    def title(self, name: str) -> str:
        """A peer with its version."""
        peer = self.peers[name]
        return f"{peer.title} {installed(environment(peer), peer.package)}"

    def drawn(
        self, name: str, train: Any, seconds: float, *, n: int, seed: int, device: str = "cpu"
    ) -> tuple[Any, dict[str, float]]:
        """New records of a peer, and what they cost. Raises RuntimeError where it came to none."""
        peer = self.peers[name]
        python = environment(peer) / "bin" / "python"
        if not python.exists():
            raise RuntimeError(f"no environment '{peer.environment}': make peers")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            given, out = folder / "train.npz", folder / "out.npz"
            self.give(train, given, n, stream(seed, "wanted"))
            job = {"train": str(given), "out": str(out), "seed": seed, "time_budget": seconds, "part": peer.part}
            job |= {"device": device}
            limits = Limits(START + PATIENCE * seconds, 0.9 * psutil.virtual_memory().total / GIB)
            ran = launched([python, ROOT / "bench" / "peers" / peer.script], job, limits, cwd=folder)
            if ran.outcome != "finished":
                raise RuntimeError(f"{ran.outcome} after {ran.seconds:.0f} s: {ran.said}")
            told = json.loads(out.with_suffix(".json").read_text())
            new = self.take(out, train)
        cost = {key: told[key] for key in ("fit", "cpu", "peak")}
        return new, {**cost, "pace": len(new) / told["sample"], "pace_cpu": len(new) / told["sample_cpu"]}


@dataclass(frozen=True)
class Bench:
    """A bench of `modality`, of the module bench.NAME: its `boards`, the `judges` ('module:attr') and the `numbers` of
    what they find; its page has `notes` and `columns`, and is ordered `by` one of them. `most` records are drawn."""

    name: str
    modality: str
    boards: Mapping[str, Board]
    judges: Sequence[str]
    numbers: Callable[[Mapping[str, Finding]], Iterator[tuple[str, float]]]
    notes: str
    columns: Columns
    by: str
    most: int
    guests: Guests | None = None

    def drawn(
        self, name: str, train: Any, holdout: Any, board: Board, seconds: float, *, seed: int
    ) -> tuple[Any, Any, dict[str, float]]:
        """New records, the holdout's as a model completes them (None where it does not), and what they cost. Raises
        RuntimeError where a peer came to none."""
        n = min(len(train), self.most)
        if self.guests is not None and name in self.guests.peers:
            device = board.options.get("device", "cpu")
            new, cost = self.guests.drawn(name, train, seconds, n=n, seed=seed, device=device)
            return new, None, cost
        manifest = catalog.modality(self.modality)
        spec = build_spec(manifest, name, offered=board.options, asked={})
        times = [_now()]
        plan = spec.plan(train, rng=stream(seed, "plan"), time_budget=seconds)
        model = spec.fit(train, rng=stream(seed, "fit"), plan=plan)
        times.append(_now())
        new: Any = stages.gather(manifest, model.sample(n, rng=stream(seed, "sample")))
        times.append(_now())
        (fit, cpu), (sample, busy) = np.diff(times, axis=0).tolist()
        completes = None if manifest.completed is None else load(manifest.completed)
        completed = completes and completes(model, holdout, rng=stream(seed, "completed"))
        cost = {"fit": fit, "cpu": cpu, "peak": peak(), "pace": len(new) / sample, "pace_cpu": len(new) / busy}
        return new, completed, cost

    def judged(self, train: Any, holdout: Any, new: Any, completed: Any = None, *, seed: int) -> dict[str, float]:
        """What the judges say of new records, and of the holdout's that were completed."""
        evidence = Evidence(train, holdout, new, catalog.modality(self.modality), seed=seed, completed=completed)
        found = [finding for path in self.judges for finding in load(path)(evidence)]
        return dict(self.numbers({one.metric: one for one in found if one.status == "measured"}))

    def attempt(self, name: str, board: Board, seconds: float, *, seed: int) -> Try:
        """A contender on a board."""
        train, holdout = board.parts()
        if name == REAL:
            return Try("finished", values=self.judged(train, holdout, train, seed=seed))
        try:
            new, completed, cost = self.drawn(name, train, holdout, board, seconds, seed=seed)
        except (RuntimeError, DataError, UsageError) as error:
            return Try("failed", said=str(error))
        return Try("finished", values={**cost, **self.judged(train, holdout, new, completed, seed=seed)})

    def run(self, args: argparse.Namespace) -> None:
        """Every contender; its row is written after every seed."""
        board = self.boards[args.board]
        seconds = board.seconds if args.seconds is None else args.seconds
        for name in args.contenders:
            tries: tuple[Try, ...] = ()
            for seed in range(args.seeds):
                tries = (*tries, self.attempt(name, board, seconds, seed=seed))
                threads = f", OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}"
                row = Row(self.title(name), tries, made(self.name, versions=threads + _gpu(board)))
                section = Section(f"{board.title}; {seconds:g} s", "", {row.name: row})
                book = put(args.out.with_suffix(".json"), f"{args.board} {seconds:g}", section)
                args.out.write_text(told(book, self.notes, self.columns, by=self.by), encoding="utf-8")
                print(name, ", ".join(f"{key} {value:.3f}" for key, value in tries[-1].values.items()), flush=True)

    def contenders(self, words: Sequence[str]) -> list[str]:
        """The names that the words stand for: 'real' and 'ours' are groups, any other word is a contender."""
        peers = [] if self.guests is None else list(self.guests.peers)
        groups = {"real": [REAL], "ours": list(catalog.modality(self.modality).generators), "peers": peers}
        return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))

    def title(self, name: str) -> str:
        """A peer with its version; ours as in the catalogue."""
        return self.guests.title(name) if self.guests is not None and name in self.guests.peers else name

    def main(self, about: str | None) -> None:
        """The command line."""
        words = ["real", "ours", *(["peers"] if self.guests is not None else [])]
        parser = argparse.ArgumentParser(prog=f"python -m bench.{self.name}", description=about)
        parser.add_argument("--board", choices=[*self.boards], default=next(iter(self.boards)))
        parser.add_argument("--contenders", nargs="+", default=words, choices=[*words, *self.contenders(words[1:])])
        parser.add_argument("--seeds", type=int, default=1)
        parser.add_argument("--seconds", type=float, help="to learn; the board's own when not given")
        parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / f"{self.name}.md")
        args = parser.parse_args()
        args.contenders = self.contenders(args.contenders)
        if "device" not in self.boards[args.board].options:
            by_processor()
        elif not torch.cuda.is_available():
            print(f"bench.{self.name}: board '{args.board}' needs CUDA, and PyTorch finds none here", file=sys.stderr)
            raise SystemExit(2)
        self.run(args)


def _gpu(board: Board) -> str:
    """On which GPU a board was learned."""
    return f", {torch.cuda.get_device_name(0)}" if "device" in board.options else ""


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
