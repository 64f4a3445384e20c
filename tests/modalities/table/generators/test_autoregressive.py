import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn.trainer import TrainPlan
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.autoregressive import Autoregressive, AutoregressiveModel
from tests.contracts.samples import table

SCHEMA = Schema((Column("group", "categorical"), Column("value", "numeric", decimals=3), Column("twice", "integer")))
PLAN = {"steps": 300, "batch": 128, "look": 50}


def cohort(n: int) -> Table:
    rng = stream(0)
    group = rng.integers(0, 3, n)
    frame = pd.DataFrame(
        {
            "group": pd.Categorical(np.array(["a", "b", "c"])[group]),
            "value": group * 4 + rng.normal(0, 0.5, n),
            "twice": 2.0 * group,
        }
    )
    return Table(SCHEMA, frame, np.arange(n))


def test_dependence_is_learned_and_a_function_is_exact() -> None:
    model = Autoregressive().fit(cohort(3000), rng=stream(1), plan=PLAN)
    drawn = concat(list(model.sample(3000, rng=stream(2)))).frame
    means = drawn.groupby(drawn["group"].astype(str))["value"].mean()
    assert np.abs(means.loc[["a", "b", "c"]].to_numpy() - [0, 4, 8]).max() < 0.3
    assert (drawn["twice"] == 2 * drawn["group"].map({"a": 0, "b": 1, "c": 2}).astype(float)).all()


def test_the_plan_bounds_the_steps_and_repeats_the_bytes() -> None:
    spec, table = Autoregressive(width=16, blocks=1), cohort(400)
    steps: list[int] = []
    first = spec.fit(table, rng=stream(1), plan=PLAN, watch=lambda tick: steps.append(tick.step))
    second = spec.fit(table, rng=stream(1), plan=PLAN)
    assert steps[-1] <= 300
    assert all(np.array_equal(v, second.arrays()[k]) for k, v in first.arrays().items())


def test_a_larger_budget_plans_more_steps() -> None:
    spec, table = Autoregressive(width=16, blocks=1, epochs=10**6), cohort(400)
    small, large = (spec.plan(table, rng=stream(0), time_budget=s)["steps"] for s in (1.0, 20.0))
    assert large > 3 * small


def exact(n: int = 6000) -> Table:
    """Three columns of which one follows from another, and a large code column."""
    area = stream(0).integers(0, 6, n)
    sex = np.where(stream(1).random(n) < 0.25 + 0.1 * area, "F", "M")
    codes = [f"{250 + a}.{i}" for a, i in zip(area, stream(2).integers(0, 40, n), strict=True)]
    frame = pd.DataFrame({"area": [f"a{a}" for a in area], "region": [f"r{a // 2}" for a in area], "sex": sex})
    frame["icd"] = codes
    return table(frame, declared={"columns": {"icd": {"kind": "code"}}})


@pytest.fixture(scope="module")
def fitted() -> AutoregressiveModel:
    plan = TrainPlan(steps=800, batch=128).to_json()
    return Autoregressive(width=48, blocks=2, ordered=0.5).fit(exact(), rng=stream(3), plan=plan)


def at(model: AutoregressiveModel, name: str) -> int:
    return [field.name for field in model.encoding.fields].index(name)


def unknown(model: AutoregressiveModel, n: int = 1) -> np.ndarray:
    return np.full((n, len(model.encoding.sizes)), -1)


def test_conditionals_are_distributions_for_learned_derived_and_spelt_columns(fitted: AutoregressiveModel) -> None:
    for column, size in enumerate(fitted.encoding.sizes):
        share = fitted.conditional(unknown(fitted, 3), column)
        assert share.shape == (3, size)
        assert np.allclose(share.sum(1), 1, atol=1e-4)


def test_what_follows_from_a_column_tells_about_it(fitted: AutoregressiveModel) -> None:
    area, region = at(fitted, "area"), at(fitted, "region")
    known = unknown(fitted, 400)
    known[:, region] = 1
    drawn = fitted.complete(known, rng=stream(4))
    assert (drawn[:, region] == 1).all()
    assert set(drawn[:, area].tolist()) <= {2, 3}
    share = fitted.conditional(known[:1], area)[0]
    assert share[[0, 1, 4, 5]].sum() == 0


def test_completion_keeps_what_is_known_and_draws_the_rest_from_its_conditional(fitted: AutoregressiveModel) -> None:
    area, sex = at(fitted, "area"), at(fitted, "sex")
    known = unknown(fitted, 6000)
    known[:, area] = 5
    drawn = fitted.complete(known, rng=stream(5))
    assert (drawn[:, area] == 5).all()
    share = fitted.conditional(known[:1], sex)[0]
    assert abs(np.bincount(drawn[:, sex], minlength=2) / 6000 - share).max() < 0.03


def test_the_codes_of_a_classification_are_drawn_within_their_category(fitted: AutoregressiveModel) -> None:
    made = next(fitted.sample(4000, rng=stream(6))).frame
    agree = [
        str(code)[:3] == str(250 + int(str(area)[1:])) for code, area in zip(made["icd"], made["area"], strict=True)
    ]
    assert np.mean(agree) > 0.9


def test_time_and_event_come_first_and_the_survival_curve_is_kept() -> None:
    n = 3000
    time, censor = stream(0).exponential(300, n), stream(1).uniform(100, 500, n)
    frame = pd.DataFrame({"x": stream(2).normal(size=n).round(2), "days": np.minimum(time, censor).round().astype(int)})
    frame["died"] = (time <= censor).astype(int)
    roles = {"columns": {"days": {"role": "time"}, "died": {"role": "event"}}}
    real = table(frame, declared=roles)
    model = Autoregressive(width=32, blocks=1).fit(real, rng=stream(3), plan=TrainPlan(steps=60, batch=128).to_json())
    assert model.structure.order[:2] == (1, 2)
    made = concat(list(model.sample(n, rng=stream(4)))).frame
    assert np.abs(survival(real.frame) - survival(made)).max() < 0.04


def test_thousands_of_categories_are_learned_by_a_few_hundred_values() -> None:
    names = stream(0).permutation(np.repeat(np.arange(3000), 5))
    half = names % 2
    frame = pd.DataFrame({"half": half.astype(str), "drug": [f"d{i}" for i in names]})
    real = table(frame, declared={"columns": {"drug": {"kind": "categorical"}, "half": {"kind": "categorical"}}})
    plan = TrainPlan(steps=40, batch=128).to_json()
    model = Autoregressive(width=16, blocks=1).fit(real, rng=stream(1), plan=plan)
    assert model.digits.sizes.sum() < 200
    drug = at(model, "drug")
    assert model.conditional(unknown(model), drug).shape == (1, model.encoding.sizes[drug])
    made = next(model.sample(4000, rng=stream(2))).frame
    assert made["drug"].nunique() > 1500
    assert set(made["drug"]) <= set(frame["drug"])


def survival(frame: pd.DataFrame) -> np.ndarray:
    """The Kaplan-Meier estimate at every tenth day up to 450."""
    days, died = frame["days"].to_numpy(float), (frame["died"].astype(str) == "1").to_numpy()
    if died.sum() == 0:
        died = frame["died"].to_numpy(float) == 1
    grid, left, curve = np.arange(0, 450, 10), 1.0, []
    for low, high in zip(grid, grid + 10, strict=True):
        for t in np.unique(days[(days >= low) & (days < high) & died]):
            left *= 1 - ((days == t) & died).sum() / (days >= t).sum()
        curve.append(left)
    return np.array(curve)
