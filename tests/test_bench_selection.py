"""The bench of choosing pairs: what a choice pays, what it chooses, and what two kinds of noise need."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree

from bench import selection
from bench.private import Budget
from bench.selection import ALL, CONTENDERS, Chosen, Concentrated, Rounds, Tree, chosen, exact, spanning, without_target
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, from_frame
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.generators.pairwise import Counter
from semblance.privacy.accountant import rho_of
from semblance.privacy.ledger import Ledger

COLUMNS = ("a", "b", "c", "d", "y")
DECLARED = {"columns": {name: {"categories": ["0", "1", "2"]} for name in COLUMNS}}
BUDGET = Budget(1.0, 1e-5)


@pytest.fixture(scope="module")
def aimed() -> Table:
    """A chain: each column is often the one before it, and the last is the target."""
    rng, n = stream(0, "selection"), 4_000
    held = [rng.integers(0, 3, n)]
    for share in (0.3, 0.5, 0.7, 0.9):
        held.append(np.where(rng.random(n) < share, held[-1], rng.integers(0, 3, n)))
    frame = pd.DataFrame({name: codes.astype(str) for name, codes in zip(COLUMNS, held, strict=True)})
    made = from_frame(frame, ReadOptions(target="y", declared=DECLARED))[0]
    return replace(made, schema=replace(made.schema, public=True))


@pytest.fixture(scope="module")
def table(aimed: Table) -> Table:
    """The same, of which none is the target."""
    return without_target(aimed)


def opened(folder: Path, epsilon: float = BUDGET.epsilon) -> Ledger:
    return Ledger.open(folder, cohort="bench", epsilon=epsilon, delta=BUDGET.delta)


@pytest.mark.parametrize("spec", [Concentrated(), Tree(), Rounds(), Rounds(times=4)], ids=repr)
def test_a_choice_is_paid_for_out_of_the_same_budget(spec: Concentrated, table: Table, tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    spec.measured(table, ledger)
    choice, *counted = ledger.spent()
    whole = rho_of(BUDGET.epsilon, delta=BUDGET.delta)
    assert choice.rho == pytest.approx(spec.share * whole)
    assert sum(part.rho for part in counted) == pytest.approx((1 - spec.share) * whole, rel=1e-3)
    assert ledger.guarantee().epsilon <= BUDGET.epsilon


def test_rounds_count_each_pair_once_and_alike(table: Table, tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    _, told = Rounds().measured(table, ledger)
    counted = [part.sigma for part in ledger.spent()[-5:]]
    assert len(told.pairs) == 5 and counted == pytest.approx([told.pair_sigma] * 5)


def test_a_tree_has_no_cycle_however_little_it_knows() -> None:
    columns = range(9)
    tree = spanning(columns, dict.fromkeys(combinations(columns, 2), 0.0), rho=1e-6)
    reached = {0}
    for _ in tree:
        reached |= {j for pair in tree if reached & set(pair) for j in pair}
    assert len(tree) == 8 and reached == set(columns)


def test_with_all_the_budget_it_is_the_maximum_spanning_tree(table: Table, tmp_path: Path) -> None:
    ledger, coder = opened(tmp_path, epsilon=50.0), public_encoding(table.schema)
    counter, spec = Counter.of(coder, table, ledger), Tree()
    columns = spec._columns(counter, coder)
    told = spec._pairs(counter, coder, columns)
    far = spec.far(counter, spec.grouped(coder, columns, 4))
    weights = np.zeros((5, 5))
    for (i, j), value in far.items():
        weights[i, j] = -value
    assert sorted(told.pairs) == sorted(zip(*map(list, minimum_spanning_tree(weights).nonzero()), strict=True))
    assert sorted(told.pairs) == [(0, 1), (1, 2), (2, 3), (3, 4)]  # the chain


def test_one_patient_changes_what_is_compared_by_at_most_one(table: Table, tmp_path: Path) -> None:
    coder, spec = public_encoding(table.schema), Chosen()
    counter = Counter.of(coder, table, opened(tmp_path))
    told = spec.grouped(coder, spec._columns(counter, coder), 10)
    without = replace(counter, codes=counter.codes[1:], subjects=counter.subjects[1:])
    one, other = (spec.far(each, told) for each in (counter, without))
    assert max(abs(one[pair] - other[pair]) for pair in one) <= 1 + 1e-6
    assert exact(counter.merged(told.groups), (0, 1)).sum() == len(table)


def test_the_exponential_mechanism_has_its_probabilities() -> None:
    gain, draws, epsilon = {(0, 1): 0.0, (0, 2): 2.0}, 20_000, 1.0
    often = np.mean([chosen(gain, rho=epsilon**2 / 8) == (0, 2) for _ in range(draws)])
    assert often == pytest.approx(1 / (1 + math.exp(-epsilon * 2 / 2)), abs=5 * math.sqrt(0.25 / draws))


def test_without_a_choice_pairs_are_those_of_the_product(table: Table, tmp_path: Path) -> None:
    for spec in (CONTENDERS[ALL], Concentrated()):
        _, told = spec.measured(table, opened(tmp_path / type(spec).__name__))
        assert told.target is None and set(told.pairs) == set(combinations(range(5), 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTENDERS)
def test_each_contender_is_judged(name: str, aimed: Table) -> None:
    found = selection.attempt(name, aimed.take(np.arange(3_000)), aimed.take(np.arange(3_000, 4_000)), BUDGET, seed=0)
    assert 0 < found["pair"] < 0.3 and found["pairs"] >= 4


def test_of_many_tables_gaussian_noise_needs_less_and_of_one_laplace() -> None:
    gaussian, laplace = selection.deviations(30, BUDGET)
    assert 1.3 * gaussian < laplace < 1.5 * gaussian
    gaussian, laplace = selection.deviations(1, BUDGET)
    assert laplace == pytest.approx(math.sqrt(2), rel=0.05) and gaussian > 2 * laplace
