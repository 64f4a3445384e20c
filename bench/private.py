"""Differentially private generators beside their peers: python -m bench.private --board adult --contenders pairwise

Every contender gets the same 80/20 split, machine and budget, and the declared schema, which is all that is public.
Peers get the codes of bench.discrete. Raw numbers go into results/private.json, where a contender's row replaces its
older one and all others stay, and from there into results/private.md and results/private.svg.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd

from bench import scores
from bench.boards import DATA, ROOT
from bench.contenders import Attempt, Peer, ended, environment, installed, launched, read_table, write_table
from bench.discrete import CELLS, EXACT, Discrete
from bench.results import GRID, OUT, PRIVATE_CONTROLS, REAL, Book, Columns, Row, Section, Try, made, put, told
from bench.scale import COLOURS, HEIGHT, LEFT, TOP, WIDTH, Axis
from bench.watch import Limits
from semblance.core.dataset import split_by_subject
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import read_declared

HOLDOUT = 0.2
ATTACKED = 30_000  # records of train and of holdout, at most
BARE = ", not private"
EPSILONS = (0.1, 0.5, 1.0, 3.0, 10.0)
EXPONENT = 1.1  # delta is the number of learned records to the power of minus this
START, SAMPLING = 60, 120  # seconds beside those of the fit: for imports and reading, and for sampling
OURS = ("pairwise", "local", "autoregressive", "diffusion", "vae", "wgan_gp", "pate_gan")
NAKED = {f"{name}_naked": name for name in ("autoregressive", "smote")}
"""Generators without privacy beside them: what it costs, and what one leaks that repeats its records."""
PEERS = {
    **{
        f"opendp_{part}": Peer(f"OpenDP {title}", "opendp_mbi", "opendp_contingency.py", part, "opendp")
        for part, title in {"mst": "MST", "aim": "AIM"}.items()
    },
    **{
        f"dpmm_{part}": Peer(f"dpmm {title}", "dpmm", "dpmm_models.py", part, "dpmm")
        for part, title in {"mst": "MST", "aim": "AIM", "priv_bayes": "PrivBayes"}.items()
    },
    **{
        f"smartnoise_{part}": Peer(
            f"SmartNoise {title}", "smartnoise", "smartnoise_synthesizers.py", part, "smartnoise-synth"
        )
        for part, title in {"mst": "MST", "aim": "AIM", "dpctgan": "DP-CTGAN"}.items()
    },
    "tabular_argn_dp": Peer(
        "MOSTLY AI TabularARGN, DP-SGD", "tabular_argn", "tabular_argn_private.py", "", "mostlyai-engine"
    ),
}
COLUMNS: Columns = {
    "pair": ("pair", 3),
    "TSTR gb": ("tstr_gb", 3),
    "TSTR lr": ("tstr_lr", 3),
    "C2ST": ("c2st", 3),
    "subgroup": ("subgroup", 3),
    "membership": ("gap", 3),
    "±": ("gap_margin", 3),
    "fit s": ("fit", 1),
    "CPU s": ("cpu", 1),
    "sample s": ("sample", 1),
    "GiB": ("peak", 1),
}
NOTES = f"""\
# Differentially private table generators beside their peers

Medians over the seeds of random 80/20 splits. All contenders learn the same part under the same epsilon, with delta the
number of learned records to the power of -{EXPONENT:g}; neighbours differ in one record that is there or not. Each
patient has one record: of Diabetes-130 one encounter of each patient was chosen at random, the same one for all.

- What is public is the declared schema: categories, bounds, combinations that are listed. Peers get codes of it, so
  none spends budget on preprocessing: whole numbers in a range of at most {EXACT} stand for themselves, wider ones lie
  in at most {CELLS} cells whose borders ours has as well, and a value is drawn evenly from its cell. The row "{GRID}"
  shows what this alone costs. Peers run with their defaults, but OpenDP's and SmartNoise's MST and AIM draw records one
  by one: the rounding of mbi 1.1.0, which they pin, makes columns depend on each other that do not
- pair: mean TV over all pairs of columns, numbers in 10 bins of the quantiles of train; lower is better
- TSTR: AUC on holdout of boosting (gb) and of a linear model (lr) that learned the records
- C2ST: AUC of boosting that tells synthetic from holdout, 3-fold, equal sizes, never below .5
- subgroup: mean over the groups of the protected columns, with at least {scores.GROUP} records of holdout, of the TV
  between the shares of the target in the synthetic records and in holdout
