from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np
import pytest
import torch

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.diffusion import Diffusion
from semblance.modalities.image.generators.med_ddpm import MedDdpm
from semblance.modalities.image.generators.paired_flow import PairedFlow
from tests.learn.elsewhere import ELSEWHERE, Forgotten, elsewhere
from tests.modalities.image.simulated import images, scanned
from tests.modalities.image.tissue import paired

PLAN = {"steps": 5, "batch": 8, "rate": 2e-3, "look": 2, "averages": [0.05]}
SMALL = {"channels": 4, "hidden": 16, "layers": 1, "components": 4, "steps": 2}


class Elsewhere:
    """A generator that learns on a device that is not the processor."""

    @property
    def place(self) -> torch.device:
        return ELSEWHERE


@dataclass(frozen=True)
class Drawn(Elsewhere, Diffusion):
    pass


@dataclass(frozen=True)
class Painted(Elsewhere, MedDdpm):
    pass


@dataclass(frozen=True)
class Carried(Elsewhere, PairedFlow):
    pass


SPECS = {
    "diffusion": (Drawn(**SMALL), scanned(40, 1)),
    "guided": (Drawn(**SMALL, guidance=2.0), images(40, 1)),
    "flow": (Drawn(**SMALL, flow=True), images(40, 1)),
    "latents": (Drawn(**SMALL, large=8), images(40, 1)),
    "med_ddpm": (Painted(channels=4, steps=2), paired(40, 1, (12, 12))),
    "paired_flow": (Carried(channels=4, steps=2), paired(40, 1, (12, 12))),
}


@pytest.fixture(autouse=True)
def fused(monkeypatch):
    """Torch has no step of fused AdamW elsewhere; the mode takes its place."""
    optimizer = import_module("torch.optim.optimizer")
    monkeypatch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: ["cpu", "cuda", "meta"])


def stopped(tick):
    if tick.step == 4:
        raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore:.*meta parameter in the current model")
@pytest.mark.parametrize("name", SPECS)
def test_all_of_learning_and_drawing_lies_where_the_weights_do(name, tmp_path, monkeypatch):
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    spec, data = SPECS[name]
    holed = data.pixels[:4].copy()
    holed[:, -1, :6] = np.nan
    with elsewhere() as mode:
        spec.plan(data, rng=stream(0, "plan"), time_budget=0.05)
        with pytest.raises(KeyboardInterrupt):
            spec.fit(data, rng=stream(0, "fit"), plan=PLAN, resume=tmp_path, watch=stopped)
        model = spec.fit(data, rng=stream(0, "fit"), plan=PLAN, resume=tmp_path)  # takes up what was kept
        learned = mode.seen
        concat(list(model.sample(5, rng=stream(0, "sample"))))
        drawn = mode.seen
        if name != "latents":
            model.impute(replace(data.take(np.arange(4)), pixels=holed), rng=stream(0, "impute"))
        assert learned > 1000 and drawn > learned


def test_a_tensor_that_is_forgotten_on_the_processor_is_found(tmp_path):
    spec, data = SPECS["guided"]
    with elsewhere():
        model = spec.fit(data, rng=stream(0, "fit"), plan=PLAN)
        model.learned.objective.net.rest = torch.ones(1)
        with pytest.raises(Forgotten, match="between"):
            list(model.sample(2, rng=stream(0, "sample")))


def test_a_model_says_nothing_of_the_device_and_draws_where_it_is_told(tmp_path):
    data, kinds = images(40, 1), ("plain", "auto")
    models = [Diffusion(**SMALL).fit(data, rng=stream(0, "fit"), plan=PLAN)]
    if not torch.cuda.is_available():
        models.append(Diffusion(**SMALL, device="auto").fit(data, rng=stream(0, "fit"), plan=PLAN))
    for kind, model in zip(kinds, models, strict=False):
        model.save(tmp_path / kind)
        for file in ("weights.safetensors", "images.json", "model.json"):
            assert (tmp_path / kind / file).read_bytes() == (tmp_path / "plain" / file).read_bytes()
    assert "device" not in (tmp_path / "plain" / "images.json").read_text(encoding="utf-8")
    again = Diffusion.load(tmp_path / "plain")
    made = next(iter(again.sample(3, rng=stream(0, "sample")))).pixels
    assert (next(iter(again.on("cpu").sample(3, rng=stream(0, "sample")))).pixels == made).all()
    with elsewhere():
        again.learned.on(ELSEWHERE)
        list(again.sample(3, rng=stream(0, "sample")))


@pytest.mark.parametrize("kind", [Diffusion, MedDdpm, PairedFlow])
def test_a_device_that_is_not_there_is_refused_before_anything_is_read(kind, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="PyTorch finds no CUDA here"):
        kind(device="cuda")
    with pytest.raises(UsageError, match="device 'tpu'"):
        kind(device="tpu")


def test_what_is_paid_for_is_learned_on_the_processor(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with pytest.raises(UsageError, match="device cuda under differential privacy"):
        Diffusion(device="cuda").refuse_undeclared(images(20, 1).schema)
