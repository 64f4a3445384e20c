from __future__ import annotations

from semblance.core.modality import ReadOptions
from semblance.modalities.image.declare import check


def test_what_is_declared_is_checked_before_any_file_is_read():
    said, problems = check(ReadOptions(declared={"image": {"dimensions": 3, "patients": "unknown"}}))
    assert not problems and (said.dimensions, said.patients) == (3, "unknown")
    wrong = {"dimensions": True, "axes": "NWH", "patients": "known", "burned_in": True, "folders": "x", "colour": 1}
    assert len(check(ReadOptions(declared={"image": wrong}))[1]) == 6
