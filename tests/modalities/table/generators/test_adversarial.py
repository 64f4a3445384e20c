import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn.objectives.gan import Scene
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.adversarial import AdversarialSpec, Heads, packed_of
from semblance.modalities.table.generators.dense import Span
from semblance.modalities.table.generators.wgan_gp import WganGp

SPANS = (
    Span(0, 3, "onehot", "a"),
    Span(3, 4, "scalar", "b"),
    Span(4, 5, "scalar", "c"),
    Span(5, 9, "onehot", "c"),
)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def cohort(n: int, seed: int = 0) -> Table:
    rng = stream(seed, "cohort")
    group = rng.integers(0, 3, n)
    schema = Schema((Column("group", "categorical"), Column("value", "numeric", decimals=3)))
    frame = pd.DataFrame(
        {"group": pd.Categorical(np.array(["a", "b", "c"])[group]), "value": group * 4 + rng.normal(0, 0.5, n)}
    )
    return Table(schema, frame, np.arange(n))


def test_heads_are_a_softmax_of_each_choice_and_leave_numbers_alone() -> None:
    raw = torch.from_numpy(stream(0).normal(size=(6, 9)).astype(np.float32)) * 30
    x = Heads(SPANS)(raw, seeded())
    assert torch.equal(x[:, 3:5], raw[:, 3:5])
    assert torch.allclose(x[:, :3], raw[:, :3].softmax(1), atol=1e-6)
    assert torch.allclose(x[:, 5:], raw[:, 5:].softmax(1), atol=1e-6)
    assert torch.allclose(Heads(SPANS, bounded=True)(raw, seeded())[:, 3:5], raw[:, 3:5].tanh())


def test_the_slope_of_heads_is_that_of_a_softmax() -> None:
    raw = torch.from_numpy(stream(0).normal(size=(2, 9)).astype(np.float32)).requires_grad_()
    (ours,) = torch.autograd.grad(Heads(SPANS)(raw, seeded())[:, 6].sum(), raw)
    (theirs,) = torch.autograd.grad(raw[:, 5:].softmax(1)[:, 1].sum(), raw)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_the_largest_entry_of_a_relaxed_one_hot_is_a_draw_from_the_softmax() -> None:
    logits = torch.tensor([0.5, -1.0, 1.0])
    x = Heads(SPANS[:1], temperature=0.2)(logits.expand(60_000, 3), seeded())
    share = torch.bincount(x.argmax(1)) / len(x)
    assert torch.allclose(share, logits.softmax(0), atol=0.01)
    assert torch.allclose(x.sum(1), torch.ones(len(x)), atol=1e-5)


def test_packed_is_the_number_and_the_place_of_the_largest() -> None:
    x = torch.tensor([[0.1, 0.7, 0.2, -2.5, 0.5, 0.0, 0.0, 0.1, 0.9]])
    assert packed_of(SPANS, x).tolist() == [[1.0, -2.5, 0.5, 3.0]]


def small(**options: int) -> WganGp:
    return WganGp(width=32, batch=64, latent=8, turns=2, rate=3e-3, **options)


def plan_of(spec: AdversarialSpec, steps: int) -> dict[str, object]:
    return spec._plan_of(steps, 10**9).to_json()


@pytest.fixture(scope="module")
def trained() -> tuple[WganGp, object]:
    spec = small()
    return spec, spec.fit(cohort(1000), rng=stream(1), plan=plan_of(spec, 250))


def test_the_model_tells_how_much_it_covers_and_keeps_no_critic(trained, tmp_path: Path) -> None:
    _, model = trained
    model.save(tmp_path)
    told = json.loads((tmp_path / "model.json").read_text())["options"]["monitor"]
    assert set(told["columns"]) == {"group", "value"}
    assert 0.5 < told["coverage"] <= 1
    assert not any("critic" in name for name in model.arrays())


def test_drawn_codes_are_those_of_drawn_records(trained) -> None:
    _, model = trained
    table = model.table(50, first_subject=0, rng=stream(2))
    assert np.array_equal(model.draw(50, rng=stream(2)), model.encoding.encode(table))
    assert table.frame["value"].notna().all()


def test_a_run_that_stops_and_is_taken_up_ends_in_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    def stop(tick: object) -> None:
        if tick.step == 7:  # type: ignore[attr-defined]
            raise Stopped

    spec, table = small(), cohort(300)
    plan = plan_of(spec, 20)
    whole = spec.fit(table, rng=stream(1), plan=plan)
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(Stopped):
        spec.fit(table, rng=stream(1), plan=plan, watch=stop, resume=tmp_path)
    again = spec.fit(table, rng=stream(1), plan=plan, resume=tmp_path)
    assert all(np.array_equal(v, again.arrays()[k]) for k, v in whole.arrays().items())
    assert whole.options == again.options


def test_a_generator_that_has_collapsed_is_refused() -> None:
    class Stuck(WganGp):
        def acts(self, maker, records, judge, *, rng):  # type: ignore[no-untyped-def]
            acts = super().acts(maker, records, judge, rng=rng)
            maker.draw = lambda n, noise: records.source.batch(np.zeros(n, dtype=np.int64))
            acts[0].objective.turns = acts[0].objective.turns[:1]
            return acts

    spec = Stuck(width=8, batch=16, latent=4, turns=1)
    with pytest.raises(DataError, match="collapsed"):
        spec.fit(cohort(300), rng=stream(1), plan=plan_of(spec, 200))


def test_a_generator_that_draws_no_numbers_is_refused_as_diverged() -> None:
    class Broken(WganGp):
        def acts(self, maker, records, judge, *, rng):  # type: ignore[no-untyped-def]
            acts = super().acts(maker, records, judge, rng=rng)
            acts[0].objective.turns = acts[0].objective.turns[:1]
            acts[0].objective.play = lambda batch, noise: Scene(batch, batch)
            maker.draw = lambda n, noise: torch.full((n, records.dense.width), torch.nan)
            return acts

    spec = Broken(width=8, batch=16, latent=4, turns=1)
    with pytest.raises(DataError, match="diverged"):
        spec.fit(cohort(300), rng=stream(1), plan=plan_of(spec, 20))


def test_epochs_bound_the_plan_and_budgets_stretch_it() -> None:
    assert small(epochs=300)._plan_of(10**9, 6400).steps == 300 * 100
    assert small()._plan_of(0, 50).steps == 20


def test_records_of_learned_groups_have_the_values_of_their_groups(trained) -> None:
    _, model = trained
    drawn = concat(list(model.sample(2000, rng=stream(3)))).frame
    means = drawn.groupby(drawn["group"].astype(str), observed=True)["value"].mean()
    assert means["c"] - means["a"] > 4
