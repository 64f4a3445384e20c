from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.image.data import Step
from semblance.modalities.image.found import Found
from semblance.modalities.image.read import further, read
from semblance.modalities.image.steps import on_grid, resampled, take
from semblance.modalities.image.write import write
from tests.modalities.image.made import LAYOUTS
from tests.modalities.image.simulated import images

DATA = images(12, 1, (24, 20))


def coils(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Bodies of two tissues in air, and the smooth field by which each is brightened."""
    grid = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    body, organ = sum(x**2 for x in grid) < 0.9, sum((x - 0.2) ** 2 for x in grid) < 0.2
    plain = (2.0 + 100 * body + 60 * organ) * (1 + 0.03 * stream(0, "noise").standard_normal(shape))
    field = np.exp(0.35 * np.sin(grid[0] * 1.2) - 0.25 * grid[1])
    return plain, field


@pytest.mark.parametrize("shape", [(40, 36), (14, 16, 15)])
def test_a_smooth_field_is_found_and_divided_out(shape):
    plain, field = coils(shape)
    (made,), taken = take((plain * field)[None, None].astype(np.float32), ["bias"])
    inside = plain > 60
    left = np.log(made[0][inside] / plain[inside])
    assert left.std() < 0.3 * np.log(field[inside]).std()
    (same,), _ = take(plain[None, None].astype(np.float32), ["bias"])
    assert np.log(same[0][inside] / plain[inside]).std() < 0.05
    assert taken.undone(made[None])[0, 0] == pytest.approx(plain * field, rel=1e-4)


@pytest.mark.parametrize("steps", [("standardise",), ("match",), ("bias", "match")])
def test_gains_of_scanners_go_and_come_back(steps):
    gains = np.linspace(0.5, 1.5, len(DATA))[:, None, None, None]
    seen = (DATA.pixels * gains + 10).astype(np.float32)
    made, taken = take(seen, steps)
    middle = [np.median(one[one > 60]) for one in made]
    assert np.std(middle) / np.mean(middle) < 0.12 < np.std([np.median(one[one > 60]) for one in seen]) / 100
    assert taken.undone(made) == pytest.approx(seen, abs=0.05)
    again, _ = take(seen[3:5], taken.steps)
    assert again == pytest.approx(made[3:5], abs=1e-3)
    assert tuple(Step.from_json({"name": s.name, "common": s.common}) for s in taken.steps) == taken.steps


def test_what_nobody_knows_stays_so_and_one_brightness_stays_as_it_is():
    light = np.concatenate([DATA.pixels, DATA.pixels], 1)
    light[:3, 1], light[5] = np.nan, 7.0
    made, taken = take(light, ["bias", "standardise", "match"])
    assert (np.isnan(made) == np.isnan(light)).all() and np.ptp(made[5, 0]) < 1e-3
    assert taken.undone(made)[~np.isnan(light)] == pytest.approx(light[~np.isnan(light)], abs=0.05)


def test_a_grid_is_left_and_found_again_where_images_are_smooth():
    x, y = np.meshgrid(*2 * [np.linspace(0, 1, 32)], indexing="ij")
    smooth = np.sin(3 * x) + y
    coarse = on_grid(smooth, (16, 16))
    assert coarse.mean() == pytest.approx(smooth.mean(), abs=0.01)
    assert np.abs(on_grid(coarse, (32, 32)) - smooth).max() < 0.07
    mask = (x > 0.5).astype(np.uint8)
    assert set(np.unique(on_grid(mask, (20, 20), order=0))) == {0, 1}
    one = Found("a", smooth[None], replace(LAYOUTS["npz"], spacing=(1.0, 1.0)), masks={"m": mask})
    made = resampled(one, (2.0, 2.0))
    assert made.pixels.shape == (1, 16, 16) and made.masks["m"].shape == (16, 16) and made.layout.spacing == (2.0, 2.0)
    with pytest.raises(DataError, match="has 2 axes, the millimetres of 0"):
        resampled(replace(one, layout=replace(one.layout, spacing=())), (2.0, 2.0))
    for odd in (0.0, -1.0, np.nan, 1000.0):
        with pytest.raises(DataError, match="has pixels of"):
            resampled(replace(one, layout=replace(one.layout, spacing=(1.0, odd))), (2.0, 2.0))


def test_steps_that_are_declared_are_taken_of_all_parts_alike(tmp_path):
    made = write([replace(DATA, layout=LAYOUTS["npz"])], tmp_path / "a.npz")
    plain, _ = read([made], ReadOptions())
    declared = {"image": {"steps": ["bias", "match"], "resample": [4.0, 4.0]}}
    data, profile = read([made], ReadOptions(declared=declared))
    assert data.pixels.shape[2:] == (12, 10) and data.layout.spacing == (4.0, 4.0)
    assert [step.name for step in data.layout.steps] == ["resample", "bias", "match"]
    assert any("common scale" in note for note in profile.notes) and not plain.layout.steps
    again = further([made], data)
    assert again.pixels == pytest.approx(data.pixels, abs=1e-3) and again.layout == data.layout
    assert type(data.layout).from_json(data.layout.to_json()) == data.layout
    # What is made lies on the common scale already, and a judge is to see it as it was written.
    brighter = replace(data, pixels=(data.pixels * 1.2 + 5).astype(np.float32))
    for name in ("b.npz", "folder"):
        judged = further([write([brighter], tmp_path / name)], data)
        assert judged.pixels == pytest.approx(brighter.pixels, abs=0.51) and judged.layout.steps == data.layout.steps
    with pytest.raises(DataError, match="steps of 12 patients"):
        read([made], ReadOptions(declared=declared, rare=13))
    with pytest.raises(UsageError, match="steps is not"):
        read([made], ReadOptions(declared={"image": {"steps": ["blur"]}}))


def test_a_nifti_on_another_grid_is_written_with_its_millimetres_and_lies_where_it_lay(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    (tmp_path / "in").mkdir()
    affine = np.array([[-2.0, 0, 0, 30], [0, 2, 0, -40], [0, 0, 3, 5], [0, 0, 0, 1]])
    rng = stream(0, "volumes")
    for i in range(6):
        volume = rng.normal(100, 10, (10, 12, 8)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "in" / f"{i}.nii.gz")
    data, _ = read([tmp_path / "in"], ReadOptions(declared={"image": {"resample": [1.5, 1.0, 1.0]}}))
    made = write([data], tmp_path / "out")
    file = nibabel.load(made / "000001.nii.gz")
    assert file.shape == (20, 24, 16) and np.allclose(file.header.get_zooms(), (1.0, 1.0, 1.5))
    before = nibabel.as_closest_canonical(nibabel.load(tmp_path / "in" / "0.nii.gz"))
    for corner, same in (((-0.5, -0.5, -0.5), (-0.5, -0.5, -0.5)), ((9.5, 11.5, 7.5), (19.5, 23.5, 15.5))):
        assert np.allclose(before.affine @ [*corner, 1], file.affine @ [*same, 1])
    again = further([made], data)
    assert np.allclose(again.pixels, data.pixels, atol=1e-3) and again.layout.spacing == data.layout.spacing


def test_landmarks_are_those_of_enough_patients_that_no_file_holds_out(tmp_path):
    archive = {"images": DATA.pixels[:, 0], "patient": np.arange(12), "is_test": np.arange(12) < 6}
    archive["images"][:6] *= 10
    np.savez(tmp_path / "a.npz", **archive)
    declared = {"image": {"steps": ["standardise"]}}
    data, _ = read([tmp_path / "a.npz"], ReadOptions(declared=declared))
    (step,) = data.layout.steps
    assert step == take(DATA.pixels[6:], ["standardise"])[1].steps[0]
    with pytest.raises(DataError, match="steps of 6 patients"):
        read([tmp_path / "a.npz"], ReadOptions(declared=declared, rare=7))
    # A patient with many images counts once.
    often = np.repeat(DATA.pixels, np.where(np.arange(12) == 3, 9, 1), axis=0)
    whose = np.repeat(np.arange(12), np.where(np.arange(12) == 3, 9, 1))
    alike, once = take(often, ["match"], whose=whose)[1].steps[0], take(DATA.pixels, ["match"])[1].steps[0]
    assert np.allclose(alike.common, once.common)
    # A contrast of one patient alone: its landmarks would be that patient's.
    np.savez(tmp_path / "b.npz", images=DATA.pixels[:, 0], patient=np.arange(12), domain=["CT"] * 11 + ["MR"])
    with pytest.raises(DataError, match="steps of 1 patients"):
        read([tmp_path / "b.npz"], ReadOptions(declared=declared))


def test_steps_that_an_archive_tells_wrongly_are_an_error_of_its_file(tmp_path):
    np.savez(tmp_path / "a.npz", images=DATA.pixels[:, 0], intensity_steps=["{"])
    with pytest.raises(DataError, match="cannot be read"):
        read([tmp_path / "a.npz"], ReadOptions())
