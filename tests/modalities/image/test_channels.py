from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.data import concat
from semblance.modalities.image.read import further, read
from semblance.modalities.image.write import write
from tests.modalities.image.tissue import masked, paired, unpaired

pytest.importorskip("PIL")
nibabel = pytest.importorskip("nibabel")


def saved(path, **arrays):
    np.savez(path, allow_pickle=False, **arrays)
    return path


def pixels(n=12):
    return (np.arange(n * 80).reshape(n, 10, 8) % 200).astype(np.uint8)


def mask(n=12, value=1):
    made = np.zeros((n, 10, 8), np.uint8)
    made[:, 2:5, 3:6] = value
    return made


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
@pytest.mark.parametrize("name", ["x.npz", "x"])
@pytest.mark.parametrize("make", [masked, paired])
def test_masks_and_pairs_are_written_and_read_alike(make, name, shape, tmp_path):
    data = make(12, 1, shape)
    made = write([data.take(np.arange(5)), data.take(np.arange(5, 12))], tmp_path / name)
    again, _ = read([made], ReadOptions())
    assert (again.pixels == data.pixels).all() and again.labels.tolist() == data.labels.tolist()
    assert again.layout.channels == data.layout.channels and again.layout.apart == data.layout.apart
    assert (further([made], data).layout.given, again.subjects.tolist()) == (data.layout.given, list(range(12)))


@pytest.mark.parametrize("name", ["x.npz", "x"])
def test_unpaired_images_are_records_of_one_contrast(name, tmp_path):
    data = unpaired(12, 1)
    made = write([data], tmp_path / name)
    again, profile = read([made], ReadOptions(declared={"image": {"given": ["T1"]}}))
    assert np.array_equal(again.pixels, data.pixels, equal_nan=True)
    assert again.layout.given == ("T1",) and any("`cut` and the floor learn" in note for note in profile.notes)


def test_an_array_of_whole_numbers_is_a_mask_and_objects_are_of_one_class(tmp_path):
    objects = mask()
    objects[:, 3, 3:6] = np.arange(12)[:, None] * 3 + 2
    file = saved(tmp_path / "a.npz", images=pixels(), organ=mask(value=3), instances=objects, z=np.arange(12))
    data, profile = read([file], ReadOptions())
    organ, cells = data.layout.maps[1], data.layout.maps[2]
    assert (organ.classes, organ.numbers) == (("background", "organ"), (0, 3))
    assert cells.classes == ("background", "instances") and (data.pixels[:, 2] == (objects > 0)).all()
    assert any("organ in 12 of 12" in note for note in profile.notes)
    written = np.load(write([data], tmp_path / "b.npz"))
    assert (written["organ"] == mask(value=3)).all() and (written["instances"] == (objects > 0)).all()


def test_classes_are_named_and_those_of_few_patients_are_left_out(tmp_path):
    odd = mask()
    odd[:3, 8, 1] = 2
    file = saved(tmp_path / "a.npz", images=pixels(), organ=odd)
    told = {"image": {"masks": {"organ": ["air", "liver", "stone"]}}}
    data, profile = read([file], ReadOptions(declared=told))
    assert data.layout.maps[1].classes == ("air", "liver", "stone") and data.pixels[:, 1].max() == 1
    assert any("under 5 patients" in note for note in profile.notes)
    bare, _ = read([file], ReadOptions())
    assert bare.layout.maps[1].numbers == (0, 1) and (bare.pixels == data.pixels).all()
    with pytest.raises(DataError, match="without a class"):
        read([file], ReadOptions(declared={"image": {"masks": {"organ": ["air", "liver"]}}}))


def test_a_class_that_was_left_out_of_train_is_left_out_of_further_images(tmp_path):
    """Such a holdout was once refused, for what reading had done itself."""
    odd = mask()
    odd[:3, 8, 1] = 2
    train, _ = read([saved(tmp_path / "a.npz", images=pixels(), organ=odd)], ReadOptions())
    odd[:8, 8, 2], odd[:, 9, 2] = 2, 7
    holdout = further([saved(tmp_path / "b.npz", images=pixels(), organ=odd)], train)
    assert holdout.layout.channels == train.layout.channels
    assert (holdout.pixels[:, 1] == mask()).all()


