from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate import suites
from semblance.evaluate.run import evaluate
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.metrics.copies import copies, equal_images, unique_copies
from semblance.release.gate import decide
from semblance.release.policy import Policy
from tests.modalities.image.evidences import contrasts, evidence, parts
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked

TURNED = {
    "mirrored": lambda x: np.flip(x, -1),
    "upside down": lambda x: np.flip(x, -2),
    "half turned": lambda x: np.flip(x, (-2, -1)),
    "quarter turned": lambda x: np.rot90(x, 1, (-2, -1)),
    "transposed": lambda x: x.swapaxes(-2, -1),
}


def spoilt(how: str) -> np.ndarray:
    """Pixels of train, disguised."""
    pixels = parts()[0].pixels
    return {
        "plain": pixels,
        **{how: turn(pixels) for how, turn in TURNED.items()},
        "moved": np.roll(pixels, (1, -1), (2, 3)),
        "moved upside down": np.roll(np.flip(pixels, 2), (1, -1), (2, 3)),
        "brighter": 1.5 * pixels + 10,
        "noisy": pixels + stream(0, "noise").normal(0, 2, pixels.shape),
    }[how].astype(np.float32)


@pytest.mark.parametrize("how", ["plain", *TURNED, "moved", "moved upside down", "brighter", "noisy"])
def test_copies_are_found_in_disguise(how):
    ev = evidence("copied")
    found = copies(replace(ev, synthetic=replace(ev.synthetic, pixels=spoilt(how)), _cache={}))[0]
    assert found.estimate.value > 0.5


def test_independent_images_are_none_and_so_is_the_control():
    (found,) = copies(evidence())
    assert found.estimate.low <= 0 <= found.estimate.high and abs(found.control.value) < 0.05


def traced(data):
    """Masks drawn by a shaking hand: no two alike."""
    noise = stream(int(data.pixels[0].sum()), "hand").normal(0, 15, data.pixels[:, 0].shape)
    return (data.pixels[:, 0] + noise > 140).astype(np.float32)


def test_a_mask_that_was_taken_is_a_copy_under_any_pixels():
    train, held, fresh = (
        replace(part, pixels=np.stack([part.pixels[:, 0], traced(part)], 1))
        for part in (masked(120, seed, (16, 16)) for seed in (1, 2, 3))
    )
    plain = copies(Evidence(train, held, fresh, MANIFEST, tier="fast"))[0]
    assert plain.estimate.value < 0.1 and [*plain.detail["sights"]] == ["image", "masks"]
    pixels = np.stack([fresh.pixels[:, 0], train.pixels[:, 1]], 1)
    taken = copies(Evidence(train, held, replace(fresh, pixels=pixels), MANIFEST, tier="fast"))[0]
    assert taken.estimate.value > 0.5 and abs(taken.control.value) < 0.1


@pytest.mark.parametrize("contrast", [0, 1])
def test_a_patients_contrast_under_another_one_is_a_copy(contrast):
    ev = contrasts()
    fresh = copies(ev)[0]
    assert fresh.estimate.low <= 0 <= fresh.estimate.high and [*fresh.detail["sights"]] == ["CT", "ADC"]
    pixels = ev.synthetic.pixels.copy()
    pixels[:, contrast] = np.roll(ev.train.pixels[:, contrast], 1, -1)
    taken = copies(replace(ev, synthetic=replace(ev.synthetic, pixels=pixels), _cache={}))[0]
    assert taken.estimate.value > 0.9 and abs(taken.control.value) < 0.05


def few(count: int, how=lambda x: x, n: int = 500):
    """Among fresh images the first ones are of train, under the others' labels."""
    ev, fresh = evidence(), images(n, 14)
    pixels = fresh.pixels.copy()
    pixels[:count] = how(ev.train.pixels[:count])
    return replace(ev, synthetic=replace(fresh, pixels=pixels), _cache={})