- membership: how much more often a train record than a holdout record is nearer to the synthetic ones, with half the
  width of its 95% interval; 0 is best. "{OUT}" shows the scale, and "{REAL}" the noise: there one half of
  train stands for the synthetic records, while the other half is attacked. Where ± is above .02 of Adult, only 5,000
  records a side were attacked
- not private: generators of ours without a guarantee; smote draws between records and their neighbours
- fit, sample: seconds, for as many records as were learned; CPU: seconds that the fit kept processors busy. Where the
  clock says much more, other work shared the machine, and a contender that did not finish may do so on an idle one.
  GiB: peak memory of the whole process with its workers
- not finished: the process took longer than the limit of the fit and {START + SAMPLING} s for all else

![Pairs and TSTR by epsilon](private.svg)
"""


@dataclass(frozen=True)
class Board:
    """A table with its declared schema, its target and its protected columns; one record of each patient, and only
    `rows` of them, if given."""

    title: str
    file: str
    schema: str
    target: str
    protected: tuple[str, ...]
    rows: int | None = None

    def load(self) -> Table:
        """The records under the declared schema; where some are left out, the same ones stay every time."""
        declared = tomllib.loads((ROOT / "examples" / self.schema).read_text(encoding="utf-8"))
        table, _ = read_declared([DATA / "tables" / self.file], ReadOptions(None, self.target, declared, None, 5))
        order = stream(0, "bench", "rows").permutation(len(table))
        # Peers know no patients, and protect a record: it is a patient for all of them here.
        first = np.sort(np.unique(table.subjects[order], return_index=True)[1])
        return table.take(np.sort(order[first][: self.rows]))


ADULT = ("adult.csv.gz", "adult.toml", "income", ("sex", "race"))
DIABETES = ("diabetes130.zip", "diabetes130.toml", "readmitted", ("gender", "race"))
BOARDS = {
    "adult": Board("Adult", *ADULT),
    "adult-10k": Board("10,000 records of Adult", *ADULT, rows=10_000),
    "diabetes130": Board("Diabetes-130", *DIABETES),
}


@dataclass(frozen=True)
class Budget:
    """What every contender may spend."""

    epsilon: float
    delta: float

    @classmethod
    def of(cls, train: Table, epsilon: float) -> Budget:
        """The usual delta for so many records."""
        return cls(epsilon, len(train) ** -EXPONENT)


def attempt(name: str, train: Table, budget: Budget | None, *, seed: int, limits: Limits) -> Attempt:
    """A contender learns `train` under a budget and draws as many records, in a process of its own that is watched."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        job = {"name": name, "rows": len(train), "kept": True, "seed": seed, "time_budget": limits.seconds / 2}
        job |= {} if budget is None else {"epsilon": budget.epsilon, "delta": budget.delta}
        job |= {"train": str(folder / "train.parquet"), "out": str(folder / "out.parquet")}
        if name in OURS or name in NAKED:
            job["name"] = NAKED.get(name, name)
            write_table(train, folder / "train.parquet")
            ran = launched([sys.executable, "-m", "bench.alone"], job, limits, cwd=ROOT)
            return ended(ran, folder / "out.parquet", read_table)
        python = environment(PEERS[name]) / "bin" / "python"
        if not python.exists():
            return Attempt("failed", 0.0, 0.0, 0.0, said="no environment: make private-peers")
        codes = Discrete.of(train.schema)
        codes.coded(train).to_parquet(folder / "train.parquet")
        job |= {"part": PEERS[name].part, "sizes": codes.sizes, "missing": codes.missing}
        ran = launched([python, ROOT / "bench" / "peers" / PEERS[name].script], job, limits, cwd=folder)
        rng = stream(seed, "bench", "cells")
        return ended(ran, folder / "out.parquet", lambda path: codes.decoded(pd.read_parquet(path), rng=rng))


