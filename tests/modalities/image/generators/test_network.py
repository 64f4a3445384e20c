from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semblance.core import large
from semblance.core.dataset import split_by_subject
from semblance.core.modality import ReadOptions
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.image.data import Channel, Images, concat
from semblance.modalities.image.generators.dcgan import Dcgan
from semblance.modalities.image.generators.floor import Floor
from semblance.modalities.image.generators.med_ddpm import MedDdpm
from semblance.modalities.image.generators.network import NetworkSpec
from semblance.modalities.image.generators.pix2pix import Pix2Pix
from semblance.modalities.image.generators.stylegan import StyleGan
from semblance.modalities.image.generators.translator import Translator
from semblance.modalities.image.generators.vae import Vae
from semblance.modalities.image.read import read
from semblance.modalities.image.write import write
from tests.modalities.image.simulated import images, scanned

PLAN = {"steps": 100, "batch": 32, "rate": 3e-3, "weight_decay": 0.0, "ema": 0.95, "look": 50}


def apart(name: type[NetworkSpec], n: int = 150, **options) -> tuple[float, float, float]:
    """How far the mean image is off, how much brighter the brightest pixel of a nodule is, and how varied images of a
    label are as a share of real ones (0: one image again and again), of images that learned for a few steps."""
    data = images(n, 1)
    plan = replace(name.base, steps=100, ema=0.95).to_json()
    made = concat(list(name(**options).fit(data, rng=stream(0, "fit"), plan=plan).sample(n, rng=stream(0, "sample"))))
    bright = made.pixels.max((1, 2, 3))
    gap = bright[made.labels == "nodule"].mean() - bright[made.labels == "clear"].mean()
    return float(np.abs(made.pixels.mean(0) - data.pixels.mean(0)).mean()), float(gap), varied(made) / varied(data)


def varied(data: Images) -> float:
    """The standard deviation of a pixel over images of a label, mean over pixels: of the label where it is least."""
    return min(float(data.pixels[data.labels == label].std(0).mean()) for label in np.unique(data.labels))


@pytest.mark.parametrize("spec", [Vae(), Dcgan(), StyleGan(), MedDdpm(steps=2), Pix2Pix()], ids=lambda s: s.card.name)
def test_every_network_learns_beside_what_is_known_and_is_restored(spec, tmp_path):
    data = scanned(40, 1)
    if isinstance(spec, Translator):
        body = (data.pixels > 60).astype(np.float32)
        layout = replace(data.layout, channels=(Channel("image"), Channel("body", ("around", "body"), (0, 1), "uint8")))
        data = replace(data, pixels=np.concatenate([data.pixels, body], 1), layout=layout)
    model = spec.fit(data, rng=stream(0, "fit"), plan=replace(spec.base, steps=3).to_json())
    (made,) = model.sample(4, rng=stream(0, "sample"), wanted=Wanted(given={"sex": "F"}))
    assert (made.frame["sex"] == "F").all() and made.schema == data.schema
    model.save(tmp_path)
    (again,) = spec.load(tmp_path).sample(4, rng=stream(0, "sample"), wanted=Wanted(given={"sex": "F"}))
    assert again.frame.equals(made.frame) and (again.pixels == made.pixels).all()


def test_a_subclass_says_what_is_trained():
    with pytest.raises(TypeError, match="what is trained"):
        NetworkSpec().objective((1, 8, 8), None, None)


def test_only_what_draws_is_kept():
    model = Vae(channels=2).fit(images(40, 1), rng=stream(0, "fit"), plan={**PLAN, "steps": 20})
    assert {name.partition(".")[0] for name in model.learned.arrays()} == {"told", "first", "films", "layers", "last"}


@pytest.mark.parametrize("name", [Floor, Vae])
def test_a_set_larger_than_memory_is_read_split_learned_drawn_and_written(name, archive, monkeypatch, tmp_path):
    plan = {} if name is Floor else replace(name.base, steps=2, batch=4).to_json()
    name().fit(images(30, 1), rng=stream(0, "fit"), plan=plan)  # what is imported when it is first used does not count
    monkeypatch.setattr(large, "LARGE", 2**20)
    tracemalloc.start()
    data, _ = read([archive], ReadOptions())
    train, holdout = split_by_subject(data, holdout=0.25, rng=stream(0, "split"))
    model = name().fit(train, rng=stream(0, "fit"), plan=plan)
    write(model.sample(8, rng=stream(0, "sample")), tmp_path / "made.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.pixels.nbytes > 16 * large.LARGE and len(train) + len(holdout) == len(data)
    assert peak < data.pixels.nbytes / 2


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """1,200 images of noise, 18 MiB as they are learned, of 600 patients."""
    path, rng = tmp_path_factory.mktemp("large") / "x.npz", stream(0, "archive")
    pixels = rng.integers(0, 200, (1200, 64, 64), dtype=np.uint8)
    np.savez(path, images=pixels, labels=np.arange(1200) % 2, patient=np.arange(1200) // 2)
    return path
