"""The words of a column's name, by which one knows what it is about."""

from __future__ import annotations

import re
from itertools import product

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def words(name: str) -> tuple[str, ...]:
    """In lower case, whichever way they are joined.

    >>> words("native-country"), words("patientAge"), words("HDL_chol2")
    (('native', 'country'), ('patient', 'age'), ('hdl', 'chol'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))


PATIENT = ("patient", "pat", "pt", "subject", "subj")
PERSON = (*PATIENT, "person", "participant", "member", "beneficiary", "bene", "client", "individual")
NUMBER = ("id", "ids", "identifier", "uid", "guid", "uuid", "key", "sk")
COUNT = ("nr", "nbr", "no", "num", "number")
PERSONS = (*(a + b for a, b in product(PERSON, NUMBER)), *(a + b for a, b in product(PATIENT, COUNT)))
"""Names of columns that number patients, in lower case and without what joins words."""
REGISTERED = (
    *("mrn", "mrnumber", "medicalrecordnumber", "medicalrecordno", "medrecno", "healthcardnumber", "hcn", "chinumber"),
    *("nhsnumber", "nhsno", "nhsid", "ssn", "socialsecuritynumber", "socialsecurityno", "medicareid", "medicaidid"),
    *("nationalid", "nationalidnumber", "nationalinsurancenumber", "nino"),
)
"""Numbers under which a patient is known elsewhere."""
_PATIENTS = frozenset(("patient", "subject", "participant", "person", "pid", *PERSONS, *REGISTERED))


def names_patients(name: str) -> bool:
    """Whether a column by its name says which patient a record is of.

    >>> names_patients("Patient_ID"), names_patients("pid"), names_patients("patientAge"), names_patients("stay_id")
    (True, True, False, False)
    """
    return "".join(words(name)) in _PATIENTS


AGES = (18, 40, 65, 80)
"""Years: the usual cuts between children, adults and the old."""
OLDEST = 130


def age_cuts(name: str, low: float, high: float) -> tuple[int, ...]:
    """The usual cuts within a range of numbers, if the name says that they are ages; else none.

    >>> age_cuts("patientAge", 17, 90), age_cuts("age", 20, 39), age_cuts("dosage", 0, 100)
    ((18, 40, 65, 80), (), ())
    """
    return tuple(cut for cut in AGES if low < cut <= high) if aged(name, low, high) else ()


def aged(name: str, low: float, high: float) -> bool:
    """Whether numbers from `low` to `high` are years of age, by the column's name."""
    return "age" in words(name) and low >= 0 and high <= OLDEST
