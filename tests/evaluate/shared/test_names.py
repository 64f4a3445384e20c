from __future__ import annotations

import pytest

from semblance.evaluate.shared.names import words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("native-country", ("native", "country")),
        ("PatientAge", ("patient", "age")),
        ("HDL_chol2", ("hdl", "chol")),
        ("SEX", ("sex",)),
        ("dosage", ("dosage",)),
        ("12 %", ()),
    ],
)
def test_words_are_told_apart_however_they_are_joined(name: str, said: tuple[str, ...]) -> None:
    assert words(name) == said
