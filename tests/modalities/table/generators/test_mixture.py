from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.mixture import Mixture, MixtureModel
from tests.contracts.samples import cohort, table


@pytest.fixture(scope="module")
def train() -> Table:
    return cohort(900, 1)


@pytest.fixture(scope="module")
def model(train: Table) -> MixtureModel:
    return Mixture().fit(train, rng=stream(0), plan={"components": 70, "passes": 12})


def followed(n: int, seed: int) -> Table:
    """`group` and `label` follow from `place`, which goes with `tall`."""
    place = stream(seed, "place").integers(0, 6, n)
    tall = stream(seed, "tall").random(n) < np.where(place < 2, 0.9, 0.1)
    return table(
        pd.DataFrame(
            {
                "place": [f"p{i}" for i in place],
                "group": np.where(place < 3, "low", "high"),
                "label": np.where(place % 2 == 0, "even", "odd"),
                "tall": np.where(tall, "yes", "no"),
            }
        )
    )


def test_it_predicts_other_patients_better_than_independent_columns(train: Table, model: MixtureModel) -> None:
    codes = model.encoding.encode(cohort(2000, 2))
    one = Mixture().fit(train, rng=stream(0), plan={"components": 1, "passes": 1})
    assert model.log_prob(codes).mean() > one.log_prob(codes).mean() + 0.3


def test_no_component_stands_for_too_few_patients(train: Table) -> None:
    model = Mixture(least=60).fit(train, rng=stream(0), plan={"components": 300, "passes": 10})
    weights = model.mixture.weights
    assert weights.min() * (900 + 0.5 * len(weights)) >= 60
    few = Mixture().fit(cohort(7, 1), rng=stream(0), plan={"components": 7, "passes": 10})
    assert len(few.mixture.weights) == 1


def test_conditionals_agree_with_the_likelihood(model: MixtureModel, train: Table) -> None:
    codes = model.encoding.encode(train)[:20]
    for j in range(codes.shape[1]):
        known = codes.copy()
        known[:, j] = -1
        shares = model.conditional(known, j)
        assert np.allclose(shares.sum(1), 1, atol=1e-5)
        if j not in model.structure.learned or any(parent == j for _, parent, _ in model.structure.derived):
            continue
        other = codes.copy()
        other[:, j] = (codes[:, j] + 1) % model.encoding.sizes[j]
        ratio = np.exp(model.log_prob(other) - model.log_prob(codes))
        rows = np.arange(len(codes))
        assert np.allclose(shares[rows, other[:, j]] / shares[rows, codes[:, j]], ratio, rtol=2e-2)


def test_what_is_known_stays_and_the_rest_is_drawn(model: MixtureModel, train: Table) -> None:
    known = model.encoding.encode(train)[:300]
    known[::2, 0] = known[1::2, 2] = -1
    drawn = model.complete(known, rng=stream(1))
    assert (drawn[known >= 0] == known[known >= 0]).all()
    assert (drawn >= 0).all()
    assert (drawn < model.encoding.sizes).all()


def test_columns_that_follow_from_others_are_known_of_them() -> None:
    model = Mixture().fit(followed(1500, 0), rng=stream(0), plan={"components": 40, "passes": 12})
    assert len(model.structure.derived) >= 1
    names = [field.name for field in model.encoding.fields]
    place, group, label, tall = (names.index(name) for name in ("place", "group", "label", "tall"))
    tokens = [column.tokens for column in model.encoding.columns]
    known = np.full((1, 4), -1)
    known[0, [group, label]] = tokens[group].index("low"), tokens[label].index("even")
    shares = model.conditional(known, place)[0]
    assert {tokens[place][c] for c in np.flatnonzero(shares > 1e-6)} == {"p0", "p2"}
    known[0, [group, label]] = -1, -1
    known[0, place] = tokens[place].index("p5")
    assert model.conditional(known, group)[0][tokens[group].index("high")] == pytest.approx(1)
    assert model.complete(known, rng=stream(1))[0, label] == tokens[label].index("odd")
    allowed = [np.ones(size) for size in model.encoding.sizes]
    allowed[group] = (np.arange(2) == tokens[group].index("low")).astype(float)
    drawn = model.choose(allowed, 4000, rng=stream(2))
    assert set(drawn[:, group]) == {tokens[group].index("low")}
    codes = model.encoding.encode(followed(20_000, 1))
    held = codes[:, group] == tokens[group].index("low")
    assert model.probability(allowed) == pytest.approx(held.mean(), abs=0.03)
    assert (drawn[:, tall] == 0).mean() == pytest.approx((codes[held, tall] == 0).mean(), abs=0.05)
    contradictory = codes[:1].copy()
    contradictory[0, group] = 1 - contradictory[0, group]
    assert model.log_prob(contradictory)[0] == -np.inf


def test_marginals_are_those_of_the_records(model: MixtureModel, train: Table) -> None:
    codes = model.encoding.encode(train)
    drawn = model.draw(40_000, rng=stream(3))
    for j, marginal in enumerate(model.marginals()):
        size = len(marginal)
        assert 0.5 * np.abs(np.bincount(drawn[:, j], minlength=size) / 40_000 - marginal).sum() < 0.03
        assert 0.5 * np.abs(np.bincount(codes[:, j], minlength=size) / len(codes) - marginal).sum() < 0.05


def test_saved_and_loaded_it_answers_the_same(model: MixtureModel, train: Table, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = Mixture.load(tmp_path)
    codes = model.encoding.encode(train)[:50]
    assert (again.log_prob(codes) == model.log_prob(codes)).all()
    assert (again.draw(100, rng=stream(4)) == model.draw(100, rng=stream(4))).all()


def test_more_records_than_are_learned_from_are_passed_over_at_the_end(
    train: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semblance.modalities.table.generators.mixture.LEARNED_FROM", 400)
    model = Mixture().fit(train, rng=stream(0), plan={"components": 30, "passes": 8})
    weights = model.mixture.weights
    assert weights.min() * (900 + 0.5 * len(weights)) >= 25
    drawn = concat(list(model.sample(3000, rng=stream(1)))).frame
    assert abs(drawn["age"].mean() - train.frame["age"].mean()) < 2


def test_a_plan_of_more_time_has_more_components(train: Table) -> None:
    short, long = (Mixture().plan(train, rng=stream(0), time_budget=seconds) for seconds in (1e-4, 60))
    assert short["components"] < long["components"] == 75
