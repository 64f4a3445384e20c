"""Images in, images of the same format, a report and a verdict out: painted from masks, translated with pairs and
without, and as DICOM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semblance.modalities.image.data import Images
from semblance.modalities.image.write import write
from tests.journeys.cohort import Ran, semblance
from tests.modalities.image import made, tissue
from tests.modalities.image.translations import pair

PIL = pytest.importorskip("PIL.Image")
nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")

FAST = '[synth]\ntier = "fast"\nthreads = 1\n'
ENDS = (0, 5, 6)
"""A verdict, whichever it is: so few patients never convince."""


def ran(folder: Path, images: Images, *words: str, schema: str = "") -> Ran:
    """The command on a folder, or an archive, of these images, in RUN."""
    told = images if images.layout.fmt != "npz" else replace(images, layout=replace(images.layout, axes="first"))
    write([told], folder / ("real.npz" if images.layout.fmt == "npz" else "real"))
    for file in folder.glob("real/layout.json"):
        file.unlink()
    (folder / "fast.toml").write_text(FAST)
    (folder / "told.toml").write_text(schema)
    source = "real.npz" if images.layout.fmt == "npz" else "real"
    options = ("--config", "fast.toml", "--schema", "told.toml", "--time-budget", "1s", "--holdout", "0.3", "--yes")
    return semblance("synth", source, "--modality", "image", "-o", "RUN", *options, *words, cwd=folder, timeout=900)


def report(folder: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the report says, and its findings by name; no judge crashed, and the page is there."""
    told = json.loads((folder / "RUN" / "report.json").read_text())
    found = {finding["metric"]: finding for finding in told["findings"]}
    assert not [name for name, finding in found.items() if finding["status"] == "error"]
    assert told["decision"]["verdict"] in ("RELEASE", "CONTROLLED", "REFUSED")
    assert "data:image/png" in (folder / "RUN" / "report.html").read_text()
    return told, found


def pictures(told: Mapping[str, Any]) -> list[str]:
    """The titles of the pictures of a report."""
    return [picture["title"] for picture in told["subject"]["pictures"]]


def test_images_are_painted_from_masks(tmp_path):
    images = tissue.masked(60, 1)  # of whom too few are held out for judges that train networks
    told = ran(
        tmp_path, replace(images, layout=replace(images.layout, fmt="png")), "--model", "med_ddpm", "--rows", "30"
    )
    assert told.code in ENDS, told.err[-2000:]
    rows = (tmp_path / "RUN" / "synthetic" / "manifest.csv").read_text().splitlines()
    assert len(rows) == 31 and "mask_lesion" in rows[0]
    masks = [np.asarray(PIL.open(path)) for path in sorted((tmp_path / "RUN" / "synthetic").glob("*_lesion.png"))]
    assert len(masks) == 30 and set(np.unique(masks)) == {0, 1} and masks[0].shape == (16, 16)
    said, _ = report(tmp_path)
    assert {"Images", "Masks", "Most suspicious"} <= set(pictures(said))


@pytest.mark.slow
@pytest.mark.parametrize(("paired", "model"), [(True, "paired_flow"), (False, "cyclegan")])
def test_contrasts_are_translated_and_lesions_are_looked_at(tmp_path, paired, model):
    images = pair(130 if paired else 180, 1)
    if not paired:  # of T1 the ill are shown more often, and a translator may learn to take disease away
        images = tissue.halved(images.take(np.argsort(images.labels == "clear", kind="stable")))
        images = images.take(np.r_[0:60, 61:180:2, 60:180:4])
    told = ran(
        tmp_path, images, "--model", model, "--rows", "40", "--holdout", "0.6", schema='[image]\ngiven = ["T1"]\n'
    )
    assert told.code in ENDS, told.err[-2000:]
    with np.load(tmp_path / "RUN" / "synthetic.npz", allow_pickle=False) as held:
        assert len(held["images"]) == 80 and (held["domain"] == np.tile(["T1", "T2"], 40)).all()
        assert (held["pair"] == np.repeat(np.arange(40) + 1, 2)).all() and held["lesion"].any()
    said, found = report(tmp_path)
    assert "Translations" in pictures(said)
    contrast, dice = (found[f"utility.translation_lesion_{name}"] for name in ("contrast", "dice"))
    assert contrast["status"] == dice["status"] == "measured" and contrast["detail"]["channel"] == "T2"
    assert contrast["control"] is not None and dice["control"] is not None
    assert found["utility.translation_ssim"]["status"] == ("measured" if paired else "not_applicable")
    assert ("labels of the domains differ" in " ".join(told.out.split())) is not paired


@pytest.mark.parametrize("fmt", ["dicom", pytest.param("nifti", marks=pytest.mark.slow)])
def test_files_of_scanners_come_out_as_such(tmp_path, fmt):
    told = ran(tmp_path, made.phantoms(fmt, 60), "--model", "diffusion", "--rows", "12")
    assert told.code in ENDS, told.err[-2000:]
    files = sorted(path for path in (tmp_path / "RUN" / "synthetic").rglob("*") if path.suffix in (".dcm", ".gz"))
    assert len(files) == 12
    if fmt == "dicom":
        objects = [pydicom.dcmread(file) for file in files]
        assert all(one.pixel_array.shape == (12, 12) and one.Modality == "CT" for one in objects)
        assert len({one.SOPInstanceUID for one in objects}) == 12 and all(one.PixelSpacing == [2, 2] for one in objects)
        assert not any(str(one.PatientName) for one in objects if "SYNTH" not in str(one.PatientName).upper())
    else:
        volumes = [nibabel.load(file) for file in files]
        assert all(one.shape == (11, 10, 9) and np.isfinite(one.get_fdata()).all() for one in volumes)
        assert all((one.header.get_zooms() == np.float32(2)).all() for one in volumes)
    report(tmp_path)
