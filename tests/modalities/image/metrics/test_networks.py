from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import correlate

from semblance.core.errors import UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.declare import check
from semblance.modalities.image.metrics.networks import METRIC, Network, from_files, marks, networks
from tests.modalities.image.evidences import evidence
from tests.modalities.image.metrics.onnx_made import convolution
from tests.modalities.image.simulated import images

pytest.importorskip("onnxruntime")
WEIGHTS = np.random.default_rng(0).normal(size=(6, 1, 3, 3)).astype(np.float32)


def saved(folder: Path, made: bytes, name: str = "net.onnx") -> Path:
    path = folder / name
    path.write_bytes(made)
    return path


def said(*files: Path, **more) -> dict:
    return {"image": {"extractors": {file.stem: {"file": str(file), **more} for file in files}}}


def test_a_network_says_what_its_arithmetic_is(tmp_path):
    path = saved(tmp_path, convolution(WEIGHTS, ("n", 1, "h", "w"), pooled=True))
    x = np.random.default_rng(1).uniform(0, 1, (70, 1, 9, 11))
    found = Network("net", path, (-1.0, 3.0)).described(x)
    told = -1 + 4 * x
    by_hand = [
        [np.maximum(correlate(one[0], w[0], mode="constant"), 0).mean() for w in WEIGHTS.astype(float)] for one in told
    ]
    assert np.allclose(found, by_hand, atol=1e-5)
    places = Network("net", saved(tmp_path, convolution(WEIGHTS, (1, 1, "h", "w"))), (-1.0, 3.0)).described(x[:5])
    assert np.allclose(places, found[:5], atol=1e-5)  # one image at a time, averaged over places


@pytest.mark.parametrize("channels", [1, 3])
def test_images_become_what_a_network_takes(tmp_path, channels):
    weights = np.repeat(WEIGHTS, 3, 1)
    net = Network("net", saved(tmp_path, convolution(weights, (4, 3, 24, 18), pooled=True)))
    grey = np.full((6, channels, 12, 12), 0.25)
    assert np.allclose(net.described(grey), net.described(np.full((6, 3, 24, 18), 0.25)), atol=1e-6)
    large = np.zeros((1, 1, 96, 72))
    large[:, :, ::2] = 1  # lines that are finer than what is taken are averaged, not hit or missed
    assert np.allclose(net.described(large), net.described(np.full((1, 1, 24, 18), 0.5)), atol=0.05)


def test_the_finding_names_each_network_by_its_hash_and_is_the_worst(tmp_path):
    made = convolution(WEIGHTS, ("n", 1, 12, 12), pooled=True)
    one, other = (
        saved(tmp_path, made, "one.onnx"),
        saved(tmp_path, convolution(-WEIGHTS, ("n", 1, "h", "w")), "two.onnx"),
    )
    (fine,) = from_files(evidence(n=60, declared=said(one, other)))
    (bad,) = from_files(evidence("blurred", n=60, declared=said(one, other)))
    assert fine.status == bad.status == "measured" and fine.estimate.low < 2
    assert bad.estimate.value > 3 * fine.estimate.value and bad.control.value == pytest.approx(1)
    rows = bad.detail["networks"]
    assert [row["name"] for row in rows] == ["one", "two"] and bad.estimate.value == max(row["value"] for row in rows)
    assert f"one (SHA-256 {rows[0]['sha256'][:12]}...)" in bad.meaning
    assert rows[0]["sha256"] == hashlib.sha256(made).hexdigest() == marks(said(one))["one"]


def test_volumes_are_seen_by_their_middle_planes(tmp_path):
    from semblance.core.dataset import Evidence
    from semblance.modalities.image import MANIFEST

    path = saved(tmp_path, convolution(WEIGHTS, ("n", 1, 16, 16), pooled=True))
    parts = (images(24, i, (8, 9, 10)) for i in (1, 2, 3))
    (found,) = from_files(Evidence(*parts, MANIFEST, tier="fast", declared=said(path)))
    assert found.status == "measured"


