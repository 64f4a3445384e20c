from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.declare import Said
from semblance.modalities.image.gather import gather
from semblance.modalities.image.read import read
from tests.modalities.image.made import folder

image = pytest.importorskip("PIL.Image")
pytest.importorskip("pydicom")


def test_pictures_are_read_and_written_without_further_loss(tmp_path):
    """A folder of them once held no image, and among others they were dropped."""
    made = folder("png", tmp_path, anonymous=True)
    for file in sorted(made.rglob("*.png")):
        image.open(file).save(file.with_suffix(".JPG"), "JPEG", quality=95)
        file.unlink()
    records, profile = read([made], ReadOptions())
    assert set(records.labels) == {"clear", "nodule"} and records.layout.fmt == "png" and len(records) == 6
    lost = "JPEG has lost detail; what is made is written as PNG (and 5 more files)"
    assert [note for note in profile.notes if note.endswith(lost)]


def test_a_mask_is_no_jpeg(tmp_path):
    made = folder("png", tmp_path)
    table = pd.read_csv(made / "manifest.csv", dtype=str)
    image.fromarray(np.zeros((12, 12), np.uint8)).save(made / "m.jpg")
    table.assign(mask="m.jpg").to_csv(made / "manifest.csv", index=False)
    with pytest.raises(DataError, match=r"'m.jpg' as a mask"):
        read([made], ReadOptions())


def test_all_that_is_wrong_with_a_manifest_is_told_at_once(tmp_path):
    """It once took four rounds to hear of paths, labels, masks and patients."""
    made = folder("png", tmp_path, 8)
    table = pd.read_csv(made / "manifest.csv", dtype=str)
    (made / table["path"][1]).unlink()
    table["label"] = table["label"].where(table.index != 2, "")
    for side in (9, 12):
        image.fromarray(np.zeros((side, side), np.uint8)).save(made / f"{side}.png")
    table["mask"] = ["12.png", "12.png", "12.png", "9.png", "", *["12.png"] * 3]
    table["patient"] = table["patient"].where(table.index != 5, "")
    table.to_csv(made / "manifest.csv", index=False)
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    assert [problem.placed for problem in told.value.problems] == [
        "column 'path', row 2: no such file",
        f"'{table['path'][2]}' has no label",
        f"column 'patient': '{table['path'][5]}' names no patient",
        f"'{table['path'][3]}': a mask 'mask' of 9x9 pixels on an image of 12x12",
        f"'{table['path'][4]}' has no mask 'mask'",
    ]


@pytest.mark.parametrize("name", ["subject", "Subject", "PatientID"])
def test_an_image_without_its_patient_is_told(tmp_path, name):
    """One empty cell once made every image a patient of its own."""
    made = folder("png", tmp_path)
    table = pd.read_csv(made / "manifest.csv", dtype=str).rename(columns={"patient": name})
    table.to_csv(made / "manifest.csv", index=False)
    records, _ = read([made], ReadOptions())
    assert records.schema.where("subject").name == name and not records.anonymous
    assert name not in {column.name for column in records.schema.learned}
    table[name] = table[name].where(table.index != 2, "")
    table.to_csv(made / "manifest.csv", index=False)
    with pytest.raises(DataError, match=rf"column '{name}': '000003.png' names no patient"):
        read([made], ReadOptions())


def test_a_dicom_file_without_its_patient_is_of_another_one(tmp_path):
    import pydicom

    made = folder("dicom", tmp_path)
    (made / "manifest.csv").unlink()
    for i, file in enumerate(sorted(made.glob("*.dcm"))):
        held = pydicom.dcmread(file)
        held.PatientID = ["a", "b", "a", "", "b", "b"][i]
        held.save_as(file)
    records, profile = read([made], ReadOptions())
    assert records.subjects.tolist() == [0, 1, 0, 2, 1, 1]
    assert "1 image names no patient: each counts as a patient of its own" in profile.notes


def test_files_of_one_name_are_told_by_their_folders(tmp_path):
    """Two of them once could not be told apart."""
    made = folder("png", tmp_path, anonymous=True)
    (made / "manifest.csv").unlink(missing_ok=True)
    files = sorted(made.rglob("*.png"))
    for place in ("a/1", "b/1"):
        (made / place).mkdir(parents=True)
        (made / place / "IM1.png").write_bytes(b"")
    image.fromarray(np.zeros((9, 9), np.uint8)).save(made / "b" / "IM1.png")
    problems = [*gather([made], Said()).problems]
    assert [problem.found for problem in problems] == ["'a/1/IM1.png' is empty", "'b/1/IM1.png' is empty"]
    for place in ("a/1", "b/1"):
        (made / place / "IM1.png").unlink()
    with pytest.raises(DataError, match=r"'b/IM1.png': size 9x9"):
        read([made], ReadOptions())
    told = ["path,mask", *(f"{file.relative_to(made)},{file.relative_to(made)}" for file in files[1:])]
    (made / "a" / files[0].name).write_bytes(b"")
    own = files[0].relative_to(made)
    (made / "manifest.csv").write_text("\n".join([*told, f"{own},a/{files[0].name}"]))
    assert [problem.found for problem in gather([made], Said()).problems] == [f"'a/{files[0].name}' is empty"]
