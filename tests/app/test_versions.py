from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy  # noqa: F401  (its BLAS is loaded before the threads are set)
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info

from semblance.app.versions import code_digest, cores, fingerprint, use_threads, versions
from semblance.core.errors import DataError, UsageError


def test_a_fingerprint_is_the_sha256_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"abc")
    assert fingerprint(f"{path}::member.csv") == fingerprint(str(path)) == hashlib.sha256(b"abc").hexdigest()


def test_what_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        fingerprint(str(tmp_path / "none.csv"))


def test_a_folder_is_what_its_files_are_called_and_hold(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "one.dat").write_text("1")
        (tmp_path / name / "inner" / "two.dat").write_text("2")
    same = {fingerprint(str(tmp_path / name)) for name in ("a", "b")}
    assert len(same) == 1
    (tmp_path / "b" / "one.dat").rename(tmp_path / "b" / "other.dat")
    (tmp_path / "a" / "one.dat").write_text("3")
    assert len(same | {fingerprint(str(tmp_path / name)) for name in ("a", "b")}) == 3


def test_what_cannot_be_read_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shut.csv").write_text("a\n1\n")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "shut")))
    with pytest.raises(DataError, match="permissions"):
        fingerprint(str(tmp_path / "shut.csv"))


def test_versions_name_what_a_result_depends_on() -> None:
    found = versions()
    assert {"semblance", "python", "numpy", "pandas", "torch"} <= found.keys()
    assert len(code_digest()) == 64 and code_digest() == code_digest()
    assert cores() >= 1


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three threads for this test, and afterwards what there was before."""
    for name in [name for name in os.environ if name.endswith("_NUM_THREADS")]:
        monkeypatch.setenv(name, os.environ[name])
    with ThreadpoolController().limit(limits=3):
        yield


def test_threads_bound_libraries_that_are_loaded_already(restored: None) -> None:
    use_threads(1)
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