def test_without_a_network_there_is_nothing_to_say():
    (found,) = from_files(evidence())
    assert found.metric == METRIC and found.status == "not_applicable"
    assert networks(None) == () and marks({}) == {}


def test_all_files_that_cannot_be_used_are_told_at_once_before_anything_is_learned(tmp_path):
    whole = convolution(WEIGHTS, ("n", 1, "h", "w"))
    files = [
        saved(tmp_path, whole[: len(whole) // 2], "cut.onnx"),
        saved(tmp_path, b"", "empty.onnx"),
        saved(tmp_path, convolution(WEIGHTS, ("n", 1, "h", "w"), elsewhere="../secret.bin"), "elsewhere.onnx"),
        tmp_path / "gone.onnx",
    ]
    (tmp_path.parent / "secret.bin").write_bytes(WEIGHTS.tobytes())
    with pytest.raises(UsageError) as told:
        marks(said(*files))
    assert [problem.found for problem in told.value.problems] == [
        *(f"'{file.name}' cannot be run" for file in files[:3]),
        "no file 'gone.onnx'",
    ]
    assert all(str(tmp_path) not in str(problem) for problem in told.value.problems)


def test_images_of_channels_that_a_network_does_not_take(tmp_path):
    net = Network("net", saved(tmp_path, convolution(np.repeat(WEIGHTS, 4, 1), ("n", 4, "h", "w"))))
    with pytest.raises(UsageError, match="2 channels"):
        net.described(np.zeros((2, 2, 8, 8)))


@pytest.mark.parametrize("value", [[], {}, {"a": ""}, {"a": {"range": [0, 1]}}, {"a": {"file": "x", "range": [1, 0]}}])
def test_what_is_declared_wrongly(value):
    assert check(ReadOptions(declared={"image": {"extractors": value}}))[1]
    assert not check(ReadOptions(declared={"image": {"extractors": {"a": "x.onnx"}}}))[1]


@pytest.mark.parametrize("value", [3, "net.onnx", ["net.onnx"], {"a": 5}, {"a": {"range": [0, 1]}}])
def test_what_is_declared_wrongly_is_refused_before_files_are_looked_for(value):
    with pytest.raises(UsageError, match="extractors is not"):
        marks({"image": {"extractors": value}})
    with pytest.raises(UsageError, match="no TOML table"):
        marks({"image": 3})


def test_tokens_of_an_image_are_averaged_and_not_their_numbers(tmp_path):
    made = convolution(WEIGHTS, ("n", 1, "h", "w"), tokens=True)  # (n, tokens, 6), as transformers describe images
    x = np.random.default_rng(1).uniform(0, 1, (3, 1, 8, 8))
    whole = Network("net", saved(tmp_path, convolution(WEIGHTS, ("n", 1, "h", "w")), "whole.onnx")).described(x)
    assert np.allclose(Network("net", saved(tmp_path, made)).described(x), whole, atol=1e-5)


def test_one_side_may_be_fixed_alone(tmp_path):
    free = Network("net", saved(tmp_path, convolution(WEIGHTS, ("n", 1, "h", "w"), pooled=True), "free.onnx"))
    half = Network("net", saved(tmp_path, convolution(WEIGHTS, ("n", 1, 8, "w"), pooled=True), "half.onnx"))
    x = np.random.default_rng(1).uniform(0, 1, (3, 1, 8, 12))
    assert np.allclose(half.described(x), free.described(x))
    assert half.described(np.repeat(x, 2, 2)).shape == (3, 6)


def test_many_images_need_no_more_memory_than_some(tmp_path):
    net = Network("net", saved(tmp_path, convolution(np.repeat(WEIGHTS, 3, 1), ("n", 3, 48, 48))))
    assert net.session is not None

    def most(n: int) -> int:
        tracemalloc.start()
        net.described(np.zeros((n, 1, 8, 8)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert most(192) < 1.3 * most(64)
