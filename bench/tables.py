"""Table generators beside their peers: python -m bench.tables --board adult --contenders marginals sdv_ctgan

Every contender gets the same 80/20 split by patient, machine and budget, and is scored by bench.scores. Raw numbers go
into results/tables.json, where a contender's row replaces its older one and all others stay, and from there into
results/tables.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from bench import scores
from bench.boards import BOARDS, ROOT, SMALL, Board
from bench.contenders import PEERS, Attempt, attempt, environment, installed, ours
from bench.results import CONTROLS, REAL, Row, Section, Try, made, put, told
from bench.watch import Limits
from semblance.core.dataset import split_by_subject
from semblance.core.rng import stream
from semblance.modalities.table.data import Table

SMALL_TABLES = "small"
GROUP = "Small tables"
HOLDOUT = 0.2
START = 90  # seconds for imports and for reading the data
TRIES = 1.5  # times the budget, for peers whose pace is tried out first (bench/peers/exchange.py)
NOTES = """\
# Table generators beside their peers

Medians over the seeds of random 80/20 splits by patient. All contenders learn the same part within the same budget.

- fit, sample: seconds, for as many records as were learned; GiB: peak memory of the whole process with its workers
- shape: mean over columns of KS (numbers) or TV (categories, missing as a value) against holdout; lower is better
- pair: mean TV over all pairs of columns, numbers in 10 bins of the quantiles of train; lower is better
- C2ST: AUC of histogram gradient boosting that tells synthetic from holdout, 3-fold, equal sizes, never below .5
- TSTR: AUC (for a number: R2) on holdout of boosting (gb) and of a linear model (lr) that learned the records
- membership: how much more often a train patient than a holdout patient is nearer to the synthetic records, with half
  the width of its 95% interval; 0 is best
- real against real: train in the place of the synthetic records; for membership one half of train, while the other half
  is attacked, so it shows the noise
- train, drawn again: as many of the patients of train, with replacement. A model that knows the distribution of train
  exactly, and nothing beside it, makes such records: its C2ST is what cannot be beaten by learning train better
