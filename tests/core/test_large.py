from __future__ import annotations

import os
import tempfile
import tracemalloc

import numpy as np
import pytest

from semblance.core import large
from semblance.core.errors import ResourceError
from semblance.core.rng import stream


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(large, "LARGE", 2**16)


def on_file(array: np.ndarray) -> bool:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return isinstance(array, np.memmap)


def rows(n: int = 50) -> np.ndarray:
    return stream(0, "rows").normal(size=(n, 3, 1000))


def test_what_is_not_large_is_one_part_in_memory():
    x = rows()
    assert large.parts(x) == [slice(0, 50)] and large.parts(x[:0]) == [slice(0, 0)]
    assert not on_file(large.taken(x, np.arange(3)))
    assert np.array_equal(large.few(x.shape, rng=stream(0, "few")), np.arange(50))


def test_a_large_array_lies_in_a_file_and_is_the_same(small):
    x, order = rows(), stream(0, "order").permutation(50)
    made = large.taken(x, order), large.copied(x), large.stacked(list(x)), large.concatenated(np.split(x, 5))
    assert all(map(on_file, made))
    assert all(np.array_equal(one, real) for one, real in zip(made, (x[order], x, x, x), strict=True))
    assert np.array_equal(large.by_rows(lambda part: part.mean((1, 2)), x), x.mean((1, 2)))
    parts = large.parts(x)
    assert np.array_equal(np.concatenate([np.arange(50)[part] for part in parts]), np.arange(50)) and len(parts) == 50
    assert len(large.few(x.shape, rng=stream(0, "few"), share=1)) == large.FEWEST


def test_nothing_is_left_in_the_folder_and_memory_holds_no_more_than_a_part(small, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tracemalloc.start()
    shelf = large.Shelf()
    held = [shelf.put(np.full((100, 100), i, dtype=np.float32)) for i in range(50)]
    made = large.stacked(held)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(made[:, 5, 5], np.arange(50)) and on_file(held[-1])
    assert peak < made.nbytes / 8
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told_before_anything_is_written(small, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ResourceError, match="TMPDIR"):
        large.empty((2**20,))
