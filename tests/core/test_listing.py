from __future__ import annotations

import pytest

from semblance.core.listing import pathless


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), "'all.csv' is empty"),
        (("file", "label"), "'all.csv' has the columns file, label"),
        (("path;label",), "'all.csv' has semicolons between its columns"),
        (("Jones", "x/A.HEA"), "'all.csv' has no header"),
    ],
)
def test_what_a_manifest_lacks_is_told(tmp_path, names, found):
    (problem,) = pathless(tmp_path / "all.csv", names, (".hea",)).problems
    assert problem.found == found and "a column 'path'" in problem.rule


@pytest.mark.parametrize("name", ["100.hea", "IM0001"])
def test_a_row_that_names_files_without_their_suffix_is_not_told(tmp_path, name):
    (tmp_path / name).touch()
    (problem,) = pathless(tmp_path / "all.csv", ["Jones" * 100, name.partition(".")[0]], (".hea", ".dcm")).problems
    assert problem.found == "'all.csv' has no header" and "Jones" not in str(problem)
