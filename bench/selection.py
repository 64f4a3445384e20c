"""Is it worth choosing which pairs are counted? python -m bench.selection --board adult-10k adult --epsilons 0.1 1

`pairwise` counts all of them. Here some are chosen first, as MST and AIM do, the choice is paid for out of the same
budget, and the rest counts these alone; columns, groups of codes and the mixture are those of `pairwise`. Raw numbers
go into results/selection.json, and from there into results/selection.md. With --noise nothing is learned or written: it
tells which standard deviation two kinds of noise need to count everything.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from bench import scores
from bench.boards import ROOT
from bench.private import BOARDS, HOLDOUT, Budget
from bench.results import REAL, Columns, Row, Section, Try, made, put, told
from semblance.core.dataset import split_by_subject
from semblance.core.need import need
from semblance.core.promise import Noise
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.grouping import summed
from semblance.modalities.table.generators.measured import Measured, Pair
from semblance.modalities.table.generators.pairwise import Counter, Pairwise, implied
from semblance.privacy.accountant import noise_for, rho_of
from semblance.privacy.ledger import Ledger
from semblance.privacy.noise import moved, system

QUICK = 300
"""Steps of a mixture that only says which pairs are answered worst."""
GRID = 1e-5
"""Steps of the grid on which losses of discrete Laplace noise are rounded up."""
COLUMNS: Columns = {
    "pair": ("pair", 3),
    "least to most": (("pair_low", "pair_high"), 3),
    "TSTR gb": ("tstr_gb", 3),
    "least to most ": (("tstr_gb_low", "tstr_gb_high"), 3),
    "TSTR lr": ("tstr_lr", 3),
    "pairs counted": ("pairs", 0),
    "sigma": ("sigma", 1),
    "CPU s": ("cpu", 1),
}
NOTES = """\
# Pairs that are chosen beside all of them

The noisy counts of `pairwise` and its mixture, where some pairs are chosen before they are counted. All spend the same
epsilon, with delta the number of learned records to the power of -1.1. Medians over the seeds of random 80/20 splits.

- all pairs: `pairwise` as it is, which counts each pair within the classes of the target
- all others take the target for a column as any other, as MST and AIM do; so does "all pairs alike", and "all pairs,
  zCDP" under the account that choices need: of the exponential mechanism with parameter e a ledger knows that it is
  e^2/8-zCDP and no more
- tree: as MST does (McKenna, Miklau & Sheldon, JPC 2021). A maximum spanning tree of the columns, each edge by the
  exponential mechanism, over how far a pair is from what columns say alone. A third of the budget is for columns, one
  for choosing, one for the pairs; "a tenth to choose" leaves more to these. The mixture is made for all pairs and holds
  a tree less well than MST's own inference, which is exact there: private.md has OpenDP's MST as a whole
- rounds: as AIM does (McKenna, Mullins, Sheldon & Miklau, VLDB 2022). One pair after the other, that which the mixture
  so far is farthest from, beyond what noise would make of it; after each one the mixture is fitted anew, in {quick}
  steps. So many rounds as there are columns (d), or a multiple; a tenth of the budget to choose, and half of what is
  left for columns, as in `pairwise`: AIM spends less on columns, more on later rounds than on first ones, and takes its
  estimate from a graphical model
- pair: mean TV over all pairs of columns, as in private.md; TSTR: AUC on holdout of boosting (gb) and of a linear model
  (lr) that learned the records. Least to most: over the seeds
