from __future__ import annotations

from dataclasses import replace

import pytest

from semblance.core.errors import UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.data import Channel
from semblance.modalities.image.read import read
from semblance.modalities.image.write import write
from tests.contracts.samples import bytes_at
from tests.modalities.image.made import LAYOUTS, phantoms
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked

pytest.importorskip("PIL")
pytest.importorskip("nibabel")
pytest.importorskip("pydicom")


@pytest.mark.parametrize("fmt", LAYOUTS)
def test_chunks_are_written_as_the_whole(fmt, tmp_path):
    whole = phantoms(fmt)
    name = "x.npz" if fmt == "npz" else "x"
    once = write([whole], tmp_path / "a" / name)
    parts = write([whole.take(whole.subjects < 2), whole.take(whole.subjects >= 2)], tmp_path / "b" / name)
    assert bytes_at(once) == bytes_at(parts)


def test_nothing_is_half_written(tmp_path):
    def broken():
        yield phantoms("png")
        raise RuntimeError

    for name in ("x", "x.npz"):
        with pytest.raises(RuntimeError):
            write(broken(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_no_images_and_other_suffixes_are_refused(tmp_path):
    with pytest.raises(UsageError, match="nothing to write"):
        write([], tmp_path / "x")
    with pytest.raises(UsageError, match=r"'x.gif'"):
        write([images(2, 1)], tmp_path / "x.gif")


def test_labels_become_folders_that_any_system_takes(tmp_path):
    whole = phantoms("png", anonymous=True)
    label = whole.frame["label"].cat.rename_categories({"clear": "a/../b c"})
    odd = replace(whole, frame=whole.frame.assign(label=label), layout=replace(whole.layout, folders=True))
    made = write([odd], tmp_path / "x")
    assert {one.name for one in made.iterdir() if one.is_dir()} == {"a_.._b_c", "nodule"}


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
@pytest.mark.parametrize(
    ("stored", "most"), [("uint8", 3), ("uint16", 300), ("int16", 3), ("int32", 300), ("int64", 3), ("uint64", 70000)]
)
def test_a_mask_of_any_whole_numbers_is_written_beside_its_image(stored, most, shape, tmp_path):
    """Of other types than a PNG has it once crashed."""
    whole = masked(6, 1, shape)
    mask = replace(whole.layout.channels[1], numbers=(0, most), stored=stored)
    made = write([replace(whole, layout=replace(whole.layout, channels=(Channel("image"), mask)))], tmp_path / "x")
    (made / "layout.json").unlink()
    again, _ = read([made], ReadOptions(rare=1))
    assert again.layout.channels[1].numbers == (0, most) and (again.pixels == whole.pixels).all()
