"""Generators of signals beside their peers: python -m bench.signals --board mitbih --contenders real floor diffusion

The recordings (patients) are dealt into fixed folds. A contender learns the recordings outside a fold, alone in its
process, and bench.beats judges what it draws against the recordings inside it. A row is written after every fold, into
results/signals.json and from there into results/signals.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import psutil

from bench import beats, recorded
from bench.beats import Made, Tables, plain
from bench.boards import DATA, ROOT
from bench.contenders import Attempt, Peer, ended, environment, installed, launched
from bench.results import REAL, Row, Section, Try, made, put, told
from bench.watch import Limits
from semblance import catalog
from semblance.core.modality import ReadOptions
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.pieces import Cut
from semblance.modalities.signal.read import like, read

START = 180  # seconds for imports, reading and for what is drawn twice
TRIES = 6  # times the budget by the clock, for peers whose pace is tried out first and machines that are busy
NOTES = """\
# Generators of signals beside their peers

Heart beats, 256 samples of two leads at 250 Hz, of which both were measured (114 and 124 lack one). The recordings
(patients) are dealt into fixed folds; a contender learns the recordings outside a fold for as many seconds of a
processor, and is judged against those inside it. `folds` says of how many folds a row is made.
Medians over the seeds; means over the folds, but what classifiers answer for all held-out beats is counted together.

- fit s, CPU s: seconds of the clock and of processors for the fit; GiB: peak memory; beats/s: by the clock, and for
  each second of a processor (where the machine does other work, only these compare)