- sigma: the noise of each count of a pair; CPU: seconds of a processor for counting, choosing and fitting
"""


# Choosing


@dataclass(frozen=True)
class Concentrated(Pairwise):
    """All pairs, under the account that choices need; a `share` of the budget, in its terms, is for choosing."""

    share: float = 1e-9

    def _columns(self, counter: Counter, coder: Encoding) -> Measured:
        # Of noise of another sensitivity than one a ledger knows the rho alone. In which order things are paid for does
        # not matter.
        counter.ledger.reserve(Noise(math.sqrt(2 / self.cost(counter)), sensitivity=2), note="choice")
        return super()._columns(counter, coder)

    def cost(self, counter: Counter) -> float:
        """The rho of all choices together."""
        return self.share * rho_of(counter.ledger.epsilon, delta=counter.ledger.delta)


@dataclass(frozen=True)
class Chosen(Concentrated):
    """Only some pairs, of records without a target: within one, a pair with the target would ask for it twice."""

    def far(self, counter: Counter, told: Measured) -> dict[Pair, float]:
        """How far, in records, each pair that is not counted yet is from what the others and the columns say of it.

        A patient who comes or goes changes a count by one, so each of these by at most one.
        """
        merged, expected = counter.merged(told.groups), self.expected(told)
        pairs = (pair for pair in combinations(range(len(told.columns)), 2) if pair not in told.pairs)
        return {pair: float(np.abs(exact(merged, pair) - told.records * expected(pair)).sum()) for pair in pairs}

    def expected(self, told: Measured) -> Callable[[Pair], np.ndarray]:
        """(groups, groups) the shares of a pair by what was counted: of columns alone, they are independent."""
        if not told.pairs:
            shares = [summed(told.share(j), group) for j, group in enumerate(told.groups)]
            return lambda pair: np.outer(shares[pair[0]], shares[pair[1]])
        estimate = replace(self, steps=QUICK).mixture(told, rng=stream(0, "quick"))
        return lambda pair: implied(told, estimate, pair)[0]


@dataclass(frozen=True)
class Tree(Chosen):
    """MST (McKenna, Miklau & Sheldon, JPC 2021)."""

    share: float = 1 / 3

    def _pairs(self, counter: Counter, coder: Encoding, told: Measured) -> Measured:
        columns = range(len(told.columns))
        told = self.grouped(coder, told, len(columns) - 1)
        return counter.with_pairs(told, spanning(columns, self.far(counter, told), rho=self.cost(counter)))


@dataclass(frozen=True)
class Rounds(Chosen):
    """AIM (McKenna, Mullins, Sheldon & Miklau, VLDB 2022), with so many `times` the columns as rounds."""

    share: float = 0.1
    times: int = 1

    def _pairs(self, counter: Counter, coder: Encoding, told: Measured) -> Measured:
        count = len(told.columns)
        rounds = min(self.times * count, math.comb(count, 2))
        told, noise = self.grouped(coder, told, rounds), self._beyond(told, rounds)
        for left in reversed(range(rounds)):
            gain = {pair: far - 2 * moved(cells(told, pair), noise) for pair, far in self.far(counter, told).items()}
            later = [(left, left)] if left else []
            told = counter.with_pairs(told, [chosen(gain, rho=self.cost(counter) / rounds)], later=later)
        return told


def cells(told: Measured, pair: Pair) -> int:
    """The cells of a pair's table."""
    return math.prod(int(told.groups[j].max()) + 1 for j in pair)


def exact(merged: Counter, pair: Pair) -> np.ndarray:
    """(groups, groups) the counts of a pair without noise. Every patient has one record."""
    shape = tuple(int(merged.sizes[j]) for j in pair)
    cell = np.ravel_multi_index(tuple(merged.codes[:, list(pair)].T), shape)
    return np.bincount(cell, minlength=math.prod(shape)).reshape(shape)


def chosen(gain: Mapping[Pair, float], *, rho: float) -> Pair:
    """The exponential mechanism (McSherry & Talwar, FOCS 2007) over what a patient changes by at most one: the largest
    after Gumbel noise. With parameter e it is e^2/8-zCDP (Cesar & Rogers, ALT 2021)."""
    noise = system().gumbel(scale=2 / math.sqrt(8 * rho), size=len(gain))
    return list(gain)[int(np.argmax(np.array([*gain.values()]) + noise))]


def spanning(columns: Sequence[int], far: Mapping[Pair, float], *, rho: float) -> list[Pair]:
    """A spanning tree, edge by edge of the pairs that join two parts one that is far (Kruskal 1956)."""
    part: dict[int, int] = {j: j for j in columns}
    tree: list[Pair] = []
    while len(tree) < len(columns) - 1:
        joining = {(i, j): value for (i, j), value in far.items() if part[i] != part[j]}
        i, j = chosen(joining, rho=rho / (len(columns) - 1))
        tree.append((i, j))
        part = {k: part[i] if own == part[j] else own for k, own in part.items()}
    return tree


# Judging

ALL = "all pairs"
CONTENDERS: Mapping[str, Pairwise] = {
    ALL: Pairwise(),
    f"{ALL} alike": Pairwise(),
    f"{ALL}, zCDP": Concentrated(),
    "tree": Tree(),
    "tree, a tenth to choose": Tree(share=0.1),
    "d rounds": Rounds(),
    "2d rounds": Rounds(times=2),
    "4d rounds": Rounds(times=4),
}


def attempt(name: str, train: Table, holdout: Table, budget: Budget, *, seed: int) -> dict[str, float]:
    """Learn, draw as many records, judge them."""
    seen, begun = train if name == ALL else without_target(train), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder), cohort="bench", epsilon=budget.epsilon, delta=budget.delta)
        model = CONTENDERS[name].fit(seen, rng=stream(seed, "fit"), ledger=ledger)
    used, pairs = time.process_time() - begun, model.measured["noise"][-1]
    drawn = concat([*model.sample(len(train), rng=stream(seed, "sample"))])
    facts = {"pairs": float(pairs["count"]), "sigma": pairs["sigma"], "cpu": used}
    return {**judged(train, holdout, drawn, seed=seed), **facts}


