from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.image.directions import grid_turn, plane, plane_turn
from semblance.modalities.image.formats import dicom
from semblance.modalities.image.formats.objects import uid
from semblance.modalities.image.read import like, read
from semblance.modalities.image.write import write

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")
AXIAL, CORONAL, SAGITTAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1)
DEEP = ReadOptions(declared={"image": {"dimensions": 3}})


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product([1, -1], repeat=3)))
def test_every_grid_comes_to_ras_and_each_pixel_stays_at_its_millimetres(axes, signs):
    """As nibabel has it."""
    values = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    tilt = 0.1 * stream(0, "tilt").normal(size=(3, 3))
    affine = np.eye(4)
    affine[:3, :3] = ((np.eye(3) + tilt) * [1.0, 2.0, 3.0] * signs)[:, axes]
    affine[:3, 3] = 5, -7, 11
    turn, moved = grid_turn(affine, values.T.shape)
    expected = nibabel.as_closest_canonical(nibabel.Nifti1Image(values.astype(np.int16), affine))
    assert np.array_equal(turn(values.T).T, np.asarray(expected.dataobj)) and np.allclose(moved, expected.affine)
    assert bool(turn) == (not np.array_equal(turn(values.T), values.T))


@pytest.mark.parametrize("usual", [AXIAL, CORONAL, SAGITTAL])
@pytest.mark.parametrize("way", list(product([False, True], repeat=3)))
def test_planes_come_to_lie_as_they_are_looked_at(usual, way):
    other, right, down = way
    rows, columns = np.array(usual[:3], dtype=float), np.array(usual[3:], dtype=float)
    drawn = np.arange(12).reshape(3, 4)  # as it is looked at
    seen = drawn[:: -1 if down else 1, :: -1 if right else 1]
    along = [-rows if right else rows, -columns if down else columns]
    turn, across = plane_turn([*along[1], *along[0]] if other else [*along[0], *along[1]])
    assert np.array_equal(turn(seen.T if other else seen), drawn) and across == usual


def grids(path: Path, affines: list[np.ndarray], **also) -> Path:
    """NIfTI of volumes, each with a block at the patient's right, front and top, as its affine has it."""
    path.mkdir()
    rows = []
    for i, affine in enumerate(affines):
        world = np.zeros((12, 12, 12), np.int16)
        world[8:, 9:, 10:] = 100
        world += stream(i, "noise").integers(0, 9, world.shape).astype(np.int16)
        own = np.argmax(np.abs(affine[:3, :3]), axis=0)
        values = world.transpose(*own)
        values = np.flip(values, [k for k in range(3) if affine[own[k], k] < 0])
        nibabel.save(nibabel.Nifti1Image(values, affine), path / f"{i}.nii.gz")
        rows.append({"path": f"{i}.nii.gz", "subject": i})
    pd.DataFrame(rows).assign(**also).to_csv(path / "manifest.csv", index=False)
    return path


def turned(axes: tuple[int, ...], signs: tuple[int, ...], origin: float) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = np.diag([2.0 * sign for sign in signs])[:, axes]
    affine[:3, 3] = origin, -2 * origin, 7
    return affine


def middle(file: Path) -> np.ndarray:
    """(3,) where the block lies, from the middle of the volume."""
    image = nibabel.load(file)
    values = np.asarray(image.dataobj)
    at = np.argwhere(values > 50).mean(0) - (np.array(values.shape) - 1) / 2
    return image.affine[:3, :3] @ at


def test_volumes_of_all_directions_lie_alike_and_stay_at_the_side_where_they_lay(tmp_path):
    """Left and right were once swapped where origins differ, and mixed where axes do."""
    ways = [turned((0, 1, 2), (-1, 1, 1), i) for i in range(6)]
    sets = {
        "origins": ways,
        "signs": [*ways[:3], *(turned((0, 1, 2), (1, 1, -1), i) for i in range(3))],
        "axes": [*ways[:3], *(turned((1, 2, 0), (1, -1, 1), i) for i in range(3))],
    }
    for name, affines in sets.items():
        folder = grids(tmp_path / name, affines)
        data, profile = read([folder], ReadOptions())
        assert np.ptp(data.pixels, axis=0).max() < 10 and data.layout.affine == tuple(np.diag([2.0] * 4)[:3].ravel())
        assert any("turned to the usual directions (and " in note for note in profile.notes)
        out = write([data], tmp_path / f"{name}_out")
        for i in range(6):
            assert np.allclose(middle(folder / f"{i}.nii.gz"), middle(out / f"{i + 1:06d}.nii.gz"), atol=1e-6)
        assert np.array_equal(like([out], data.schema).pixels, data.pixels)


def test_a_tilt_that_all_share_is_kept_and_another_is_some_patients(tmp_path):
    for name, steeper in (("all", 0.0), ("own", 0.01)):
        angles = [0.1 + steeper * i for i in range(4)]
        tilts = [block_diag([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]], np.eye(2)) for a in angles]
        affines = [turned((0, 1, 2), (-1, -1, 1), i) @ tilt for i, tilt in enumerate(tilts)]
        layout = read([grids(tmp_path / name, affines)], ReadOptions())[0].layout
        made = np.reshape(layout.affine, (3, 4))
        assert not made[:, 3].any() and (made[0, 1] == 0) == (name == "own") and (np.diag(made) > 0).all()


