from __future__ import annotations

from pathlib import Path

import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.declare import Said
from semblance.modalities.image.gather import gather
from semblance.modalities.image.listing import kept_in, kind_of
from semblance.modalities.image.read import read
from tests.modalities.image.made import folder

pytest.importorskip("PIL.Image")
pytest.importorskip("pydicom")


def test_files_without_a_suffix_are_dicom_where_they_begin_so(tmp_path):
    made = folder("dicom", tmp_path)
    (made / "manifest.csv").unlink()
    for file in made.glob("*.dcm"):
        file.rename(file.with_suffix(""))
    (made / "NOTES").write_text("nothing to see")
    gathered = gather([made], Said())
    assert len(gathered.found) == 6
    assert gathered.notes[0] == "'x': 1 file that is no image is not read"


def test_the_index_of_a_disc_is_no_image(tmp_path):
    made = folder("dicom", tmp_path)
    (made / "manifest.csv").unlink()
    index = pytest.importorskip("pydicom.data").get_testdata_file("DICOMDIR", download=False)
    (made / "DICOMDIR").write_bytes(Path(index).read_bytes())
    gathered = gather([made], Said())
    assert len(gathered.found) == 6 and not gathered.problems and "1 file that is no image" in gathered.notes[0]


def test_formats_are_not_mixed(tmp_path):
    made = [folder(fmt, tmp_path / fmt) for fmt in ("png", "dicom")]
    with pytest.raises(DataError, match=r"formats dicom, raster: '\w+\.dcm', '\w+\.png'"):
        gather(made, Said())


@pytest.mark.parametrize("fmt", ["dicom", "nifti", "png"])
def test_folders_that_are_no_labels_are_told(fmt, tmp_path):
    """Folders of NIfTI and DICOM once were left unread without a word, and those of PNG are labels."""
    made = folder(fmt, tmp_path, anonymous=True)
    (made / "manifest.csv").unlink(missing_ok=True)
    for i, file in enumerate(sorted(file for file in made.rglob("*.*") if file.is_file())):
        place = made / "test" / ("ill" if i % 2 else "well")
        place.mkdir(parents=True, exist_ok=True)
        file.rename(place / file.name)
    told = [note for note in gather([made], Said()).notes if "labels" in note]
    said = "'x': the names of 2 folders inside it are not taken for labels: [image] folders = \"label\" takes them so, "
    assert told == ([] if fmt == "png" else [said + '"subject" for patients'])
    assert not any("labels" in note for note in gather([made], Said(folders="none")).notes)
    assert {one.facts["label"] for one in gather([made], Said(folders="label")).found} == {"ill", "well"}


def test_a_manifest_whose_files_are_gone_names_their_rows(tmp_path):
    made = folder("png", tmp_path)
    for name in ("000002.png", "000005.png"):
        (made / name).unlink()
    assert [problem.row for problem in gather([made], Said()).problems] == [2, 5]
    with pytest.raises(DataError, match="row 2: no such file"):
        read([made], ReadOptions())


def test_a_row_of_a_manifest_names_a_file(tmp_path):
    """A row without a path once was the whole folder."""
    made = folder("png", tmp_path)
    table = (made / "manifest.csv").read_text()
    (made / "manifest.csv").write_text(table.replace("000002.png", " "))
    assert [(problem.found, problem.row) for problem in gather([made], Said()).problems] == [("no path", 2)]


def test_a_file_is_named_once(tmp_path):
    """A row that was there twice once made two images of one, also with two labels."""
    made = folder("png", tmp_path)
    lines = (made / "manifest.csv").read_text().splitlines()
    columns = lines[0].split(",")
    other = dict(zip(columns, lines[2].split(","), strict=True)) | {"label": "another"}
    (made / "manifest.csv").write_text("\n".join([*lines, lines[2], ",".join(other[name] for name in columns)]))
    told = [problem.placed for problem in gather([made], Said()).problems]
    again = "'000002.png' is named again, first in row 2"
    assert told == [f"column 'path', row 7: {again}", f"column 'path', row 8: {again}, with another label"]
    file = made / "000001.png"
    (problem,) = gather([file, file], Said()).problems
    assert problem.placed == "'000001.png' is named again"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("file,label\na.png,ill\n", "'manifest.csv' has the columns file, label"),
        ("path;label\na.png;ill\n", "'manifest.csv' has semicolons between its columns"),
        ("a.png,Jones\nb.png,Smith\n", "'manifest.csv' has no header"),
    ],
)
def test_a_manifest_without_paths_is_told(tmp_path, table, found):
    """It once was dropped without a word, and the masks that lay in its folder were learned as images."""
    made = folder("png", tmp_path)
    (made / "manifest.csv").write_text(table)
    for path in (made, made / "manifest.csv"):
        with pytest.raises(DataError) as told:
            gather([path], Said())
        assert [problem.found for problem in told.value.problems] == [found]
        assert "a column 'path'" in told.value.problems[0].rule


def test_folders_may_be_patients(tmp_path):
    made = folder("png", tmp_path, anonymous=True)
    found = gather([made], Said(folders="subject")).found
    assert {one.facts["subject"] for one in found} == {"clear", "nodule"}
    assert all("label" not in one.facts for one in found)


def test_a_file_alone_says_what_it_is(tmp_path):
    assert kind_of(tmp_path / "a.NII.GZ") == "nifti" and kind_of(tmp_path / "a.csv") is None


@pytest.mark.parametrize("broken", ["{", "[]", '{"layout": {"colour": 1}, "dimensions": 2}'])
def test_a_layout_that_is_not_what_was_written_is_told(tmp_path, broken):
    """It once ended in an error of Python."""
    made = folder("png", tmp_path)
    (made / "layout.json").write_text(broken)
    with pytest.raises(DataError, match=r"'layout.json' cannot be read as a layout"):
        kept_in([made])