def without_target(table: Table) -> Table:
    """The same records, of which no column is the target."""
    columns = tuple(replace(column, role="feature") if column.role == "target" else column for column in table.schema)
    return replace(table, schema=replace(table.schema, columns=columns))


def judged(train: Table, holdout: Table, records: Table, *, seed: int) -> dict[str, float]:
    """How near records are, and what they teach."""
    taught = scores.tstr(train, holdout, records, seed=seed)
    return {"pair": scores.pair(train, holdout, records), **{f"tstr_{name}": value for name, value in taught.items()}}


def rows(table: Table, epsilon: float, seeds: int) -> Iterator[Row]:
    """Real records, and every contender."""
    parts = [split_by_subject(table, holdout=HOLDOUT, rng=stream(seed, "split")) for seed in range(seeds)]
    yield _row(REAL, [judged(train, holdout, train, seed=seed) for seed, (train, holdout) in enumerate(parts)])
    for name in CONTENDERS:
        yield _row(
            name,
            [
                attempt(name, train, holdout, Budget.of(train, epsilon), seed=seed)
                for seed, (train, holdout) in enumerate(parts)
            ],
        )


def _row(name: str, found: Sequence[Mapping[str, float]]) -> Row:
    """All seeds, with the ends of what they found."""
    ends = {f"{key}_{end}": of(one[key] for one in found) for key in ("pair", "tstr_gb") for end, of in ENDS.items()}
    return Row(name, tuple(Try("finished", values={**one, **ends}) for one in found), made("selection"))


ENDS = {"low": min, "high": max}


# Two kinds of noise


def deviations(tables: int, budget: Budget) -> tuple[float, float]:
    """The standard deviations of discrete Gaussian and of discrete Laplace noise with which so many tables of counts
    end at a budget, each by its exact privacy losses. A patient moves one cell of each by one."""
    losses = need("dp_accounting.pld.privacy_loss_distribution", extra="private", why="accounting")

    def beyond(power: float) -> float:
        one = losses.from_discrete_laplace_mechanism(math.exp(power), value_discretization_interval=GRID)
        return float(one.self_compose(tables).get_epsilon_for_delta(budget.delta)) - budget.epsilon

    (gaussian,) = noise_for(budget.epsilon, delta=budget.delta, parts=[(1.0, tables)])
    low, high = math.log(budget.epsilon / tables / 2), math.log(2 * budget.epsilon)
    # Its mass falls by exp(-parameter) from one whole number to the next.
    parameter = math.exp(brentq(beyond, low, high, xtol=1e-3))
    return gaussian.sigma, 1 / (math.sqrt(2) * math.sinh(parameter / 2))


def noise(epsilons: Sequence[float]) -> Iterator[str]:
    """Lines for one table, and for all columns and pairs of Adult."""
    table = BOARDS["adult"].load()
    train, _ = split_by_subject(table, holdout=HOLDOUT, rng=stream(0, "split"))
    columns = len(public_encoding(table.schema).columns)
    for epsilon in epsilons:
        for tables in (1, columns + math.comb(columns - 1, 2)):
            gaussian, laplace = deviations(tables, Budget.of(train, epsilon))
            yield f"epsilon {epsilon:g}, {tables} table(s): discrete Gaussian {gaussian:.1f}, Laplace {laplace:.1f}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.selection", description=__doc__)
    parser.add_argument("--board", nargs="+", choices=["adult-10k", "adult"], default=["adult-10k", "adult"])
    parser.add_argument("--epsilons", nargs="+", type=float, default=[0.1, 1.0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--noise", action="store_true", help="tell what two kinds of noise need, and nothing else")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "selection.md")
    args = parser.parse_args()
    if args.noise:
        for line in noise(args.epsilons):
            print(line, flush=True)
        return
    for board in args.board:
        table = BOARDS[board].load()
        for epsilon in args.epsilons:
            heading = f"{BOARDS[board].title}, epsilon {epsilon:g}; {len(table):,} records"
            for row in rows(table, epsilon, args.seeds):
                print(f"{heading}: {row.name} {row.middle('pair'):.3f} {row.middle('tstr_gb'):.3f}", flush=True)
                found = Section(heading, rows={row.name: row})
                book = put(args.out.with_suffix(".json"), f"{board} {epsilon:g}", found)
                args.out.write_text(told(book, NOTES.format(quick=QUICK), COLUMNS, by="pair"), encoding="utf-8")


if __name__ == "__main__":
    main()
