from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.formats import npz
from semblance.modalities.image.read import like, read
from semblance.modalities.image.write import write
from tests.modalities.image.simulated import images


def saved(path, **arrays):
    np.savez(path, allow_pickle=False, **arrays)
    return path


def pixels(n=4, *, kind="uint8", shape=(10, 8)):
    return (np.arange(n * np.prod(shape)).reshape(n, *shape) % 199).astype(kind)


def test_train_val_and_test_are_read_and_test_is_held_out(tmp_path):
    parts = {
        f"{part}_images": some for part, some in zip(("train", "val", "test"), np.split(pixels(12), 3), strict=True)
    }
    labels = {f"{part}_labels": np.array([[0], [1], [0], [1]]) for part in ("train", "val", "test")}
    data, profile = read([saved(tmp_path / "a.npz", **parts, **labels)], ReadOptions())
    assert data.held.tolist() == [False] * 8 + [True] * 4
    assert data.labels.tolist() == ["0", "1"] * 6
    assert data.anonymous and profile.patients == 12
    assert any("held out" in note for note in profile.notes)


def test_is_test_class_names_and_patients_are_honoured(tmp_path):
    arrays = dict(images=pixels(), labels=np.array([0, 1, 1, 0]), is_test=np.array([0, 0, 1, 1]))
    named = dict(class_names=np.array(["left", "right"]), patient=np.array([7, 8, 9, 9]), z=np.arange(4))
    data, _ = read([saved(tmp_path / "a.npz", **arrays, **named)], ReadOptions())
    assert data.labels.tolist() == ["left", "right", "right", "left"]
    assert data.held.tolist() == [False, False, True, True]
    assert (data.subjects.tolist(), data.anonymous) == ([0, 1, 2, 2], False)
    assert data.frame["z"].tolist() == [0, 1, 2, 3]


def test_arrays_of_one_value_for_each_image_are_known_of_it_and_written_again(tmp_path):
    facts = {"train_age": np.array([50.0, np.nan, 61.0, 40.0]), "train_sex": np.array(["F", "M", "", "F"])}
    facts |= {"test_age": np.array([70.0]), "test_sex": np.array(["M"]), "vendor": np.array(["A", "B"])}
    split = {"train_images": pixels(4), "test_images": pixels(1)}
    data, profile = read([saved(tmp_path / "a.npz", **split, **facts)], ReadOptions())
    assert [column.name for column in data.schema.learned] == ["age", "sex"]
    assert any("learned of them: vendor" in note for note in profile.notes)
    assert data.frame["age"].fillna(-1).tolist() == [50, -1, 61, 40, 70]
    made = write([data], tmp_path / "b.npz")
    with np.load(made) as held:
        assert held["train_age"].dtype == float and held["train_sex"].tolist() == ["F", "M", "", "F", "M"]
    again = like([made], data.schema)
    assert again.frame["age"].equals(data.frame["age"]) and again.frame["sex"].equals(data.frame["sex"])


def test_numbers_that_are_known_keep_their_digits(tmp_path):
    facts = {"dose": np.array([123456.78, 1e-5, np.nan, 2e7]), "age": np.array([60.1, 50, 40, 30], np.float32)}
    data, _ = read([saved(tmp_path / "a.npz", images=pixels(), **facts)], ReadOptions())
    assert data.frame["dose"].fillna(0).tolist() == [123456.78, 1e-5, 0, 2e7]
    assert data.frame["age"].tolist() == [60.1, 50, 40, 30] and data.schema["age"].decimals == 1


@pytest.mark.parametrize(("odd", "text"), [(2, "2"), (-1, "-1"), (np.nan, ""), (0.5, "0.5"), (1, "right")])
def test_a_label_means_what_it_means_whatever_the_others_are(odd, text, tmp_path):
    """One number without a name once took the names from all, and one that is missing made all numbers floats."""
    arrays = dict(images=pixels(), labels=np.array([odd, 0, 1, 1]), class_names=np.array(["left", "right"]))
    whose = np.array([np.nan, 1234567, 1234568, 9])
    told = [one.facts for one in npz.read(saved(tmp_path / "a.npz", **arrays, patient=whose), npz.Said())]
    assert [facts["label"] for facts in told] == [text, "left", "right", "right"]
    assert [facts["subject"] for facts in told] == ["", "1234567", "1234568", "9"]