def row(name: str, board: Board, table: Table, epsilon: float, args: argparse.Namespace) -> Row:
    """All seeds of a contender; where one does not finish, no other is tried."""
    limits, tries = Limits(args.seconds + START + SAMPLING, args.memory), []
    for seed in range(args.seeds):
        train, holdout = split_by_subject(table, holdout=HOLDOUT, rng=stream(seed, "split"))
        if name in PRIVATE_CONTROLS:
            one = controlled(name, board, train, holdout, seed=seed)
        else:
            budget = None if name in NAKED else Budget.of(train, epsilon)
            done = attempt(name, train, budget, seed=seed, limits=limits)
            one = tried(done, board, train, holdout, seed=seed)
        tries.append(one)
        print(f"{args.board}, epsilon {epsilon:g}, {name}, seed {seed}: {one}", flush=True)
        if one.outcome != "finished":
            break
    return Row(title(name), tuple(tries), made("private"))


def tried(done: Attempt, board: Board, train: Table, holdout: Table, *, seed: int) -> Try:
    """One contender on one split."""
    if done.made is None:
        return Try(done.outcome, done.fit, said=done.said or f"{done.cpu:.0f} s of processors")
    gap = scores.membership(train, holdout, done.made, seed=seed, most=ATTACKED)
    took = {"fit": done.fit, "sample": done.sample, "peak": done.peak, "cpu": done.cpu}
    return Try("finished", values={**took, **scored(board, train, holdout, done.made, gap, seed=seed)})


def controlled(name: str, board: Board, train: Table, holdout: Table, *, seed: int) -> Try:
    """Train in the place of the synthetic records, as it is or on the grid that peers get."""
    codes = Discrete.of(train.schema)
    records = codes.decoded(codes.coded(train), rng=stream(seed, "bench", "cells")) if name == GRID else train
    if name == REAL:
        gap = scores.floor(train, holdout, seed=seed, most=ATTACKED)
    else:
        gap = scores.membership(train, holdout, records, seed=seed, most=ATTACKED)
    return Try("finished", values=scored(board, train, holdout, records, gap, seed=seed))


def scored(
    board: Board, train: Table, holdout: Table, synthetic: Table, gap: scores.Gap, *, seed: int
) -> dict[str, float]:
    """The numbers of one set of records."""
    learned = scores.tstr(train, holdout, synthetic, seed=seed)
    return {
        "shape": scores.shape(holdout, synthetic),
        "pair": scores.pair(train, holdout, synthetic),
        **{f"tstr_{model}": value for model, value in learned.items()},
        "c2st": scores.c2st(train, holdout, synthetic, seed=seed),
        "subgroup": scores.subgroups(holdout, synthetic, board.protected),
        "gap": gap.value,
        "gap_margin": gap.margin,
    }


def title(name: str) -> str:
    """A peer with its version; ours as in the catalogue."""
    peer = PEERS.get(name)
    if name in NAKED:
        return f"{NAKED[name]}{BARE}"
    return name if peer is None else f"{peer.title} {installed(environment(peer), peer.package)}"


# The page and its picture


def write(book: Book, out: Path) -> None:
    """The page, board by board from the least epsilon to the largest, and the picture beside it."""
    ordered = dict(sorted(book.items(), key=lambda one: _place(one[0])))
    out.write_text(told(ordered, NOTES, COLUMNS, by="pair"), encoding="utf-8")
    if any(curves(book, board, "pair") for board in BOARDS):
        out.with_suffix(".svg").write_text(plot(book), encoding="utf-8")


def _place(section: str) -> tuple[int, float]:
    board, _, epsilon = section.rpartition(" ")
    return list(BOARDS).index(board), float(epsilon)


@dataclass(frozen=True)
class Curve:
    """What a generator reaches at each epsilon."""

    name: str
    points: tuple[tuple[float, float], ...]


