"""Fit, sample and judge on open data: python -m bench.boards --board adult --seeds 3 [--peers tabular_argn ...]

Every contender gets the same 80/20 split by patient and the same time budget, and is judged by the package's own judges
in the same process. "real against real" judges train against holdout, "marginals" is the floor. Medians over the seeds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.contenders import PEERS, Attempt, ours, peer
from bench.results import Row, write
from semblance import catalog
from semblance.app import stages
from semblance.core.dataset import split_by_subject
from semblance.core.modality import ReadOptions
from semblance.core.report import Report
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, from_frame, read

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SEMBLANCE_DATA", ROOT.parent / "shared" / "data"))
OURS = ("marginals", "copula", "autoregressive")
RARE = 5


@dataclass(frozen=True)
class Board:
    """One table with its target, and the seconds that every generator may learn."""

    title: str
    load: Callable[[], Table]
    time_budget: float


def _table(name: str, **options: str) -> Callable[[], Table]:
    return lambda: read([DATA / "tables" / name], ReadOptions(**options))[0]


def _flchain() -> Table:
    from semblance.app.demo import cohort

    return from_frame(cohort(), ReadOptions(target="death"))[0]


BOARDS = {
    "flchain": Board("FLChain without the cause of death, target death", _flchain, 25),
    "adult": Board("Adult, target income", _table("adult.csv.gz", target="income"), 60),
    "diabetes130": Board(
        "Diabetes-130, target readmitted",
        _table("diabetes130.zip", subject="patient_nbr", target="readmitted"),
        240,
    ),
}


def attempts(names: list[str], train: Table, *, seed: int, time_budget: float) -> Iterator[tuple[str, Attempt]]:
    """Every contender's records, one contender after the other."""
    yield "real against real", Attempt(train, 0.0, 0.0)
    for name in names:
        run = ours if name in OURS else peer
        yield name, run(name, train, seed=seed, time_budget=time_budget)


def judged(train: Table, holdout: Table, synthetic: Table, *, seed: int) -> Report:
    """The package's own judgement."""
    return stages.judge(
        catalog.modality("table"),
        train=train,
        holdout=holdout,
        synthetic=synthetic,
        seed=seed,
        tier="standard",
        rare=RARE,
        about={},
    )


def numbers(report: Report) -> dict[str, float]:
    """Finding id -> value."""
    return {f.metric: f.estimate.value for f in report.findings if f.estimate is not None}


def run(board: Board, *, seeds: int, peers: list[str], time_budget: float) -> list[Row]:
    """One row per contender, medians over the seeds."""
    table, rows = board.load(), dict[str, list[Row]]()
    for seed in range(seeds):
        train, holdout = split_by_subject(table, holdout=0.2, rng=stream(seed, "split"))
        for name, made in attempts([*OURS, *peers], train, seed=seed, time_budget=time_budget):
            values = numbers(judged(train, holdout, made.synthetic, seed=seed))
            rows.setdefault(name, []).append(Row(name, {"fit": made.fit, "sample": made.sample, **values}))
            print(f"seed {seed}  {name}: {made.fit:.1f} s", flush=True)
    return [_middle(name, tries) for name, tries in rows.items()]


def _middle(name: str, tries: list[Row]) -> Row:
    shared = set.intersection(*(set(row.values) for row in tries))
    return Row(name, {key: median(row.values[key] for row in tries) for key in shared})


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.boards", description=__doc__)
    parser.add_argument("--board", choices=BOARDS, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=[], choices=PEERS)
    parser.add_argument("--time-budget", type=float, help="seconds for fitting; the board's own when not given")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results")
    args = parser.parse_args()
    board = BOARDS[args.board]
    budget = board.time_budget if args.time_budget is None else args.time_budget
    rows = run(board, seeds=args.seeds, peers=args.peers, time_budget=budget)
    print(write(args.out / f"{args.board}.md", board.title, rows, seeds=args.seeds, time_budget=budget))


if __name__ == "__main__":
    main()
