from __future__ import annotations

import pytest

from semblance.modalities.image.formats.identifying import CHARACTERISTICS, NEVER, OTHERS, PLACES, PROFILE

known = pytest.importorskip("pydicom._dicom_dict")


def test_every_keyword_is_one_of_the_standard():
    entries = (*known.DicomDictionary.values(), *known.RepeatersDictionary.values())
    assert {entry[4] for entry in entries} >= PROFILE | OTHERS and not PROFILE & OTHERS
    assert {*CHARACTERISTICS, *PLACES} <= PROFILE


def test_every_name_of_a_person_every_date_and_every_time_is_among_them():
    entries = known.DicomDictionary.values()
    assert {entry[4] for entry in entries if entry[0] in ("PN", "DA", "DT", "TM")} <= NEVER


def test_rows_of_the_table_are_there():
    """As PS3.15 prints them, one of each action and some that once were missing."""
    rows = "AccessionNumber AcquisitionDateTime AdmissionID ImageComments PatientID OverlayData SeriesInstanceUID"
    once = "PhysiciansOfRecord NameOfPhysiciansReadingStudy RequestingPhysician ResponsiblePerson IssuerOfPatientID"
    assert {*rows.split(), *once.split(), "Occupation", "SourceImageSequence"} <= NEVER