def test_everything_that_is_wrong_with_masks_is_told_at_once(tmp_path):
    write([masked(3, 1)], tmp_path / "m")
    table = pd.read_csv(tmp_path / "m" / "manifest.csv")
    from PIL import Image

    Image.fromarray(np.zeros((9, 16), np.uint8)).save(tmp_path / "m" / "small.png")
    Image.fromarray(np.zeros((16, 16, 3), np.uint8) + np.arange(3, dtype=np.uint8)).save(tmp_path / "m" / "colour.png")
    table["mask_lesion"] = ["small.png", "colour.png", "nowhere.png"]
    table.to_csv(tmp_path / "m" / "manifest.csv", index=False)
    with pytest.raises(DataError, match="no such file"):
        read([tmp_path / "m"], ReadOptions())
    table["mask_lesion"] = ["small.png", "colour.png", "colour.png"]
    table.to_csv(tmp_path / "m" / "manifest.csv", index=False)
    with pytest.raises(DataError, match="3 channels"):
        read([tmp_path / "m"], ReadOptions())
    table["mask_lesion"] = ["small.png", "", "small.png"]
    table.to_csv(tmp_path / "m" / "manifest.csv", index=False)
    with pytest.raises(DataError) as told:
        read([tmp_path / "m"], ReadOptions())
    assert len(told.value.problems) == 3 and "'000001.png'" in str(told.value) and "has no mask" in str(told.value)
    half = saved(tmp_path / "a.npz", images=pixels(), mask=mask() / 2)
    with pytest.raises(DataError, match="not whole"):
        read([half], ReadOptions())
    for name in ("mask", "instances"):
        below = saved(tmp_path / "below.npz", images=pixels(), **{name: -mask().astype(np.int8)})
        with pytest.raises(DataError, match=f"the mask '{name}' has negative numbers"):
            read([below], ReadOptions())
    many = saved(tmp_path / "b.npz", images=pixels(), mask=pixels())
    with pytest.raises(DataError, match="at most 20 classes"):
        read([many], ReadOptions())
    empty = saved(tmp_path / "c.npz", images=pixels(), mask=0 * mask())
    data, profile = read([empty], ReadOptions())
    assert data.pixels.shape[1] == 1 and any("shows nothing" in note for note in profile.notes)


@pytest.mark.parametrize(
    ("domain", "pair", "found"),
    [
        (["A", "A"] * 6, None, None),
        (["A", "B"] * 6, [i // 2 for i in range(12)], None),
        (["A", ""] * 6, None, "no domain"),
        (["A", "A"] * 6, [i // 2 for i in range(12)], "several images of one domain"),
        (["A", "B"] * 6, [0, 1, *(i // 2 + 2 for i in range(10))], "without some domain"),
        (["A", "B"] * 6, ["", *["1"] * 11], "of 12 images have a pair"),
    ],
)
def test_domains_and_pairs_are_whole(domain, pair, found, tmp_path):
    arrays = {} if pair is None else {"pair": np.array(pair)}
    file = saved(tmp_path / "a.npz", images=pixels(), domain=np.array(domain), **arrays)
    if found is not None:
        with pytest.raises(DataError, match=found):
            read([file], ReadOptions())
        return
    data, _ = read([file], ReadOptions())
    assert len(data) == (12 if pair is None else 6) and data.layout.apart
    assert [channel.name for channel in data.layout.channels] == sorted(set(domain))


def test_a_given_channel_exists_and_leaves_one_to_paint(tmp_path):
    file = saved(tmp_path / "a.npz", images=np.stack([pixels(), pixels()], 1), channels=np.array(["T1", "T2"]))
    data, _ = read([file], ReadOptions(declared={"image": {"given": ["T1"]}}))
    assert data.layout.given == ("T1",) and [one.name for one in data.layout.channels] == ["T1", "T2"]
    for given, match in ((["T3"], "no channel 'T3'"), (["T1", "T2"], "every channel")):
        with pytest.raises(DataError, match=match):
            read([file], ReadOptions(declared={"image": {"given": given}}))


def test_a_mask_of_a_volume_is_cut_with_it(tmp_path):
    data = masked(6, 1, (8, 9, 10))
    made = write([data], tmp_path / "x")
    (made / "layout.json").unlink()
    flat, _ = read([made], ReadOptions(declared={"image": {"dimensions": 2}}))
    assert flat.pixels.shape[1:] == (2, 9, 10)
    assert (flat.pixels[:8] == np.moveaxis(data.pixels[0], 1, 0)).all()
    assert len(concat([flat, flat])) == 2 * len(flat)