@pytest.mark.parametrize(
    ("shape", "axes", "size"),
    [
        ((10, 8), None, (1, 10, 8)),
        ((10, 8, 3), None, (3, 10, 8)),
        ((2, 10, 8), None, (2, 10, 8)),
        ((9, 10, 8), None, (1, 9, 10, 8)),
        ((2, 9, 10, 8), None, (2, 9, 10, 8)),
        ((9, 10, 8, 2), None, (2, 9, 10, 8)),
        ((3, 10, 8), "NDHW", (1, 3, 10, 8)),
    ],
)
def test_axes_are_found_or_declared_and_written_again(shape, axes, size, tmp_path):
    file = saved(tmp_path / "a.npz", images=pixels(3, shape=shape))
    told = None if axes is None else {"image": {"axes": axes}}
    data, _ = read([file], ReadOptions(declared=told))
    assert data.pixels.shape[1:] == size
    written = np.load(write([data], tmp_path / "synthetic.npz"), allow_pickle=False)
    assert (written["images"] == pixels(3, shape=shape)).all()
    assert written["images"].dtype == np.uint8


def test_everything_that_is_wrong_is_told_and_no_pickle_is_read(tmp_path):
    wrong = saved(tmp_path / "a.npz", images=pixels(), labels=np.zeros((4, 2)), patient=np.arange(3))
    with pytest.raises(DataError) as told:
        list(npz.read(wrong, npz.Said()))
    assert len(told.value.problems) == 2
    np.savez(tmp_path / "c.npz", images=np.array([None, 1], dtype=object))
    with pytest.raises(DataError, match=r"'c.npz' cannot be read"):
        list(npz.read(tmp_path / "c.npz", npz.Said()))
    whole = saved(tmp_path / "d.npz", images=pixels()).read_bytes()
    (tmp_path / "e.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "f.npz").write_bytes(b"")
    for name in "ef":
        with pytest.raises(DataError, match=f"'{name}.npz'"):
            list(npz.read(tmp_path / f"{name}.npz", npz.Said()))


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"images": np.uint8(0)}, "'images' has shape () of uint8"),
        ({"is_test": np.array([0, 1])}, "'is_test' has shape (2,)"),
        ({"is_test": np.array([0, 1, 2, np.nan])}, "'is_test' has other values, of float64"),
        ({"is_test": np.array(True)}, "'is_test' has shape ()"),
        ({"is_test": np.array(["a", "b", "a", "b"])}, "'is_test' has other values, of <U1"),
        ({"patient": np.array("P1")}, "'patient' has shape ()"),
        ({"labels": np.array(1)}, "'labels' has shape ()"),
        ({"spacing": np.array(["a", "b"])}, "'spacing' is not 2 numbers above 0"),
        ({"spacing": np.array([1.0, 1.0, 2.0])}, "'spacing' is not 2 numbers above 0"),
        ({"spacing": np.array([0.0, 1.0])}, "'spacing' is not 2 numbers above 0"),
        ({"spacing": np.array(1.0)}, "'spacing' is not 2 numbers above 0"),
        ({"channels": np.array(["T1", "T2"])}, "'channels' names T1, T2"),
        ({"images": pixels(shape=(2, 10, 8)), "channels": np.array("T1")}, "'channels' names T1"),
        (
            {"images": pixels(shape=(2, 10, 8)), "channels": np.array(["T1", "T1"])},
            "'channels' names T1, T1",
        ),
    ],
)
def test_arrays_that_do_not_fit_the_images_are_told(wrong, found, tmp_path):
    """Some of them once were defects, and a spacing of more or fewer axes was taken as it is."""
    with pytest.raises(DataError) as told:
        list(npz.read(saved(tmp_path / "a.npz", **{"images": pixels(), **wrong}), npz.Said()))
    assert [problem.found for problem in told.value.problems] == [f"'a.npz', array {found}"]


def test_a_spacing_that_is_wrong_is_told_once_for_all_parts(tmp_path):
    parts = {f"{part}_images": pixels() for part in ("train", "test")}
    with pytest.raises(DataError) as told:
        list(npz.read(saved(tmp_path / "a.npz", **parts, spacing=np.ones(3)), npz.Said()))
    assert len(told.value.problems) == 1


def test_written_and_read_it_is_the_same(tmp_path):
    data = images(6, 1)
    again = like([write([data], tmp_path / "synthetic.npz")], data.schema)
    assert (again.pixels == data.pixels).all() and again.labels.tolist() == data.labels.tolist()
    assert again.layout == data.layout and not again.anonymous
