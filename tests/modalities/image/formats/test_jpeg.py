from __future__ import annotations

from pathlib import Path

import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.formats import dicom

pydicom = pytest.importorskip("pydicom")
get_testdata_file = pytest.importorskip("pydicom.data").get_testdata_file


def test_jpeg_of_12_bit_is_read_as_another_decoder_reads_it_without_a_word(tmp_path, capfd):
    """Process 4, which pydicom leaves to a package under the GPL."""
    path = Path(get_testdata_file("JPEG-lossy.dcm"))
    held = pydicom.dcmread(path)
    frame = next(pydicom.encaps.generate_frames(held.PixelData, number_of_frames=1))
    other = pytest.importorskip("imagecodecs").jpeg8_decode(frame)
    capfd.readouterr()
    found = dicom.read(path).found
    assert capfd.readouterr().err == ""
    assert (found.pixels[0] == other).all() and other.max() == 264
    held.NumberOfFrames, held.PixelData = 2, pydicom.encaps.encapsulate([frame, frame])
    held.save_as(tmp_path / "x.dcm")
    assert (dicom.read(tmp_path / "x.dcm").found.pixels == found.pixels[:, None]).all()
    for harm in (frame[:3000], b"\0" * 300):
        held.NumberOfFrames, held.PixelData = 1, pydicom.encaps.encapsulate([harm])
        held.save_as(tmp_path / "x.dcm")
        with pytest.raises(DataError, match=r"compressed as JPEG Extended \(Process 2 and 4\)") as told:
            dicom.read(tmp_path / "x.dcm")
        assert "decompress" in str(told.value)
