"""What every modality of the catalogue must be able to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Dataset, Features, split_by_subject
from semblance.core.errors import UsageError
from semblance.core.modality import Modality, load
from semblance.core.rng import stream
from tests.contracts.samples import SAMPLES, bytes_at

ATTRIBUTES = ("read", "like", "write", "output", "embed", "features")


@pytest.fixture(params=catalog.MODALITIES)
def manifest(request: pytest.FixtureRequest) -> Modality:
    return catalog.modality(request.param)


@pytest.fixture
def data(manifest: Modality) -> Any:
    return SAMPLES[manifest.name].make(60, 0)


@pytest.fixture
def judged(manifest: Modality) -> Any:
    return SAMPLES[manifest.name].judged(120, 0)


def test_every_modality_brings_small_data():
    assert set(SAMPLES) == set(catalog.MODALITIES)


def test_an_unknown_modality_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="table"):
        catalog.modality("tabel")


def test_every_name_in_the_manifest_exists(manifest):
    paths = [getattr(manifest, name) for name in ATTRIBUTES]
    paths += [path for path in (manifest.declared, manifest.audit, manifest.survey) if path is not None]
    paths += [*manifest.generators.values(), *manifest.metrics, *manifest.attacks]
    assert all(callable(load(path)) for path in paths)
    assert {manifest.default, manifest.floor} <= set(manifest.generators)
    assert catalog.MODALITIES[manifest.name].endswith("MANIFEST")


def test_the_data_is_a_dataset(data):
    assert isinstance(data, Dataset)
    assert len(data.subjects) == len(data)


def test_take_keeps_the_patients_of_its_rows(data):
    rows = np.array([5, 3, 3, 0])
    part = data.take(rows)
    assert len(part) == 4
    assert (part.subjects == data.subjects[rows]).all()
    assert part.schema == data.schema


def test_a_split_parts_patients(data):
    train, holdout = split_by_subject(data, holdout=0.25, rng=stream(0, "split"))
    assert len(train) + len(holdout) == len(data)
    assert not set(train.subjects) & set(holdout.subjects)


def test_what_judges_see_is_a_dataset_with_the_patients_of_its_records(manifest, data):
    if manifest.judged is not None:
        seen = load(manifest.judged)(data, data)
        assert isinstance(seen, Dataset)
        assert set(seen.subjects) <= set(data.subjects)
        few = load(manifest.judged)(data.take(np.arange(5)), data)
        assert len(few) == int(np.isin(seen.subjects, data.subjects[:5]).sum())


def test_embedding_is_finite_and_scaled_on_the_reference(manifest, judged):
    made = load(manifest.embed)(judged, judged)
    assert made.dtype == np.float32
    assert len(made) == len(judged)
    assert np.isfinite(made).all()
    part = load(manifest.embed)(judged.take(np.arange(10)), judged)
    assert np.allclose(part, made[:10], atol=1e-5)


def test_features_are_coded_on_the_reference(manifest, judged):
    made: Features = load(manifest.features)(judged, judged)
    part: Features = load(manifest.features)(judged.take(np.arange(10)), judged)
    assert made.x.shape == (len(judged), len(made.names))
    assert len(made.categorical) == len(made.names)
    assert np.array_equal(part.x, made.x[:10], equal_nan=True)


def test_what_is_written_in_chunks_is_what_is_written_at_once(manifest, data, tmp_path):
    name = load(manifest.output)([f"x{manifest.suffixes[0]}"])
    once = load(manifest.write)([data], tmp_path / "a" / name)
    parts = load(manifest.write)([data.take(np.arange(50)), data.take(np.arange(50, len(data)))], tmp_path / "b" / name)
    assert bytes_at(once) == bytes_at(parts)


def test_what_is_written_is_read_again_under_its_schema(manifest, data, tmp_path):
    path = load(manifest.write)([data], tmp_path / load(manifest.output)([f"x{manifest.suffixes[0]}"]))
    again = load(manifest.like)([path], data.schema)
    assert len(again) == len(data)
    rewritten = load(manifest.write)([again], tmp_path / "again" / path.name)
    assert bytes_at(rewritten) == bytes_at(path)