@pytest.mark.parametrize("how", [lambda x: x, *TURNED.values(), lambda x: x + 0.2])
def test_one_image_in_a_hundred_that_equals_a_patients_refuses(how):
    (none,), (found,) = equal_images(few(0)), equal_images(few(5, how))
    assert none.estimate.value == found.control.value == 0 and none.estimate.high == pytest.approx(3 / 500)
    assert found.estimate.value == 0.01 and found.detail == {"images": 500, "found": 5}
    rules = [rule for profile in Policy.load().profiles for rule in profile.rules if rule.metric == found.metric]
    assert len(rules) == 3 and all(rule.allows(none.estimate.value) for rule in rules)
    assert not any(rule.allows(found.estimate.value) for rule in rules)


@pytest.mark.parametrize("axes", [-3, (-3, -1), (-3, -2, -1)])
def test_volumes_are_turned_over_along_depth_as_well(axes):
    train, held, fresh = (images(60, seed, (5, 8, 9)) for seed in (1, 2, 3))
    taken = replace(fresh, pixels=np.flip(train.pixels, axes).copy())
    ev = Evidence(train, held, taken, MANIFEST, tier="fast")
    assert all(found.estimate.value > 0.9 for look in (copies, unique_copies, equal_images) for found in look(ev))


def test_an_image_of_one_grey_or_of_unseen_patients_as_well_is_nobodys():
    ev = few(5)
    assert equal_images(replace(ev, holdout=ev.train, _cache={}))[0].estimate.value == 0
    grey = replace(ev, train=replace(ev.train, pixels=np.zeros_like(ev.train.pixels)), _cache={})
    black = replace(ev.synthetic, pixels=np.zeros_like(ev.synthetic.pixels))
    assert equal_images(replace(grey, synthetic=black, _cache={}))[0].estimate.value == 0


@pytest.mark.parametrize("turn", [lambda x: x, *TURNED.values()])
def test_a_few_copies_that_are_not_quite_equal_are_counted_among_all_images(turn):
    noise = stream(0, "noise").normal(0, 1, parts()[0].pixels.shape).astype(np.float32)
    (none,), (found,) = (unique_copies(few(k, lambda x: turn(x) + noise[: len(x)])) for k in (0, 15))
    assert found.detail["images"] == 500 and 14 <= found.detail["found"] - none.detail["found"] <= 15
    assert none.estimate.value < 0.02 < found.estimate.value and found.control.value < 0.05


def test_holdout_that_lies_in_train_as_well_hides_no_copies():
    ev = few(15, lambda x: 1.2 * x + 0.3)
    leaked = replace(ev.holdout, pixels=np.concatenate([ev.train.pixels[:30], ev.holdout.pixels[30:]]))
    assert unique_copies(replace(ev, holdout=leaked, _cache={}))[0].detail["found"] >= 14
    assert unique_copies(replace(ev, holdout=ev.train, _cache={}))[0].status == "insufficient"


@pytest.mark.parametrize("asked", ["public", "controlled", "internal"])
def test_one_patients_image_among_images_of_nobody_knows_whom_is_granted_to_nobody(monkeypatch, asked):
    """Their equal images are insufficient, which alone refuses nothing; the copies that must be certified cannot be."""
    monkeypatch.setattr(suites, "METRICS", ())
    monkeypatch.setattr(suites, "ATTACKS", ())
    own = replace(MANIFEST, metrics=tuple(name for name in MANIFEST.metrics if ".copies:" in name))
    ev = few(1)
    ev = replace(ev, train=replace(ev.train, anonymous=True), modality=own, _cache={})
    report = evaluate(ev)
    (equals,) = (found for found in report.findings if found.metric == "privacy.equal_images")
    assert equals.status == "insufficient" and equals.estimate.value == 1 / 500
    decision = decide(report, Policy.load(), asked=asked)
    refusing = {check.metric for check in decision.checks[asked] if check.outcome == "INSUFFICIENT" and check.refuses}
    assert decision.exit_code == 5 and refusing == {"privacy.copies", "privacy.unique_copies"}
