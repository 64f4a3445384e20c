from __future__ import annotations

import json
import os

import pytest

from semblance.core.errors import ResourceError
from semblance.core.files import atomic, atomic_folder, write_bytes, write_json, write_text


def test_what_is_written_is_read_back(tmp_path):
    write_bytes(tmp_path / "deep" / "a.bin", b"\x00\xff")
    write_text(tmp_path / "b.txt", "naïve ünïcode")
    write_json(tmp_path / "c.json", {"z": 1, "a": "é"})
    assert (tmp_path / "deep" / "a.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "naïve ünïcode"
    assert list(json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))) == ["z", "a"]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError("killed")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "made"
    for name in ("old.txt", "new.txt"):
        with atomic_folder(path) as temporary:
            (temporary / "inner").mkdir()
            (temporary / "inner" / name).write_text(name)
            assert not (path / "inner" / name).exists()
        assert [file.name for file in path.rglob("*.txt")] == [name]
    with pytest.raises(RuntimeError), atomic_folder(path) as temporary:
        (temporary / "half.txt").write_text("half")
        raise RuntimeError("killed")
    assert [file.name for file in path.rglob("*.txt")] == ["new.txt"] and os.listdir(tmp_path) == ["made"]


def test_a_folder_that_cannot_be_made_is_a_resource_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="cannot write 'made'"), atomic_folder(tmp_path / "file" / "made"):
        pass


def test_a_reader_never_sees_a_half_written_file(tmp_path):
    path = tmp_path / "a.txt"
    with atomic(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"


def test_a_folder_in_the_way_is_a_resource_error_that_names_only_the_file(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(ResourceError) as caught:
        write_text(tmp_path / "a.txt", "secret value")
    assert caught.value.exit_code == 7
    assert "a.txt" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_a_resource_error(tmp_path):
    with pytest.raises(ResourceError, match="space"), atomic(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_json_refuses_what_json_cannot_say(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()
