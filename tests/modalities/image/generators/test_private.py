"""Images under differential privacy: what is not paid for is declared, and is the same whoever is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.model import Wanted
from semblance.core.promise import Noise, Steps
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.image.data import Images, concat
from semblance.modalities.image.generators.diffusion import Diffusion
from semblance.modalities.image.generators.private import SHOWN, PrivateSpec, _outlined, _source
from semblance.modalities.image.generators.vae import Vae
from semblance.modalities.image.public import PIXELS
from semblance.privacy.ledger import Ledger
from tests.modalities.image.simulated import LABELS, images

SPECS = (Diffusion(channels=4, components=2, steps=3), Vae(channels=2, latent=3))
PLAN = {"steps": 3, "batch": 10}
SCHEMA = Schema(
    (
        Column(PIXELS, "numeric", "drop", dtype="float32", min=0.0, max=255.0, bound="declared"),
        Column("patient", "identifier", "subject"),
        Column("label", "categorical", "target", categories=LABELS, bound="declared"),
    ),
    "xray",
    60,
    public=True,
)


def declared(whole: Images) -> Images:
    return replace(whole, schema=SCHEMA)


def opened(folder: Path, epsilon: float = 5.0) -> Ledger:
    return Ledger.open(folder / "ledgers", cohort="xray", epsilon=epsilon, delta=1e-3)


def fitted(spec: PrivateSpec, train: Images, ledger: Ledger, **how: Any) -> Any:
    return spec.fit(train, rng=stream(0, "fit"), plan=PLAN, ledger=ledger, **how)


def drawn(model: Any) -> np.ndarray:
    return concat(list(model.sample(5, rng=stream(0, "sample")))).pixels


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_it_pays_once_keeps_what_it_paid_for_and_looks_at_nobody_again(spec, tmp_path):
    train, ledger = declared(images(60, 1)), opened(tmp_path)
    model = fitted(spec, train, ledger, resume=tmp_path)
    noise, steps = ledger.spent()
    assert isinstance(noise, Noise) and (noise.count, noise.sensitivity) == (1, 1)
    assert isinstance(steps, Steps) and (steps.rate, steps.count) == (10 / 60, 3)
    assert model.measured["noise"] == [noise.to_json(), steps.to_json()]
    again = fitted(spec, train.take(np.arange(5)), ledger, resume=tmp_path)
    assert np.array_equal(drawn(model), drawn(again)) and ledger.spent() == (noise, steps)
    with pytest.raises(PrivacyError):
        fitted(spec, train, ledger)
    model.save(tmp_path / "model")
    assert np.array_equal(drawn(type(spec).load(tmp_path / "model")), drawn(model))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_images_that_were_not_declared_are_refused_before_anything_is_paid(spec, tmp_path):
    ledger, train = opened(tmp_path), images(60, 1)
    with pytest.raises(UsageError, match="declarations"):
        fitted(spec, train, ledger)
    with pytest.raises(UsageError, match="public number"):
        fitted(spec, replace(train, schema=replace(SCHEMA, n_public=None)), ledger)
    assert not ledger.spent()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_how_it_begins_and_what_an_image_becomes_depends_on_no_image(spec):
    """Other images, other labels: the same start, ends, scale and plan; only noisy shares are paid for."""
    one, other = declared(images(60, 1)), declared(images(40, 2))
    other = replace(other, pixels=255 - other.pixels, frame=other.frame.iloc[::-1].reset_index(drop=True))
    outlines = [_outlined(train, np.ones(2)) for train in (one, other)]
    assert outlines[0].to_json() == outlines[1].to_json()
    (a, rows), (b, same) = (spec._begun(outline, 7) for outline in outlines)
    assert np.array_equal(rows, same)
    states = [x.net.state_dict() for x in (a, b)]
    assert all(torch.equal(weight, states[1][name]) for name, weight in states[0].items())


def test_nothing_of_an_image_is_in_a_model_but_by_noisy_gradients(tmp_path):
    """Where no step moves a weight, a model of bright images is that of dark ones but for its noisy shares."""
    still = {**PLAN, "rate": 0.0}
    made = []
    for i, level in enumerate((10.0, 240.0)):
        whole = declared(images(60, 1))
        train = replace(whole, pixels=np.full_like(whole.pixels, level))
        spec, ledger = SPECS[0], opened(tmp_path / str(i))
        made.append(spec.fit(train, rng=stream(0, "fit"), plan=still, ledger=ledger))
    one, other = (model.encoding.to_json() for model in made)
    assert {k: v for k, v in one.items() if k != "shares"} == {k: v for k, v in other.items() if k != "shares"}
    first, second = (model.learned.arrays() for model in made)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_patient_shows_only_own_images_within_the_declared_range():
    whole = images(30, 1)
    train = declared(replace(whole, subjects=np.arange(30) // 3, pixels=whole.pixels * 2))
    source = _source(train, _outlined(train, np.ones(2)))
    batch = source.batch(np.array([0, 4])).numpy()
    assert batch.shape == (2, SHOWN, 145) and np.abs(batch[:, :, :-1]).max() <= 2
    numbers = (train.pixels.reshape(30, -1) - 127.5) / (255 / 4)
    for rows, own in zip(batch, (numbers[:3], numbers[12:15]), strict=True):
        assert all(np.isclose(own.clip(-2, 2), row[:-1], atol=1e-5).all(1).any() for row in rows)


def test_a_plan_of_declared_images_is_made_on_noise(tmp_path):
    train = declared(images(60, 1))
    plan = SPECS[1].plan(train, rng=stream(0, "plan"), time_budget=0.3)
    assert plan["batch"] == 3 and 1 <= plan["steps"] <= 600


def test_what_can_be_asked_for_is_what_was_declared():
    train = declared(images(5, 1))
    clear = train.take(train.labels == "clear")
    SPECS[0].check(clear, wanted=Wanted(given={"label": "nodule"}))
    with pytest.raises(UsageError):
        SPECS[0].check(train, wanted=Wanted(given={"label": "other"}))


def test_without_a_ledger_it_learns_as_before():
    model = SPECS[1].fit(images(40, 1), rng=stream(0, "fit"), plan=PLAN)
    assert not model.measured and drawn(model).shape == (5, 1, 12, 12)


def test_a_subclass_says_what_is_trained_privately():
    with pytest.raises(TypeError, match="trained privately"):
        PrivateSpec().apart((1, 8, 8), None)