def curves(book: Book, board: str, key: str) -> list[Curve]:
    """One curve for each generator of a board that finished at any epsilon."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, section in book.items():
        at, _, epsilon = name.rpartition(" ")
        rows = section.rows.values() if at == board else ()
        for one in (one for one in rows if one.name not in PRIVATE_CONTROLS and not one.name.endswith(BARE)):
            value = one.middle(key)
            if value is not None:
                found.setdefault(one.name, []).append((float(epsilon), value))
    return [Curve(name, tuple(sorted(points))) for name, points in found.items()]


PANELS = {"pair": "mean TV of pairs", "tstr_gb": "TSTR, boosting"}
GAP = 64  # pixels between panels
MORE = ("#d1495b", "#00798c", "#a4a61d", "#6b4226")


def plot(book: Book) -> str:
    """Two panels for each board, over epsilon on a logarithmic axis; a generator has the same colour everywhere."""
    boards = [board for board in BOARDS if curves(book, board, "pair")]
    names = sorted({curve.name for board in boards for curve in curves(book, board, "pair")})
    names.sort(key=lambda name: name not in OURS)
    colours = dict(zip(names, cycle((*COLOURS, *MORE)), strict=False))
    wide, high = LEFT + 2 * (WIDTH + GAP) + 190, len(boards) * (TOP + HEIGHT + GAP)
    parts = [f'<rect width="{wide}" height="{high}" fill="white"/>']
    for i, board in enumerate(boards):
        for j, (key, what) in enumerate(PANELS.items()):
            place = (LEFT + j * (WIDTH + GAP), TOP + i * (TOP + HEIGHT + GAP))
            parts += _panel(curves(book, board, key), f"{BOARDS[board].title}: {what}", colours, *place)
    for i, (name, colour) in enumerate(colours.items()):
        parts.append(f'<text x="{wide - 240}" y="{TOP + 12 + 18 * i}" fill="{colour}">{name}</text>')
    head = f'viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="11"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {head}>', *parts, "</svg>", ""])


def _panel(shown: Sequence[Curve], heading: str, colours: Mapping[str, str], left: float, top: float) -> Iterator[str]:
    x = Axis.over([epsilon for curve in shown for epsilon, _ in curve.points], start=left, length=WIDTH)
    values = [value for curve in shown for _, value in curve.points]
    low, high = np.floor(10 * min(values)) / 10, np.ceil(10 * max(values)) / 10
    bottom = top + HEIGHT
    yield f'<text x="{left}" y="{top - 12}" font-size="13">{heading}</text>'
    for tick in x.ticks:
        yield f'<line x1="{x.at(tick):.1f}" y1="{top}" x2="{x.at(tick):.1f}" y2="{bottom}" stroke="#e4e4e4"/>'
        yield f'<text x="{x.at(tick):.1f}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>'
    for tick in np.linspace(low, high, 1 + round(10 * (high - low))):
        y = bottom - HEIGHT * (tick - low) / (high - low)
        yield f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDTH}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        yield f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{tick:.1f}</text>'
    yield f'<text x="{left + WIDTH / 2}" y="{bottom + 32}" text-anchor="middle">epsilon</text>'
    for curve in shown:
        colour = colours[curve.name]
        places = [(x.at(at), bottom - HEIGHT * (value - low) / (high - low)) for at, value in curve.points]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        yield from (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places)


# The command line


def contenders(words: Sequence[str]) -> list[str]:
    """The names that the words stand for: 'real', 'ours' and 'peers' are groups, any other word is a contender."""
    groups = {"real": [*PRIVATE_CONTROLS, *NAKED], "ours": list(OURS), "peers": list(PEERS)}
    return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))


def run(args: argparse.Namespace) -> None:
    """Every contender at every epsilon; each row is written as soon as it is there."""
    board, raw = BOARDS[args.board], args.out.with_suffix(".json")
    table, controls = board.load(), {}
    for name in contenders(args.contenders):
        for epsilon in args.epsilons:
            found = controls.get(name) or row(name, board, table, epsilon, args)
            if name in PRIVATE_CONTROLS or name in NAKED:
                controls[name] = found
            heading = f"{board.title}, epsilon {epsilon:g}; {len(table):,} records, {len(table.schema.learned)} columns"
            book = put(raw, f"{args.board} {epsilon:g}", Section(heading, rows={found.name: found}))
            write(book, args.out)


def main() -> None:
    """The command line."""
    words = ["real", "ours", "peers"]
    parser = argparse.ArgumentParser(prog="python -m bench.private", description=__doc__)
    parser.add_argument("--board", choices=BOARDS, required=True)
    parser.add_argument("--contenders", nargs="+", default=words, choices=[*words, *OURS, *NAKED, *PEERS])
    parser.add_argument("--epsilons", nargs="+", type=float, default=EPSILONS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=600, help="the most seconds of one fit")
    parser.add_argument("--memory", type=float, default=16, help="the most memory of one, GiB")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "private.md")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