@pytest.mark.parametrize("said", [True, False])
def test_a_mask_lies_as_it_says_itself_or_as_its_image(said, tmp_path):
    affines = [turned((1, 2, 0), (1, -1, 1), i) for i in range(6)]
    folder = grids(tmp_path / "x", affines, mask=[f"m{i}.nii.gz" for i in range(6)])
    for i in range(6):
        image = nibabel.load(folder / f"{i}.nii.gz")
        mask = nibabel.Nifti1Image((np.asarray(image.dataobj) > 50).astype(np.uint8), image.affine if said else None)
        nibabel.save(nibabel.as_closest_canonical(mask) if said else mask, folder / f"m{i}.nii.gz")
    data, _ = read([folder], ReadOptions(rare=1))
    assert ((data.pixels[:, 0] > 50) == (data.pixels[:, 1] == 1)).all()


def plain(file: Path, across: tuple[float, ...] | None, at: float = 0.0, series: str = "", i: int = 0) -> None:
    """An MR image with a bright corner at the patient's left, and back or feet, in a plane of these directions."""
    held = pydicom.dcmread(dicom_file())
    held.PixelData = (drawn(i, across) * np.ones((1, 1), np.int16)).astype("<i2").tobytes()
    held.Rows, held.Columns = 16, 16
    held.PatientID, held.SOPInstanceUID = f"P{i}", uid(file.name)
    held.SeriesInstanceUID = uid(series or file.name)
    del held.ImageOrientationPatient, held.ImagePositionPatient
    if across is not None:
        normal = np.cross(across[:3], across[3:])
        held.ImageOrientationPatient = [f"{x:.6g}" for x in across]
        held.ImagePositionPatient = [f"{x:.6g}" for x in at * normal]
    held.save_as(file)


def dicom_file() -> str:
    return str(pydicom.data.get_testdata_file("MR_small.dcm", download=False))


def drawn(i: int, across: tuple[float, ...] | None) -> np.ndarray:
    pixels = stream(i, "drawn").integers(0, 9, (16, 16)).astype(np.int16)
    pixels[10:, 12:] = 100
    if across is None:
        return pixels
    turn, _ = plane_turn(across)
    for axis in (axis for axis, back in enumerate(turn.flipped) if back):
        pixels = np.flip(pixels, axis)
    return pixels.T if turn.order == (1, 0) else pixels


def test_planes_that_run_the_other_way_lie_alike_and_other_planes_are_named(tmp_path):
    for i in range(6):
        plain(tmp_path / f"{i}.dcm", (-1, 0, 0, 0, 1, 0) if i % 2 else (0, 1, 0, 1, 0, 0), i=i)
    data, profile = read([tmp_path], ReadOptions())
    assert (data.pixels[:, 0, 10:, 12:] > 50).all() and (data.pixels > 50).sum() == 6 * 24
    assert data.layout.across == AXIAL and any("usual directions" in note for note in profile.notes)
    plain(tmp_path / "6.dcm", SAGITTAL, i=6)
    plain(tmp_path / "7.dcm", None, i=7)
    with pytest.raises(DataError) as told:
        read([tmp_path], ReadOptions())
    assert [problem.found for problem in told.value.problems] == [
        "'6.dcm': plane sagittal, of most axial",
        "'7.dcm': plane unknown, of most axial",
    ]


def test_a_series_keeps_its_plane_where_patients_are_tilted_and_slices_stand_in_order(tmp_path):
    """It once was written as axial."""
    for i in range(5):
        rows, columns = np.array([0, 1, 1e-3 * i]), np.array([0, 1e-3 * i, -1])
        across = (*rows, *columns) if i % 2 else (*-rows, *columns)  # the normal runs to either side
        for k in range(4):
            plain(tmp_path / f"{i}_{k}.dcm", across, 4.0 * k, f"series {i}", i)
    data, _ = read([tmp_path], DEEP)
    assert data.layout.across == SAGITTAL and data.layout.spacing[0] == 4.0
    assert (data.pixels[:, 0, :, 10:, 12:] > 50).all()
    out = write([data], tmp_path / "out")
    held = [pydicom.dcmread(file) for file in sorted((out / "000001").iterdir())]
    assert held[1].ImageOrientationPatient == list(SAGITTAL) and held[1].ImagePositionPatient == [-4, 0, 0]


def test_slices_of_a_series_that_are_not_parallel_are_named(tmp_path):
    for k, across in enumerate((AXIAL, CORONAL, AXIAL)):
        plain(tmp_path / f"{k}.dcm", across, 5.0 * k, "scout")
    _, problems = dicom.volumes([dicom.read(file) for file in sorted(tmp_path.iterdir())])
    assert ["of several directions" in problem.found for problem in problems] == [True]


def test_a_layout_says_its_plane():
    assert plane(dicom.read(Path(dicom_file())).found.layout) == "axial"
