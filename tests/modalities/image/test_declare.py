from __future__ import annotations

import pytest

from semblance.core.modality import ReadOptions
from semblance.modalities.image.declare import Tile, check


def test_what_is_declared_is_checked_before_any_file_is_read():
    said, problems = check(ReadOptions(declared={"image": {"dimensions": 3, "patients": "unknown"}}))
    assert not problems and (said.dimensions, said.patients) == (3, "unknown")
    wrong = {"dimensions": True, "axes": "NWH", "patients": "known", "burned_in": True, "folders": "x", "colour": 1}
    assert len(check(ReadOptions(declared={"image": wrong}))[1]) == 6


def test_a_tile_has_a_size_and_microns_or_a_level():
    said, problems = check(ReadOptions(declared={"image": {"tile": {"size": 64, "microns": 0.5, "most": 9}}}))
    assert not problems and said.tile == Tile(64, microns=0.5, most=9)
    for wrong in ({}, {"size": 64}, {"size": 64, "level": 0, "microns": 1}, {"size": 4, "level": 0}, {"sides": 9}, 64):
        assert len(check(ReadOptions(declared={"image": {"tile": wrong}}))[1]) == 1


@pytest.mark.parametrize(
    "name", ["RequestingPhysician", "AdmissionID", "ImageComments", "StudyDescription", "AcquisitionDateTime"]
)
def test_what_may_identify_a_patient_is_never_learned(name):
    for declared in ({"columns": {name: {}}}, {"image": {"prompt": name}}):
        _, (problem,) = check(ReadOptions(declared=declared))
        assert f"'{name}' is declared" in problem.found
    for role in ("drop", "key", "subject"):
        assert not check(ReadOptions(declared={"columns": {name: {"role": role}}}))[1]


@pytest.mark.parametrize("name", ["PatientAge", "PatientSex", "PatientWeight", "StationName", "KVP"])
def test_what_patients_and_scanners_are_like_may_be_learned(name):
    assert not check(ReadOptions(declared={"columns": {name: {}}}))[1]