- not finished: fitting and sampling took longer than 2.5 times the budget (or what --patience says)
"""


@dataclass(frozen=True)
class Terms:
    """What every contender gets: seconds to learn, how many times as long it may take, GiB, seeds, seconds to start."""

    time_budget: float
    patience: float
    memory: float
    seeds: int
    start: float = START

    @property
    def limits(self) -> Limits:
        """For the whole process."""
        return Limits(self.start + (self.patience + TRIES) * self.time_budget, self.memory)

    def kept(self, done: Attempt) -> Attempt:
        """A contender that finished too late did not finish."""
        late = done.outcome == "finished" and done.fit + done.sample > self.patience * self.time_budget
        return replace(done, outcome="not finished", fit=done.fit + done.sample, made=None) if late else done


def row(name: str, table: Table, terms: Terms) -> Row:
    """All seeds of a contender; where one does not finish, no other is tried."""
    tries: list[Try] = []
    for seed in range(terms.seeds):
        train, holdout = split_by_subject(table, holdout=HOLDOUT, rng=stream(seed, "split"))
        tries.append(controlled(name, train, holdout, seed) or tried(name, train, holdout, terms, seed=seed))
        print(f"{name}, seed {seed}: {_told(tries[-1])}", flush=True)
        if tries[-1].outcome != "finished":
            break
    return Row(title(name), tuple(tries), made("tables"))


def tried(name: str, train: Table, holdout: Table, terms: Terms, *, seed: int) -> Try:
    """One contender on one split."""
    done = terms.kept(attempt(name, train, seed=seed, time_budget=terms.time_budget, limits=terms.limits))
    if done.made is None:
        return Try(done.outcome, done.fit, said=done.said)
    took = {"fit": done.fit, "sample": done.sample, "peak": done.peak}
    gap = scores.membership(train, holdout, done.made, seed=seed)
    return Try("finished", values={**took, **scored(train, holdout, done.made, gap, seed=seed)})


def controlled(name: str, train: Table, holdout: Table, seed: int) -> Try | None:
    """What real records reach, None for a contender: train itself is the floor of every column of the table.

    Train drawn again with replacement is what a model reaches that knows train's own distribution to the last record;
    its membership gap says that such a model gives every patient away.
    """
    if name not in CONTROLS:
        return None
    drawn = stream(seed, "bench", "again").integers(len(train), size=len(train))
    made = train if name == REAL else train.take(np.sort(drawn))
    gap = (
        scores.floor(train, holdout, seed=seed) if name == REAL else scores.membership(train, holdout, made, seed=seed)
    )
    return Try("finished", values=scored(train, holdout, made, gap, seed=seed))


def scored(train: Table, holdout: Table, synthetic: Table, gap: scores.Gap, *, seed: int) -> dict[str, float]:
    """The numbers of one set of records."""
    learned = scores.tstr(train, holdout, synthetic, seed=seed)
    return {
        "shape": scores.shape(holdout, synthetic),
        "pair": scores.pair(train, holdout, synthetic),
        "c2st": scores.c2st(train, holdout, synthetic, seed=seed),
        **{f"tstr_{model}": value for model, value in learned.items()},
        "gap": gap.value,
        "gap_margin": gap.margin,
    }


def title(name: str) -> str:
    """A peer with its version; ours as in the catalogue."""
    if name not in PEERS:
        return name
    peer = PEERS[name]
    return f"{peer.title} {installed(environment(peer), peer.package)}"


def _told(one: Try) -> str:
    numbers = ", ".join(f"{key} {value:.3f}" for key, value in one.values.items())
    return numbers if one.outcome == "finished" else f"{one.outcome} after {one.seconds:.0f} s {one.said}"


def sections(board: str, time_budget: float | None) -> Iterator[tuple[str, str, Board]]:
    """The tables of a board: name of the section, group, and the table with its budget."""
    found = SMALL if board == SMALL_TABLES else {board: BOARDS[board]}
    for name, one in found.items():
        budget = one.time_budget if time_budget is None else time_budget
        yield f"{name} {budget:g}", GROUP if board == SMALL_TABLES else "", replace(one, time_budget=budget)


def run(args: argparse.Namespace) -> None:
    """Every table of the board, every contender; each row is written as soon as it is there."""
    raw = args.out.with_suffix(".json")
    for name, group, board in sections(args.board, args.time_budget):
        table = board.load()
        terms = Terms(board.time_budget, args.patience, args.memory, args.seeds)
        heading = f"{board.title}; {len(table):,} records, {len(table.schema.learned)} columns, {terms.time_budget:g} s"
        for contender in args.contenders:
            found = row(contender, table, terms)
            book = put(raw, name, Section(heading, group, {found.name: found}))
            args.out.write_text(told(book, NOTES), encoding="utf-8")


def contenders(words: Sequence[str]) -> list[str]:
    """The names that the words stand for: 'real', 'ours' and 'peers' are groups, any other word is a contender."""
    groups = {"real": list(CONTROLS), "ours": list(ours()), "peers": list(PEERS)}
    return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))


def main() -> None:
    """The command line."""
    words, most = ["real", "ours", "peers"], psutil.virtual_memory().total / 2**30
    parser = argparse.ArgumentParser(prog="python -m bench.tables", description=__doc__)
    parser.add_argument("--board", choices=[*BOARDS, SMALL_TABLES], required=True)
    parser.add_argument("--contenders", nargs="+", default=words, choices=[*words, *ours(), *PEERS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--time-budget", type=float, help="seconds for fitting; the board's own when not given")
    parser.add_argument("--patience", type=float, default=2.5, help="fit and sample may take so many budgets")
    parser.add_argument("--memory", type=float, default=round(0.9 * most, 1), help="the most memory of one, GiB")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "tables.md")
    args = parser.parse_args()
    args.contenders = contenders(args.contenders)
    run(args)


if __name__ == "__main__":
    main()
