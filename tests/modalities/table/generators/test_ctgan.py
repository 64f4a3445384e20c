import numpy as np
import pandas as pd
import torch

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.adversarial import Records
from semblance.modalities.table.generators.ctgan import Ctgan, CtganMaker, Drill, conditions
from semblance.modalities.table.generators.dense import Dense, Vectors

SHARES = np.array([0.9, 0.08, 0.02])


def cohort(n: int) -> Table:
    rng = stream(0, "cohort")
    group = rng.choice(3, n, p=SHARES)
    schema = Schema((Column("group", "categorical"), Column("side", "boolean"), Column("x", "numeric", decimals=2)))
    frame = pd.DataFrame(
        {
            "group": pd.Categorical(np.array(["a", "b", "c"])[group]),
            "side": pd.Categorical(np.array(["left", "right"])[rng.integers(0, 2, n)]),
            "x": group * 3 + rng.normal(size=n),
        }
    )
    return Table(schema, frame, np.arange(n))


def drill(n: int) -> tuple[CtganMaker, Drill, Dense]:
    table, spec = cohort(n), Ctgan(width=16, latent=4)
    encoding = Encoding.fit(table, spec)
    dense = Dense.fit(encoding, table, numbers="modes")
    source = Vectors(dense, dense.pack(table, rng=stream(0)), table.subjects)
    records = Records(dense, encoding.encode(table), source)
    maker = spec.maker(dense, spec.facts(records))
    for weight in maker.parameters():
        torch.nn.init.zeros_(weight)
    return maker, Drill(maker, source), dense


def test_conditions_are_the_values_of_categories_alone() -> None:
    maker, _, dense = drill(2000)
    assert [span.column for span in conditions(dense)] == ["group", "side"]
    assert len(maker.entries) == 5


def test_real_records_hold_the_value_that_is_asked_for() -> None:
    maker, drilled, dense = drill(2000)
    scene = drilled.play(4000, torch.Generator().manual_seed(0))
    asked = scene.real[:, dense.width :]
    assert torch.equal(asked, scene.fake[:, dense.width :])
    assert torch.equal(asked.sum(1), torch.ones(4000))
    assert ((scene.real[:, maker.entries] * asked).sum(1) == 1).all()


def test_columns_are_asked_alike_and_values_by_their_log_frequency() -> None:
    _, drilled, dense = drill(20_000)
    asked = drilled.play(40_000, torch.Generator().manual_seed(0)).real[:, dense.width :].mean(0).numpy()
    counts = drilled.counts.numpy()
    for part in (slice(0, 3), slice(3, 5)):
        wanted = np.log1p(counts[part]) / np.log1p(counts[part]).sum() / 2
        assert np.abs(asked[part] - wanted).max() < 0.01


def test_the_extra_loss_is_the_cross_entropy_of_the_asked_value() -> None:
    _, drilled, dense = drill(2000)
    scene = drilled.play(500, torch.Generator().manual_seed(0))
    sizes = torch.where(scene.real[:, dense.width : dense.width + 3].sum(1) > 0, 3.0, 2.0)
    assert scene.extra is not None
    assert torch.allclose(scene.extra, sizes.log(), atol=1e-5)


def test_values_are_drawn_in_their_real_shares_though_learned_evenly() -> None:
    table, spec = cohort(3000), Ctgan(width=32, latent=8, batch=100, pack=2, rate=1e-3)
    model = spec.fit(table, rng=stream(1), plan=spec._plan_of(150, 10**9).to_json())
    drawn = concat(list(model.sample(4000, rng=stream(2)))).frame
    share = drawn["group"].astype(str).value_counts(normalize=True)
    assert abs(share["a"] - 0.9) < 0.12
    assert 0 < share["c"] < 0.15