- told N, V: abs(accuracy - .5) of MiniRocket with a ridge that tells learned real beats from synthetic ones, tested on
  beats that it did not learn (5 folds of beats; the same recordings on both sides, as in TimeGAN's score). Ours draws
  these beats at the conditions of the learned ones: kind, intervals and style of the recording; they are joined to
  strips and cut again. 0 is best
- gru N, V: the same by TimeGAN's own judge, two layers of recurrent units of width 32, over 128 means of two samples
  (one fold)
- FID: context-FID of new recordings' beats against unseen patients', over that of train: 1 is as near as real patients
- spectrum: log-spectral distance (dB), amplitude: W1 of values and heights, RR: W1 of the intervals before and after a
  beat and of their ratio, over the middle 90 % of train's; of new recordings against unseen patients. Train's own are
  in the row of real against real
- TRTR, TSTR: macro F1 over N, S, V, F on unseen patients of boosted trees that learned train, or beats of new
  recordings: the answers of three draws, each of as many recordings as train, together; TSTR c: beats at the conditions
  of the learned ones; S: recall of S. TRTR is on the folds of the same row
- TRTS: macro F1 on beats of new recordings of trees that learned train
- 95 %: interval of the number before it, by drawing the held-out recordings anew, the classifiers as they are
- +S: percentage points of recall of S by adding synthetic S, V and F to train: those of recordings that were asked to
  have each kind of beat as often (`quota={"beat": "balanced"}`, so that many hearts have them); +S n: those of new
  recordings as they come, +S c: those at the conditions of the learned ones. Beside them two controls: the real ones
  repeated (+S rep), and jittered (+S jit). Peers draw one set, which stands in +S n
- F is descriptive: 372 of its 412 beats are of one recording
- peers know no patients and no rhythm: they draw one set of single beats, which is judged in both ways
- real against real: train in the place of new recordings; for `told` other beats of train
"""
COLUMNS = {
    "folds": ("folds", 0),
    "fit s": ("fit", 0),
    "CPU s": ("cpu", 0),
    "GiB": ("peak", 1),
    "beats/s": ("pace", 0),
    "beats/CPU s": ("pace_cpu", 0),
    "told N": ("told_N", 3),
    "told V": ("told_V", 3),
    "gru N": ("gru_N", 3),
    "gru V": ("gru_V", 3),
    "FID": ("fid", 2),
    "spectrum": ("spectrum", 2),
    "amplitude": ("amplitude", 3),
    "RR": ("intervals", 3),
    "TRTR": ("trtr", 3),
    "TSTR": ("tstr_new", 3),
    "TSTR 95 %": (("tstr_new_low", "tstr_new_high"), 2),
    "TSTR c": ("tstr_again", 3),
    "TRTS": ("trts", 3),
    "real S": ("trtr_s", 2),
    "TSTR S": ("tstr_new_s", 2),
    "TSTR S 95 %": (("tstr_new_s_low", "tstr_new_s_high"), 2),
    "TSTR c S": ("tstr_again_s", 2),
    "+S": ("gain_with_even", 1),
    "+S 95 %": (("gain_with_even_low", "gain_with_even_high"), 1),
    "+S n": ("gain_with_new", 1),
    "+S c": ("gain_with_again", 1),
    "+S rep": ("gain_repeated", 1),
    "+S jit": ("gain_jittered", 1),
}


@dataclass(frozen=True)
class Board:
    """Recordings of a folder, dealt into folds by name, and the seconds that every generator may learn."""

    title: str
    folder: Path
    folds: tuple[tuple[str, ...], ...]
    seconds: float

    def parts(self, k: int) -> tuple[list[str], list[str]]:
        """The files of the recordings outside fold `k`, and of those inside it."""
        inside = set(self.folds[k])
        names = sorted(name for fold in self.folds for name in fold)
        sides = ([name for name in names if name not in inside], sorted(inside))
        outside, held = ([str(self.folder / f"{name}.hea") for name in side] for side in sides)
        return outside, held


BOARDS = {
    "mitbih": Board(  # dealt so that each fold has patients with many S and with many V
        "MIT-BIH Arrhythmia, the 22 recordings of DS1",
        DATA / "signals" / "mitbih",
        (
            ("106", "112", "114", "203", "209"),
            ("101", "115", "119", "201", "223", "230"),
            ("108", "116", "122", "124", "205", "207"),
            ("109", "118", "208", "215", "220"),
        ),
        600,
    )
}


def _synthcity(part: str, title: str) -> Peer:
    return Peer(f"synthcity {title}", "synthcity", "synthcity_series.py", part, "synthcity")


PEERS = {  # not by the bare names, which are those of our own
    "synthcity_timegan": _synthcity("timegan", "TimeGAN"),
    "synthcity_timevae": _synthcity("timevae", "TimeVAE"),
}


@dataclass(frozen=True)
class Terms:
    """What every contender gets: seconds to learn, how many times as long it may take, GiB."""

    seconds: float
    patience: float
    memory: float

    @property
    def limits(self) -> Limits:
        """For the whole process."""
        return Limits(START + (self.patience + TRIES) * self.seconds, self.memory)


@dataclass(frozen=True)
class Fold:
    """How a contender did on one fold: how it ended, its numbers, and its classifiers' answers."""

    done: Attempt
    values: dict[str, float]
    tables: dict[str, Tables]


def fold(name: str, board: Board, k: int, terms: Terms, *, seed: int) -> Fold:
    """A contender on one fold."""
    outside, _ = board.parts(k)
    train, holdout = sides(board, k)
    if name == REAL:
        return judged(Attempt("finished", 0.0, 0.0, 0.0), {}, train, holdout, None, seed=seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        done, told = attempt(name, outside, train, folder, terms, seed=seed)
        if done.outcome != "finished":
            return Fold(done, {}, {})
        return judged(done, told, train, holdout, recorded.made(folder, train), seed=seed)


@cache
def sides(board: Board, k: int) -> tuple[Pieces, Pieces]:
    """The beats outside and inside a fold."""
    outside, inside = board.parts(k)
    train, _ = read(outside, ReadOptions())
    cut = Cut.of(train)
    leads = [lead.name for lead in cut.leads]
    holdout = like(inside, train.schema, leads=leads, rate=train.recordings[0].rate)
    return plain(cut.pieces(train)), plain(cut.pieces(holdout))


def attempt(
    name: str, files: list[str], train: Pieces, folder: Path, terms: Terms, *, seed: int
) -> tuple[Attempt, dict[str, float]]:
    """A contender learns and draws in a process of its own; what it drew lies in the folder."""
    job = {"name": name, "train": str(folder / "train.npz"), "out": str(folder / "out.npz"), "seed": seed}
    job |= {"time_budget": terms.seconds}
    if name not in PEERS:
        ran = launched([sys.executable, "-m", "bench.recorded"], {**job, "recordings": files}, terms.limits, cwd=ROOT)
    elif (python := environment(PEERS[name]) / "bin" / "python").exists():
        recorded.save(train, folder / "train.npz")
        script = ROOT / "bench" / "peers" / PEERS[name].script
        ran = launched([python, script], {**job, "part": PEERS[name].part}, terms.limits, cwd=folder)
    else:
        return Attempt("failed", 0.0, 0.0, 0.0, said="no environment: make signal-peers"), {}
    done = ended(ran, folder / "out.npz", None)
    answer = folder / "out.json"
    told = json.loads(answer.read_text()) if done.outcome == "finished" else {}
    return done, told


def judged(
    done: Attempt, told: dict[str, float], train: Pieces, holdout: Pieces, drawn: Made | None, *, seed: int
) -> Fold:
    """The numbers of what was drawn; of real beats where nothing was."""
    seen = beats.evidence(train, holdout, train if drawn is None else drawn.new, seed=seed)
    took: dict[str, float] = {key: told[key] for key in ("fit", "cpu") if key in told}
    if told:
        took |= {"peak": done.peak, "pace": told["beats"] / told["sample"]}
        took |= {"pace_cpu": told["beats"] / max(told["sample_cpu"], 1e-9)}
    differ = beats.discriminative(train, None if drawn is None else drawn.again, seed=seed)
    return Fold(done, {**took, **differ, **beats.alike(seen)}, beats.taught(seen, drawn))


def together(folds: Sequence[Fold]) -> Try:
    """One try of the folds so far; where one did not finish, neither did the try."""
    for one in folds:
        if one.done.outcome != "finished":
            return Try(one.done.outcome, one.done.fit, said=one.done.said)
    names = dict.fromkeys(key for one in folds for key in one.values)
    means = {key: float(np.mean([one.values[key] for one in folds if key in one.values])) for key in names}
    arms = [arm for arm in folds[0].tables if all(arm in one.tables for one in folds)]
    tables: dict[str, Tables] = {arm: np.concatenate([one.tables[arm] for one in folds]) for arm in arms}
    return Try("finished", values={"folds": len(folds), **means, **beats.summed(tables)})


def tries(name: str, board: Board, which: Sequence[int], terms: Terms, *, seeds: int) -> Iterator[tuple[Try, ...]]:
    """The tries so far, after every fold of every seed; none follows one that did not finish."""
    done: tuple[Try, ...] = ()
    for seed in range(seeds):
        folds: list[Fold] = []
        for k in which:
            folds.append(fold(name, board, k, terms, seed=seed))
            yield (*done, together(folds))
            if folds[-1].done.outcome != "finished":
                return
        done = (*done, together(folds))


def run(args: argparse.Namespace) -> None:
    """Every contender; its row is written after every fold."""
    board = BOARDS[args.board]
    seconds = board.seconds if args.seconds is None else args.seconds
    terms = Terms(seconds, args.patience, args.memory)
    which = range(len(board.folds)) if args.folds is None else args.folds
    for name in args.contenders:
        for sofar in tries(name, board, which, terms, seeds=args.seeds):
            found = Row(title(name), sofar, made("signals", versions=_threads()))
            heading = f"{board.title}; {len(board.folds)} folds, {seconds:g} s"
            book = put(
                args.out.with_suffix(".json"), f"{args.board} {seconds:g}", Section(heading, "", {found.name: found})
            )
            args.out.write_text(told(book, NOTES, COLUMNS, by="told_N"), encoding="utf-8")
            print(f"{name}: {_told(sofar[-1])}", flush=True)


def _threads() -> str:
    return f", OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}"


def _told(one: Try) -> str:
    numbers = ", ".join(f"{key} {value:.3f}" for key, value in one.values.items())
    return numbers if one.outcome == "finished" else f"{one.outcome} after {one.seconds:.0f} s {one.said}"


def title(name: str) -> str:
    """A peer with its version; ours as in the catalogue."""
    return f"{PEERS[name].title} {installed(environment(PEERS[name]), 'synthcity')}" if name in PEERS else name


def ours() -> tuple[str, ...]:
    """The names of the catalogue's generators of signals."""
    return tuple(catalog.modality("signal").generators)


def contenders(words: Sequence[str]) -> list[str]:
    """The names that the words stand for: 'real', 'ours' and 'peers' are groups, any other word is a contender."""
    groups = {"real": [REAL], "ours": list(ours()), "peers": list(PEERS)}
    return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))


def main() -> None:
    """The command line."""
    words, most = ["real", "ours", "peers"], psutil.virtual_memory().total / 2**30
    parser = argparse.ArgumentParser(prog="python -m bench.signals", description=__doc__)
    parser.add_argument("--board", choices=[*BOARDS], default="mitbih")
    parser.add_argument("--contenders", nargs="+", default=words, choices=[*words, *ours(), *PEERS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, help="seconds for fitting; the board's own when not given")
    parser.add_argument("--folds", type=int, nargs="+", help="only these folds, from 0; all when not given")
    parser.add_argument("--patience", type=float, default=2.5, help="fit may take so many budgets")
    parser.add_argument("--memory", type=float, default=round(0.9 * most, 1), help="the most memory of one, GiB")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "signals.md")
    args = parser.parse_args()
    args.contenders = contenders(args.contenders)
    run(args)


if __name__ == "__main__":
    main()
