"""Images read under declarations: all that lacks is told at once, and each is read by itself."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semblance.core import large
from semblance.core.errors import DataError, ResourceError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.declare import Said
from semblance.modalities.image.gather import each
from semblance.modalities.image.public import PIXELS, _is_declared, read
from semblance.modalities.image.write import write
from tests.modalities.image.inscribed import TEXTS, inscribed, phantom
from tests.modalities.image.made import LAYOUTS, folder, phantoms
from tests.modalities.image.tissue import beside

IMAGE = {"range": [20, 200], "size": [12, 12], "channels": 1, "labels": ["clear", "nodule"]}


def said(**image: Any) -> ReadOptions:
    own = {key: value for key, value in {**IMAGE, **image}.items() if value is not None}
    return ReadOptions(declared={"cohort": {"id": "xray", "n_public": 10}, "image": own})


@pytest.fixture
def pngs(tmp_path: Path) -> Path:
    pytest.importorskip("PIL")
    return folder("png", tmp_path)


def test_what_is_declared_bounds_what_is_read(tmp_path):
    data, profile = read([folder("npz", tmp_path)], said())
    assert data.schema.public and data.schema.n_public == 10 and profile.records == 6
    assert (data.schema[PIXELS].min, data.schema[PIXELS].max) == (20, 200)
    assert data.pixels.min() == 20 and data.pixels.max() == 200
    assert list(data.frame["label"].cat.categories) == ["clear", "nodule"]


def test_a_broken_image_is_missing_and_changes_no_other(pngs):
    before, _ = read([pngs], said())
    broken = sorted(pngs.rglob("*.png"))[1]
    broken.chmod(0o600)
    broken.write_bytes(broken.read_bytes()[:40])
    after, profile = read([pngs], said())
    assert len(after) == 5 and profile.notes and after.schema == before.schema and after.layout == before.layout
    assert np.array_equal(after.pixels, np.delete(before.pixels, 1, 0))


def test_a_file_that_is_lost_or_of_another_format_is_missing_and_changes_no_other(pngs):
    before, _ = read([pngs], said())
    first, second = sorted(pngs.rglob("*.png"))[:2]
    first.unlink()
    second.rename(second.with_suffix(".dcm"))
    after, profile = read([pngs], said())
    assert np.array_equal(after.pixels, before.pixels[2:]) and len(profile.notes) == 1


def test_folders_are_labels_of_pngs_whatever_lies_there_first(tmp_path):
    """A first file of another kind once took the label from all others."""
    pytest.importorskip("PIL")
    path = folder("png", tmp_path, anonymous=True)
    before, _ = read([path], said(patients="unknown"))
    first = sorted(path.rglob("*.png"))[0]
    first.rename(first.with_suffix(".dcm"))
    after, _ = read([path], said(patients="unknown"))
    assert len(after) == 5 and after.labels.tolist() == before.labels[1:].tolist()


def test_what_is_known_besides_the_label_is_not_learned_and_declaring_it_is_refused(tmp_path):
    path = folder("npz", tmp_path)
    np.savez(path, **np.load(path), age=np.arange(6))
    assert [column.name for column in read([path], said())[0].schema.learned] == ["label"]
    options = said()
    with pytest.raises(UsageError, match="'age' is declared"):
        read([path], replace(options, declared={**options.declared, "columns": {"age": {"min": 0, "max": 99}}}))


@pytest.mark.parametrize("place", ["", " ", ".", "000003.png", "./000003.png"])
def test_a_row_of_a_manifest_is_of_one_file_that_no_row_before_it_names(place, pngs):
    """A patient without a path once got the images of all others."""
    before, _ = read([pngs], said())
    lines = (pngs / "manifest.csv").read_text().splitlines()
    assert lines[6].startswith("000006.png,")
    lines[6] = lines[6].replace("000006.png", place, 1)
    (pngs / "manifest.csv").write_text("\n".join(lines))
    after, _ = read([pngs], said())
    assert np.array_equal(after.pixels, before.pixels[:5]) and after.subjects.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("what", ['\n"', ",too,many,cells", f'"{"x" * 200_000}"'])
def test_a_line_of_a_manifest_changes_no_other(what, pngs):
    before, _ = read([pngs], said())
    lines = (pngs / "manifest.csv").read_text().splitlines()
    (pngs / "manifest.csv").write_text("\n".join([lines[0], f"{lines[1]}{what}", *lines[2:]]))
    after, _ = read([pngs], said())
    assert len(before) == 6 and np.array_equal(after.pixels[-5:], before.pixels[1:])


def test_values_of_one_image_of_an_archive_change_no_other(tmp_path):
    """A pixel that is no number once made the whole archive missing."""
    path = folder("npz", tmp_path)
    before, _ = read([path], said())
    arrays = dict(np.load(path))
    arrays["images"] = arrays["images"].astype(np.float32)
    arrays["images"][1, 3, 3] = np.nan
    np.savez(path, **arrays)
    after, _ = read([path], said())
    assert len(before) == 6 and np.array_equal(after.pixels, np.delete(before.pixels, 1, 0))
    assert after.labels.tolist() == np.delete(before.labels, 1).tolist()


def test_a_holdout_that_files_declare_is_read_as_all_others_and_that_is_said(tmp_path):
    path = folder("npz", tmp_path)
    before, silent = read([path], said())
    np.savez(path, **np.load(path), is_test=np.array([0, 0, 0, 1, 1, 0]))
    after, profile = read([path], said())
    assert after.held is None and np.array_equal(after.pixels, before.pixels)
    assert not silent.notes and profile.notes[0].startswith("2 images that files hold out are read as all others")


def test_text_in_pixels_is_missing_until_somebody_has_looked(tmp_path):
    (one,) = (replace(found, burned=True) for found in each([folder("npz", tmp_path, 1)], Said())[0])
    own = Said(range=(0, 255), size=(12, 12), channels=1, labels=("clear", "nodule"))
    assert not _is_declared(one, own) and _is_declared(one, replace(own, burned_in="accepted"))


def test_text_that_is_found_is_told_and_stops_nothing(tmp_path):
    pytest.importorskip("PIL")
    pixels = np.concatenate([inscribed(phantom(i), TEXTS[i % 4]) if i < 2 else phantom(i) for i in range(6)])
    np.savez(tmp_path / "a.npz", images=pixels.astype(np.uint8), patient=np.arange(6))
    found = read([tmp_path / "a.npz"], said(range=(0, 255), size=[128, 128], labels=[]))[1]
    assert [note for note in found.notes if note.startswith("2 of 6 images")]
    assert not any(one.unclear for one in found.fields)


@pytest.mark.parametrize("image", [{"size": [12, 13]}, {"channels": 3}, {"labels": ["other"]}])
def test_what_is_not_as_declared_is_missing(tmp_path, image):
    with pytest.raises(DataError, match="none of 6"):
        read([folder("npz", tmp_path)], said(**image))


def test_images_of_nobody_are_missing_but_where_that_is_declared(tmp_path):
    path = folder("npz", tmp_path, anonymous=True)
    with pytest.raises(DataError, match="none of 6"):
        read([path], said())
    data, _ = read([path], said(patients="unknown"))
    assert len(data) == 6 and data.anonymous


def test_all_that_is_not_declared_is_told_at_once(tmp_path):
    with pytest.raises(UsageError) as told:
        read([tmp_path / "nothing.npz"], said(range=None, size=None, channels=None, labels=None))
    assert [problem.found for problem in told.value.problems] == [
        f"no {key} is declared" for key in ("range", "size", "channels", "labels")
    ]


@pytest.mark.parametrize(
    ("span", "stored"), [((0, 255), "uint8"), ((0, 4095), "uint16"), ((-1024, 3071), "int16"), ((0, 0.5), "float32")]
)
def test_numbers_are_stored_as_the_range_allows(tmp_path, span, stored):
    data, _ = read([folder("npz", tmp_path)], said(range=list(span), labels=[]))
    assert (data.layout.stored, data.layout.fmt, list(data.frame)) == (stored, "npz", [])


def test_a_full_disk_is_an_error_and_no_missing_image(tmp_path, monkeypatch):
    def full(*args: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(large, "LARGE", 2**10)
    with pytest.raises(ResourceError, match="TMPDIR"):
        read([folder("npz", tmp_path)], said())


def test_a_missing_package_is_an_error_and_no_missing_image(tmp_path, monkeypatch):
    made = folder("nifti", tmp_path)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(UsageError, match="nibabel"):
        read([made], said())


def test_a_segmentation_among_files_is_no_image_that_is_missing(tmp_path):
    pytest.importorskip("pydicom")
    made = write([beside(replace(phantoms("dicom"), layout=LAYOUTS["dicom"]))], tmp_path / "x")
    for name in ("layout.json", "manifest.csv"):
        (made / name).unlink()
    assert len(list(made.iterdir())) == 12
    found, lost = each([made], Said())
    assert (len(found), lost) == (6, 0)
    (made / "cut.dcm").write_bytes((made / "000001_lesion.dcm").read_bytes()[:300])
    assert each([made], Said())[1] == 1
