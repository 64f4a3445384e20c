from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core import large
from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.formats import npz, raster
from semblance.modalities.image.halves import judged
from semblance.modalities.image.read import column_names, like, output_name, read
from semblance.modalities.image.write import write
from tests.modalities.image import tissue
from tests.modalities.image.made import LAYOUTS, folder, phantoms, pixels
from tests.modalities.image.simulated import scanned

pytest.importorskip("PIL")
nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")


def test_a_person_is_told_that_too_few_patients_leave_nothing_to_learn(tmp_path):
    path = tmp_path / "few.npz"
    np.savez(path, images=np.zeros((9, 8, 8), dtype=np.uint8), patient=np.arange(9) // 3)
    told = [any("come out flat" in note for note in read([path], ReadOptions(rare=rare))[1].notes) for rare in (5, 1)]
    assert told == [True, False]


@pytest.mark.parametrize(("patients", "told"), [(3, "lesion is shown by fewer than 5"), (6, "lesion in 9 of 12")])
def test_a_class_of_few_patients_is_not_told_to_be_in_no_image(patients, told, tmp_path):
    """What three patients show once was told to be in 0 images; how many show it is not told either."""
    images, lesion = np.arange(768, dtype=np.uint8).reshape(12, 8, 8) % 251, np.zeros((12, 8, 8), np.uint8)
    lesion[:9, 2:4, 2:4] = 1
    np.savez(tmp_path / "x.npz", images=images, lesion=lesion, patient=np.arange(12) % patients)
    notes = [note for note in read([tmp_path / "x.npz"], ReadOptions())[1].notes if "'lesion'" in note]
    assert len(notes) == 1 and told in notes[0] and (patients == 6 or ("9" not in notes[0] and "0 of" not in notes[0]))


@pytest.mark.parametrize("fmt", LAYOUTS)
def test_every_format_is_read_with_labels_and_patients(fmt, tmp_path):
    data, profile = read([folder(fmt, tmp_path)], ReadOptions())
    assert (data.pixels == phantoms(fmt).pixels).all()
    assert data.labels.tolist() == phantoms(fmt).labels.tolist()
    assert data.schema.names == ("patient", "label") and not data.anonymous
    assert data.layout.spacing == phantoms(fmt).layout.spacing
    assert (profile.records, profile.patients) == (6, 6)


@pytest.mark.parametrize("fmt", ["png", "tiff"])
def test_folders_are_labels_and_without_patients_images_are_anonymous(fmt, tmp_path):
    data, profile = read([folder(fmt, tmp_path, anonymous=True)], ReadOptions())
    assert (pixels(data) == pixels(phantoms(fmt))).all()
    assert sorted(data.labels) == sorted(phantoms(fmt).labels) and data.anonymous
    assert any("cannot be certified" in note for note in profile.notes)


@pytest.mark.parametrize("held", [False, True])
def test_equal_images_of_nobody_knows_whom_are_of_one_patient(held, tmp_path):
    """A copy of a learned image once could stand in the holdout."""
    shown = np.random.default_rng(0).integers(0, 255, (12, 12, 12)).astype(np.uint8)
    shown[[3, 7]] = shown[0]
    arrays = {"images": shown, "mask": (np.arange(12 * 144) % 3 == 0).reshape(shown.shape).astype(np.uint8)}
    np.savez(tmp_path / "a.npz", **arrays, **({"is_test": np.arange(12) > 5} if held else {}))
    data, profile = read([tmp_path / "a.npz"], ReadOptions())
    same = data.subjects[[0, 3, 7]]
    assert len(set(same.tolist())) == 1 and len(np.unique(data.subjects)) == 10 == profile.patients and data.anonymous
    assert "3 images have an equal one: equal images count as one patient's" in profile.notes
    moved = "not held out, as they are equal to others that are not: 1 images"
    assert (moved in profile.notes) == held
    assert data.held is None or data.held.tolist() == [i > 5 and i != 7 for i in range(12)]
    np.savez(tmp_path / "b.npz", **arrays, patient=np.arange(12))
    assert len(np.unique(read([tmp_path / "b.npz"], ReadOptions())[0].subjects)) == 12


def test_folders_named_train_and_test_are_a_split(tmp_path):
    made = folder("png", tmp_path, anonymous=True)
    for part in ("train", "test"):
        shutil.copytree(made, tmp_path / "both" / part)
    for file in (tmp_path / "both" / "test").rglob("*.png"):
        shown = raster.read(file)
        raster.write(255 - shown.pixels.astype(np.uint8), shown.layout, file.with_suffix(""))
    data, _ = read([tmp_path / "both"], ReadOptions())
    assert data.held.sum() == 6 and set(data.labels) == {"clear", "nodule"}


@pytest.mark.parametrize("fmt", LAYOUTS)
@pytest.mark.parametrize("anonymous", [False, True])
def test_what_is_written_is_read_alike_with_its_layout(fmt, anonymous, tmp_path):
    data, _ = read([folder(fmt, tmp_path, anonymous=anonymous)], ReadOptions())
    made = write([data], tmp_path / output_name([tmp_path / ("x.npz" if fmt == "npz" else "x")]))
    again = like([made], data.schema)
    assert (again.pixels == data.pixels).all() and again.labels.tolist() == data.labels.tolist()
    assert (again.layout, again.anonymous) == (data.layout, data.anonymous)
    assert data.anonymous is (anonymous and fmt != "dicom")


def test_a_series_is_a_volume_where_it_is_declared_so(tmp_path):
    whole = phantoms("nifti", 3)
    layout = LAYOUTS["dicom"].__class__("dicom", "int16", spacing=(3.0, 2.0, 2.0), kind="MR")
    made = write([whole.__class__(whole.schema, whole.frame, whole.pixels, whole.subjects, layout)], tmp_path / "x")
    assert like([made], whole.schema).pixels.shape == (3, 1, 9, 10, 11)
    (made / "layout.json").unlink()
    flat, _ = read([made], ReadOptions())
    deep, _ = read([made], ReadOptions(declared={"image": {"dimensions": 3}}))
    assert flat.pixels.shape == (27, 1, 10, 11) and len(set(flat.subjects)) == 3
    assert (deep.pixels == whole.pixels).all() and deep.layout.spacing == (3.0, 2.0, 2.0)


def test_a_manifest_names_subject_label_and_split(tmp_path):
    made = folder("png", tmp_path)
    table = pd.read_csv(made / "manifest.csv").rename(columns={"label": "finding", "patient": "who"})
    table.assign(split=["train"] * 4 + ["test"] * 2, site="A").to_csv(made / "manifest.csv", index=False)
    data, profile = read([made], ReadOptions(subject="who", target="finding"))
    assert data.schema.names == ("who", "finding", "site") and data.held.tolist() == [False] * 4 + [True] * 2
    assert [(one.name, one.action) for one in profile.fields][-1] == ("site", "learn")
    with pytest.raises(DataError, match="no column 'whom'"):
        read([made], ReadOptions(subject="whom"))


def test_what_else_a_manifest_knows_is_read_and_written_again(tmp_path):
    whole, made = scanned(30, 1), tmp_path / "x"
    write([replace(whole, layout=LAYOUTS["png"])], made)
    table = pd.read_csv(made / "manifest.csv", dtype=str, keep_default_na=False)
    named = table.assign(patient_name=[f"Q{i}" for i in range(30)], source="A")
    named.to_csv(made / "manifest.csv", index=False)
    declared = {"columns": {"scanner": {"na": "C"}, "age": {"min": 0}}}
    data, profile = read([made], ReadOptions(declared=declared))
    assert [column.name for column in data.schema.learned] == ["label", "age", "sex", "scanner"]
    assert data.frame["age"].equals(whole.frame["age"])
    gone = whole.frame["scanner"] == "C"
    assert (data.frame["scanner"].isna() == gone).all() and (data.frame["sex"] == whole.frame["sex"].astype(str)).all()
    assert {one.name: one.action for one in profile.fields}["patient_name"] == "drop"
    assert any(note.endswith("images are: source") for note in profile.notes)
    again = like([made], data.schema)
    assert again.frame["age"].equals(whole.frame["age"]) and set(column_names([made])) >= {"label", "age", "scanner"}
    table.drop(columns="age").to_csv(made / "manifest.csv", index=False)
    with pytest.raises(DataError, match="the column is missing"):
        like([made], data.schema)
    with pytest.raises(DataError, match="no column 'ages'"):
        read([made], ReadOptions(declared={"columns": {"ages": {}}}))


def test_tags_that_are_declared_are_known_of_their_image_and_none_that_names_a_patient(tmp_path):
    made = folder("dicom", tmp_path)
    for i, file in enumerate(sorted(made.glob("*.dcm"))):
        held = pydicom.dcmread(file)
        held.PatientAge, held.PatientSex, held.KVP = "018M" if i == 0 else f"{40 + i:03d}Y", "F" if i % 2 else "M", 120
        held.save_as(file)
    assert read([made], ReadOptions())[0].schema.names == ("patient", "label")
    columns = {"PatientAge": {"kind": "numeric"}, "PatientSex": {"protected": True}, "Rows": {"role": "drop"}}
    data, shown = read([made], ReadOptions(declared={"columns": columns}))
    assert data.frame["PatientAge"].tolist() == [1.5, 41, 42, 43, 44, 45]
    assert data.frame["PatientSex"].tolist() == ["M", "F"] * 3
    roles = [(field.name, field.role) for field in shown.fields if field.name.startswith("Patient")]
    assert {("PatientAge", "feature"), ("PatientSex", "feature"), ("PatientName", "drop")} <= {*roles}
    assert len(dict(roles)) == len(roles)
    written = [pydicom.dcmread(file) for file in sorted(write([data], tmp_path / "again").glob("*.dcm"))]
    assert [one.PatientAge for one in written] == ["018M", *(f"{40 + i:03d}Y" for i in range(1, 6))]
    assert [one.PatientSex for one in written] == ["M", "F"] * 3
    with pytest.raises(UsageError, match="'PatientName' is declared to be learned"):
        read([made], ReadOptions(declared={"columns": {"PatientName": {}}}))


def test_tags_of_patients_and_burned_in_text_are_told_before_anything_is_learned(tmp_path):
    made = folder("dicom", tmp_path)
    file = sorted(made.glob("*.dcm"))[2]
    held = pydicom.dcmread(file)
    held.BurnedInAnnotation, held.InstitutionName = "YES", "Quetzal Clinic"
    held.save_as(file)
    _, profile = read([made], ReadOptions())
    fields = {field.name: field for field in profile.fields}
    assert fields["PatientID"].role == "drop" and not fields["PatientID"].unclear
    assert fields["InstitutionName"].suspicion == f"1 of 6 images fill this tag: '{file.name}'"
    assert all(fields[name].beside for name in ("PatientID", "InstitutionName")) and not fields["pixels"].beside
    kinds = {name: fields[name].kind for name in ("PatientName", "StudyDate", "unique identifiers", "PatientID")}
    assert [*kinds.values()] == ["DICOM name", "DICOM date", "DICOM elements", "DICOM tag"]
    told = [field.name for field in profile.fields if field.beside and field.suspicion.startswith("6 of")]
    assert told[:2] == ["PatientName", "PatientID"]
    assert fields["burned-in text"].unclear and "Quetzal" not in str(profile)
    _, accepted = read([made], ReadOptions(declared={"image": {"burned_in": "accepted"}}))
    assert not any(field.unclear for field in accepted.fields)


def test_a_class_that_is_not_written_is_told_before_anything_is_learned(tmp_path):
    made = folder("dicom", tmp_path)
    for file in made.glob("*.dcm"):
        held = pydicom.dcmread(file)
        held.SOPClassUID, held.Modality = pydicom.uid.DigitalMammographyXRayImageStorageForPresentation, "MG"
        held.save_as(file)
    data, shown = read([made], ReadOptions())
    (note,) = [note for note in shown.notes if "Secondary Capture of modality MG: Digital Mammography" in note]
    assert "invented" in note
    for file in write([data], tmp_path / "again").glob("*.dcm"):
        assert pydicom.dcmread(file).SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage


def test_texts_of_headers_are_told_before_anything_is_learned(tmp_path):
    made = folder("nifti", tmp_path)
    file = sorted(made.glob("*.nii.gz"))[2]
    held = nibabel.load(file)
    held.header["descrip"] = "Quetzal Clinic"
    nibabel.save(held, file)
    _, profile = read([made], ReadOptions())
    (told,) = [field for field in profile.fields if field.name == "descrip"]
    assert (told.kind, told.role) == ("NIfTI header", "drop")
    assert told.suspicion == f"1 of 6 images fill this tag: '{file.name}'"
    assert "Quetzal" not in str(profile)


def harmed(fmt: str, tmp_path, n: int = 12):
    """A folder, and its files to be harmed."""
    made = folder(fmt, tmp_path, n)
    return made, sorted(file for file in made.iterdir() if file.name != "manifest.csv")


def test_all_problems_of_all_files_are_told_at_once_with_their_names(tmp_path):
    made, files = harmed("dicom", tmp_path)
    files[1].write_bytes(b"")
    files[4].write_bytes(files[4].read_bytes()[:700])
    files[7].write_bytes(b"\0" * 500)
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    names = [problem.found.split("'")[1] for problem in told.value.problems]
    assert names == [files[i].name for i in (1, 4, 7)]
    assert told.value.problems[0].found.endswith("is empty")


@pytest.mark.parametrize("fmt", ["tiff", "dicom", "nifti"])
def test_every_file_with_values_that_are_no_numbers_is_named(fmt, tmp_path):
    """They once were told late, as halves of pairs that nobody has."""
    from PIL import Image

    made, files = harmed(fmt, tmp_path)
    for i, file in enumerate(files):
        if fmt == "tiff":
            values = np.asarray(Image.open(file), dtype=np.float32)
            values[:2] = {1: np.nan, 4: np.inf}.get(i, 0)
            Image.fromarray(values).save(file)
        elif i in (1, 4) and fmt == "dicom":
            held = pydicom.dcmread(file)
            held.RescaleIntercept = "1e39"
            held.save_as(file)
        elif i in (1, 4):
            held = nibabel.load(file)
            values = held.get_fdata().astype(np.float32)
            values[:2] = np.nan
            nibabel.save(nibabel.Nifti1Image(values, held.affine), file)
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    names = [problem.found.split("'")[1] for problem in told.value.problems]
    assert names == [files[1].name, files[4].name]
    assert all("no numbers" in problem.found and "background" in problem.fix for problem in told.value.problems)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_an_image_of_an_archive_with_values_that_are_no_numbers_is_named_as_files_are(value, tmp_path):
    images = np.zeros((6, 9, 9))
    images[3, 0, 0] = value
    np.savez(tmp_path / "a.npz", images=images)
    with np.errstate(over="ignore"), pytest.raises(DataError) as told:
        read([tmp_path / "a.npz"], ReadOptions())
    (problem,) = told.value.problems
    assert (
        problem.found == "'a.npz, array images, image 3' has values that are no numbers" and "background" in problem.fix
    )


def test_broken_files_hide_no_size_and_no_colour(tmp_path):
    """They once were told of only when the broken ones were gone."""
    from PIL import Image

    made, files = harmed("png", tmp_path)
    files[1].write_bytes(b"")
    files[4].write_bytes(files[4].read_bytes()[:60])
    Image.fromarray(np.zeros((12, 13), np.uint8)).save(files[3])
    for reading in (lambda: read([made], ReadOptions()), lambda: like([made], phantoms("png").schema)):
        with pytest.raises(DataError) as told:
            reading()
        assert [problem.found.split("'")[1] for problem in told.value.problems] == [files[i].name for i in (1, 4, 3)]
    for file in files:
        file.write_bytes(b"")
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    assert len(told.value.problems) == len(files)


def test_an_empty_file_without_a_name_for_it_is_found_among_many(tmp_path):
    made, _ = harmed("dicom", tmp_path)
    (made / "manifest.csv").unlink()
    (made / "IM000099").write_bytes(b"")
    with pytest.raises(DataError, match="'IM000099' is empty"):
        read([made], ReadOptions())


def test_sizes_spacings_and_colours_must_be_alike(tmp_path):
    made, files = harmed("dicom", tmp_path)
    for file, change in ((files[2], {"PixelSpacing": [3, 3]}), (files[5], {"Modality": "MR"})):
        held = pydicom.dcmread(file)
        for keyword, value in change.items():
            setattr(held, keyword, value)
        held.save_as(file)
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    assert [p.found.split(":")[0] for p in told.value.problems] == [f"'{files[2].name}'", f"'{files[5].name}'"]
    from PIL import Image

    made, files = harmed("png", tmp_path / "png")
    Image.fromarray(np.zeros((12, 13), np.uint8)).save(files[3])
    Image.fromarray((np.arange(12 * 12 * 3).reshape(12, 12, 3) % 251).astype(np.uint8)).save(files[8])
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    assert [p.rule for p in told.value.problems] == [
        "all images have one size",
        "all images have one number of channels",
    ]


def test_missing_labels_one_patient_and_tiny_images_are_refused(tmp_path):
    made, _ = harmed("png", tmp_path)
    table = pd.read_csv(made / "manifest.csv").assign(patient=1)
    table.loc[[2, 5], "label"] = None
    table.to_csv(made / "manifest.csv", index=False)
    with pytest.raises(DataError) as told:
        read([made], ReadOptions())
    assert [p.rule for p in told.value.problems] == [
        "all images have a label, or none",
        "all images have a label, or none",
        "a split needs at least two patients",
    ]
    np.savez(tmp_path / "tiny.npz", images=np.zeros((3, 4, 4)))
    with pytest.raises(DataError, match="at least 8 pixels"):
        read([tmp_path / "tiny.npz"], ReadOptions())


def test_patients_that_mean_nothing_may_be_declared_unknown(tmp_path):
    made, _ = harmed("png", tmp_path)
    table = pd.read_csv(made / "manifest.csv").assign(patient="ANON")
    table.to_csv(made / "manifest.csv", index=False)
    data, _ = read([made], ReadOptions(declared={"image": {"patients": "unknown"}}))
    assert data.anonymous and len(set(data.subjects)) == 12


def test_a_label_is_a_class(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((40, 9, 9)), labels=np.linspace(0, 1, 40))
    with pytest.raises(DataError, match="one of a few classes"):
        read([tmp_path / "a.npz"], ReadOptions())


def test_what_differs_between_patients_is_no_layout_of_all(tmp_path):
    made, files = harmed("dicom", tmp_path)
    held = pydicom.dcmread(files[0])
    held.WindowCenter, held.WindowWidth = 41, 399
    held.save_as(files[0])
    data, _ = read([made], ReadOptions())
    assert data.layout.window is None and data.layout.windows
    for file in write([data], tmp_path / "again").glob("*.dcm"):
        held = pydicom.dcmread(file)
        values = held.pixel_array * float(held.RescaleSlope) + float(held.RescaleIntercept)
        low, high = np.percentile(values, [1, 99])
        assert held.VOILUTFunction == "LINEAR_EXACT" and held.WindowWidth == pytest.approx(high - low)
        assert held.WindowCenter == pytest.approx((low + high) / 2)
    again, _ = read([tmp_path / "again"], ReadOptions())
    assert again.layout == data.layout


def test_a_layout_of_nobody_else_is_not_that_of_the_first(tmp_path):
    """Where no two are the same, all of it once was the first patient's."""
    made, files = harmed("dicom", tmp_path)
    for i, file in enumerate(files):
        held = pydicom.dcmread(file)
        held.PixelSpacing = [2 + 0.0001 * (i - 6) / 2, 2]
        held.SOPClassUID = pydicom.uid.MRImageStorage if file == files[0] else pydicom.uid.CTImageStorage
        held.save_as(file)
    layout = read([made], ReadOptions())[0].layout
    assert (layout.spacing, layout.sop) == ((2.0, 2.0), pydicom.uid.CTImageStorage)


@pytest.mark.parametrize("fmt", ["dicom", "nifti"])
def test_a_scale_of_some_patient_is_no_layout_of_all(fmt, tmp_path):
    made, files = harmed(fmt, tmp_path)
    if fmt == "dicom":
        held = pydicom.dcmread(files[0])
        held.RescaleSlope, held.RescaleIntercept = 0.37, -12.5
        held.save_as(files[0])
    else:
        nibabel = pytest.importorskip("nibabel")
        held = nibabel.load(files[0])
        held.header.set_slope_inter(0.37, -12.5)
        nibabel.save(nibabel.Nifti1Image(held.get_fdata(), held.affine, held.header), files[1])
    data, _ = read([made], ReadOptions())
    assert (data.layout.stored, data.layout.slope, data.layout.intercept) == ("float32", 1.0, 0.0)
    again, _ = read([write([data], tmp_path / "again")], ReadOptions())
    assert again.layout == data.layout and np.allclose(again.pixels, data.pixels, atol=np.ptp(data.pixels) / 65535)


def test_names_and_calls_that_fit_nothing(tmp_path):
    assert output_name(["a.npz"]) == "synthetic.npz" and output_name(["a.dcm"]) == output_name([]) == "synthetic"
    with pytest.raises(UsageError, match="no file"):
        read([tmp_path / "none"], ReadOptions())
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        read([tmp_path / "empty"], ReadOptions())
    with pytest.raises(UsageError, match="image"):
        read([tmp_path / "empty"], ReadOptions(declared={"image": {"dimensions": 4}}))
    assert column_names([folder("png", tmp_path)]) == ("label",)
    with pytest.raises(DataError, match="no label"):
        np.savez(tmp_path / "bare.npz", images=np.zeros((3, 9, 9)))
        like([tmp_path / "bare.npz"], phantoms("npz").schema)


def test_what_is_known_of_images_is_told_without_their_pixels(tmp_path, monkeypatch):
    whole = scanned(30, 1)
    archive, made = write([whole], tmp_path / "x.npz"), write([whole], tmp_path / "x")
    for module in (npz, raster):
        monkeypatch.setattr(module, "read", None)
    assert column_names([archive]) == column_names([made]) == ("label", "age", "sex", "scanner")
    held = bytearray(archive.read_bytes())
    (tmp_path / "cut.npz").write_bytes(held[: len(held) // 2])
    with pytest.raises(DataError, match=r"cut\.npz"):
        column_names([tmp_path / "cut.npz"])


def test_many_files_are_counted_as_they_are_read(tmp_path):
    heard: list[tuple[int, int]] = []
    path = folder("png", tmp_path, 6)
    read([path], ReadOptions(watch=lambda done, files: heard.append((done, files))))
    assert heard == [(i, 6) for i in range(1, 7)]


@pytest.mark.parametrize("kind", [tissue.masked, tissue.paired, tissue.unpaired])
@pytest.mark.parametrize("name", ["x.npz", "x"])
def test_what_lies_in_files_is_what_would_be_held(kind, name, tmp_path, monkeypatch):
    path = write([kind(12, 1)], tmp_path / name)
    held, told = read([path], ReadOptions())
    monkeypatch.setattr(large, "LARGE", 3000)
    filed, again = read([path], ReadOptions())
    assert np.array_equal(filed.pixels, held.pixels, equal_nan=True) and filed.frame.equals(held.frame)
    assert (filed.layout, again) == (held.layout, told)
    seen = judged(filed, filed)
    monkeypatch.undo()
    assert np.array_equal(seen.pixels, judged(held, held).pixels)
