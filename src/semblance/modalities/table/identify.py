"""Which columns may identify a patient: by their name, by checksums of their values, by being nearly unique.

A surrogate key is made anew, a direct identifier leaves the output. What cannot be decided from the data is unclear: it
is shown, and only a declaration (or --yes) settles it. The names follow HIPAA's safe harbour, 45 CFR 164.514(b)(2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import pyarrow as pa

from semblance.core.names import COUNT, NUMBER, PERSON, PERSONS
from semblance.core.schema import Column
from semblance.modalities.table.infer import Coded
from semblance.modalities.table.notation import as_numpy, matches, trim

Sort = Literal["key", "direct", "unclear"]

UNIQUE = 0.95
ROWS = 20
VALID = 0.95
ENOUGH = 8
"""Distinct values that a checksum needs: one in ten random numbers passes, so eight pass by chance once in 10^8."""


@dataclass(frozen=True)
class Suspicion:
    """Why a column may identify a patient.

    `learn` is the default for an unclear one: keep numbers, drop texts. `patient` says that its values stand for
    patients, so that records with the same value belong together.
    """

    sort: Sort
    reason: str
    learn: bool = False
    patient: bool = False


# Names. Tokens are joined, so that "first_name", "firstName" and "firstname" are one, and "hostname" is none of them.


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


_EVENT = _words(
    """
    encounter enc visit stay admission hadm icustay episode spell hospitalization hospitalisation record rec
    row case claim sample specimen order study accession transaction event note
    """
)
_OWNER = (
    "",
    *_words(
        """
        patient pat pt person subject member home work mobile primary contact emergency guardian mother father
        spouse kin provider physician doctor relative residential mailing
        """
    ),
)
_DIRECT = _words(
    """
    name fullname firstname lastname middlename givenname familyname forename surname maidenname fname lname
    initials nachname vorname nom prenom apellido apellidos nombre address addressline streetaddress street
    streetname addr adresse direccion housenumber phone phonenumber phoneno phonenr telephone telephonenumber
    tel telefon telefono fax faxnumber mobilenumber cellphone mobilephone email emailaddress mail mailaddress
    emailid mrn mrnumber medicalrecordnumber medicalrecordno medrecno hospitalnumber hospitalno chartnumber
    nhs nhsnumber nhsno nhsid chinumber hcn healthcardnumber medicarenumber medicareid medicaidid ssn
    socialsecurity socialsecuritynumber socialsecurityno nationalid nationalidnumber nationalinsurancenumber
    nino passport passportnumber passportno driverlicense driverslicense driverslicensenumber licensenumber
    licenseplate npi npinumber insurancenumber insuranceid policynumber healthplannumber accountnumber iban
    ipaddress macaddress url photo fingerprint deviceserial deviceserialnumber vin
    """
)
_QUASI = _words(
    """
    zip zipcode zippostalcode postcode postalcode plz codepostal dob birthdate birthdt birthday dateofbirth
    datebirth birthdatetime geburtsdatum datenaissance fechanacimiento latitude longitude
    """
)
_BIRTH = ("dob", "birth", "geburt", "naissance", "nacimiento")

_NAMES: dict[str, tuple[str, ...]] = {
    "direct": tuple(a + b for a, b in product(_OWNER, _DIRECT)),
    "quasi": tuple(a + b for a, b in product(_OWNER, _QUASI)),
    "person": PERSONS,
    "event": (
        *(a + b for a, b in product(_EVENT, NUMBER)),
        "id",
        "uid",
        "uuid",
        "guid",
        "identifier",
        "key",
        "index",
        "rownames",
    ),
    "counted": tuple(a + b for a, b in product((*PERSON, *_EVENT), COUNT)),
}
_LEXICON = {name: sort for sort in ("counted", "event", "quasi", "person", "direct") for name in _NAMES[sort]}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


def name_sort(name: str) -> str | None:
    """What a column's name alone says: 'direct', 'quasi', 'person', 'event', 'counted' or None.

    >>> name_sort("Patient_ID"), name_sort("firstName"), name_sort("hostname"), name_sort("payer_code")
    ('person', 'direct', None, None)
    """
    words = [w.lower() for w in _WORD.findall(name)]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return _LEXICON.get("".join(words))


# Values


def nhs_valid(number: str) -> bool:
    """Whether ten digits carry the check digit of an NHS number (modulus 11, NHS Data Dictionary).

    >>> nhs_valid("9434765919"), nhs_valid("9434765918")
    (True, False)
    """
    digits = [int(d) for d in number if d.isdigit()]
    if len(digits) != 10:
        return False
    check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == digits[9]


def npi_valid(number: str) -> bool:
    """Whether ten digits are a National Provider Identifier: Luhn over 80840 and the number (ISO/IEC 7812-1).

    >>> npi_valid("1234567893"), npi_valid("1234567890")
    (True, False)
    """
    if len(number) != 10 or not number.isdigit() or number[0] not in "12":
        return False
    digits = [int(d) for d in "80840" + number]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


_PHONE = r"^(?:\+[0-9]{1,3}[ \-.]?)?(?:\([0-9]{2,5}\) ?|[0-9]{3}[\-. ])[0-9]{3,4}[\-. ]?[0-9]{3,4}$"
_PATTERNS: tuple[tuple[Sort, str, str], ...] = (
    ("direct", r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$", "the values are e-mail addresses"),
    ("direct", r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$", "the values look like social security numbers"),
    ("direct", _PHONE, "the values look like phone numbers"),
    ("direct", r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$", "the values are IP addresses"),
    ("key", r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$", "the values are UUIDs"),
)


def by_values(coded: Coded, column: Column) -> Suspicion | None:
    """What checksums and patterns of the distinct values say. At least 95% of eight or more must fit."""
    texts = trim(coded.texts)
    if len(texts) < ENOUGH or column.kind in ("numeric", "date"):
        return None
    for sort, pattern, reason in _PATTERNS if column.kind != "integer" else ():
        if matches(texts, pattern).mean() >= VALID:
            return Suspicion(sort, reason)
    ten = texts.filter(pa.array(matches(texts, r"^[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}$"), pa.bool_()))
    if len(ten) < VALID * len(texts):
        return None
    for valid, reason in (
        (nhs_valid, "the values carry NHS check digits"),
        (npi_valid, "the values carry NPI check digits"),
    ):
        if sum(valid(text) for text in ten.to_pylist()) >= VALID * len(texts):
            return Suspicion("direct", reason)
    return None


def by_uniqueness(coded: Coded, column: Column) -> Suspicion | None:
    """Whether nearly every row has its own text or integer. Never for decimals, dates, or fewer than 20 rows."""
    known = int((coded.codes >= 0).sum())
    if known < ROWS or column.kind in ("numeric", "date", "text", "boolean") or len(coded.texts) < UNIQUE * known:
        return None
    share = f"{len(coded.texts) / known:.0%} of the values are distinct"
    if column.kind != "integer":
        return Suspicion("unclear", share)
    return (
        Suspicion("key", "the values number the rows")
        if _numbers_rows(coded, known)
        else Suspicion("unclear", share, learn=True)
    )


def _numbers_rows(coded: Coded, known: int) -> bool:
    numbers = as_numpy(coded.texts.cast(pa.float64()))
    return len(numbers) == known and bool(numbers.max() - numbers.min() + 1 == known) and numbers.min() in (0, 1)


def suspect(coded: Coded, column: Column) -> Suspicion | None:
    """What may identify a patient in this column, or None."""
    distinct, known = len(coded.texts), int((coded.codes >= 0).sum())
    if not known:
        return None
    if column.kind in ("boolean", "text"):
        return None
    said = name_sort(column.name)
    if said == "person":
        return Suspicion("key", "the name says: number of a patient", patient=True)
    if said == "direct":
        return Suspicion("direct", "the name says: direct identifier", patient=_numbers_patients(column.name))
    if (
        said == "event"
        and column.kind not in ("numeric", "date")
        and ((distinct >= 0.05 * known and distinct > 1) or known < ROWS)
    ):
        return Suspicion("key", "the name says: key of a record")
    if said == "counted" and known >= ROWS and distinct >= 0.5 * known:
        return Suspicion("key", "the name says: number of a record, and the values agree")
    if said == "quasi":
        birth = any(word in re.sub(r"[\W_]", "", column.name).lower() for word in _BIRTH)
        return Suspicion(
            "unclear",
            f"the name says: {'date of birth' if birth else 'place of residence'}",
            learn=column.continuous and not birth,
        )
    return by_values(coded, column) or by_uniqueness(coded, column)


def _numbers_patients(name: str) -> bool:
    joined = re.sub(r"[\W_]", "", name).lower()
    return any(
        word in joined
        for word in ("mrn", "medicalrecord", "medrec", "nhs", "ssn", "socialsecurity", "nationalid", "chinumber", "hcn")
    )


def same_patients(coded: Coded) -> bool:
    """Whether values repeat, so that the column says which records belong to one patient."""
    return bool(np.any(coded.counts > 1))
