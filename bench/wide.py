"""What a private table of a hundred columns and a million patients costs: python -m bench.wide

The columns of bench.simulated, all of them declared, learned by `pairwise`. How near the pairs come is told beside real
records, and beside columns that are drawn apart from each other. Writes results/wide.md.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.boards import ROOT
from bench.results import facts
from bench.scores import pair
from bench.simulated import simulated
from semblance.core.files import write_text
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.pairwise import Pairwise
from semblance.privacy.ledger import Ledger

EXPONENT = 1.1
HELD = 100_000
"""Records held aside, with which as many others are compared."""
BOUNDS = {"numeric": (-10.0, 30.0), "integer": (0.0, 100.0)}
HEAD = """# A private table of many columns and many patients

`pairwise` on simulated columns of every kind (bench.simulated), all of them declared. Pairs: mean TV over all pairs of
columns, numbers in 10 bins of the quantiles, between {held:,} records held aside and as many others: synthetic ones,
some that were learned (real), and the same ones with every column in an order of its own (apart).

{facts}
- measured: seconds until all is counted; fit: until there is a model, counting included; sample: of as many records
- CPU: seconds of processors for all of it; GiB: peak memory of the process, with the real records in it

| patients | columns | epsilon | measured s | fit s | sample s | CPU s | GiB | pairs | real | apart |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""


@dataclass(frozen=True)
class Cost:
    """Of one fit."""

    patients: int
    columns: int
    epsilon: float
    measured: float
    fit: float
    sample: float
    cpu: float
    peak: float
    pairs: float
    real: float
    apart: float

    def __str__(self) -> str:
        seconds = f"{self.measured:.0f} | {self.fit:.0f} | {self.sample:.1f} | {self.cpu:.0f} | {self.peak:.1f}"
        shares = f"{self.pairs:.3f} | {self.real:.3f} | {self.apart:.3f}"
        return f"| {self.patients:,} | {self.columns} | {self.epsilon:g} | {seconds} | {shares} |"


def declared(data: Table, patients: int) -> Table:
    """The same records, of which everything is declared as a person would: round bounds, and all categories."""
    columns = tuple(_declared(column, data.frame[column.name]) for column in data.schema)
    return Table(Schema(columns, "simulated", patients, public=True), data.frame, data.subjects)


def _declared(column: Column, held: pd.Series) -> Column:
    if not column.continuous:
        listed = tuple(map(str, held.cat.categories))
        return Column(column.name, column.kind, column.role, categories=listed, bound="declared")
    low, high = BOUNDS[column.kind]
    return Column(column.name, column.kind, column.role, dtype=column.dtype, min=low, max=high, bound="declared")


def cost(*, patients: int, columns: int, epsilon: float, seed: int) -> Cost:
    """Measure, fit, sample and compare."""
    every = declared(simulated(rows=patients + HELD, columns=columns, seed=seed), patients)
    train, held = every.take(np.arange(patients)), every.take(np.arange(patients, patients + HELD))
    spec, used, begun = Pairwise(), time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder), cohort="simulated", epsilon=epsilon, delta=float(patients) ** -EXPONENT)
        spec.measured(train, ledger, kept=Path(folder))
        counted = time.monotonic()
        model = spec.fit(train, rng=stream(seed, "fit"), ledger=ledger, resume=Path(folder))
        fitted = time.monotonic()
        drawn = concat([*model.sample(patients, rng=stream(seed, "sample"))])
        sampled = time.monotonic()
    used = time.process_time() - used
    learned, apart = train.take(np.arange(HELD)), _apart(held, stream(seed, "apart"))
    off = (pair(learned, held, one) for one in (drawn.take(np.arange(HELD)), learned, apart))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds = (counted - begun, fitted - begun, sampled - fitted, used)
    return Cost(patients, columns, epsilon, *seconds, peak, *off)


def _apart(table: Table, rng: np.random.Generator) -> Table:
    """Every column in an order of its own."""
    frame = pd.DataFrame(
        {name: column.iloc[rng.permutation(len(column))].array for name, column in table.frame.items()}
    )
    return replace(table, frame=frame)


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", nargs="+", type=int, default=[1_000_000])
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "wide.md")
    args = parser.parse_args()
    costs = []
    for patients in args.patients:
        costs.append(cost(patients=patients, columns=args.columns, epsilon=args.epsilon, seed=0))
        print(costs[-1], flush=True)
    said = "\n".join(facts("wide"))
    write_text(args.out, HEAD.format(held=HELD, facts=said) + "".join(f"{one}\n" for one in costs))


if __name__ == "__main__":
    main()
