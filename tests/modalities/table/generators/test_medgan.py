import numpy as np
import pandas as pd
import pytest
import torch

from semblance.core.model import Tick
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.medgan import Averaging, MedGan

PLAN = {"latent": 32, "batch": 64}


def diagnoses(n: int) -> Table:
    """Eight yes or no columns; the second half repeats the first half nearly always."""
    rng = stream(0, "diagnoses")
    first = rng.random((n, 4)) < np.array([0.5, 0.3, 0.6, 0.4])
    second = np.where(rng.random((n, 4)) < 0.95, first, ~first)
    names = [f"d{i}" for i in range(8)]
    frame = pd.DataFrame(
        {k: pd.Categorical(np.where(v, "yes", "no")) for k, v in zip(names, np.c_[first, second].T, strict=True)}
    )
    return Table(Schema(tuple(Column(name, "boolean") for name in names)), frame, np.arange(n))


def test_diagnoses_that_go_together_are_drawn_together() -> None:
    spec = MedGan(**PLAN)
    model = spec.fit(diagnoses(2000), rng=stream(1), plan=spec._plan_of(300, 10**9).to_json())
    drawn = concat(list(model.sample(3000, rng=stream(2)))).frame
    agree = np.mean([(drawn[f"d{i}"].astype(str) == drawn[f"d{i + 4}"].astype(str)).mean() for i in range(4)])
    assert agree > 0.8
    assert drawn.drop_duplicates().shape[0] > 8


def test_the_autoencoder_goes_first_and_steps_are_counted_through() -> None:
    spec, ticks = MedGan(**PLAN, pretrain=0.25), list[Tick]()
    spec.fit(diagnoses(200), rng=stream(1), plan=spec._plan_of(40, 10**9).to_json(), watch=ticks.append)
    assert [tick.step for tick in ticks] == list(range(1, 41))
    assert {tick.steps for tick in ticks} == {40}
    assert ticks[9].loss < ticks[0].loss


def test_the_critic_reads_the_mean_of_the_minibatch() -> None:
    critic = Averaging(2)
    for weight in critic.parameters():
        torch.nn.init.constant_(weight, 0.1)
    noise = torch.Generator()
    alone, beside = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    assert critic(alone, noise)[0].item() != pytest.approx(critic(beside, noise)[0].item())
    spread = torch.cat([alone, alone.expand(3, 2)])
    assert torch.allclose(critic(spread, noise), critic(alone, noise).expand(4, 1))
