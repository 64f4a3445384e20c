"""Tests that share fixtures run in one process, whatever xdist and pytest make of each other."""

from __future__ import annotations

import os

import pytest

from tests.conftest import together


@pytest.mark.parametrize("number", range(8))
def test_the_tests_of_a_file_run_in_one_process(number, tmp_path_factory, request):
    if request.config.getvalue("dist", "no") not in ("no", "loadgroup"):
        pytest.skip("asked to run otherwise")
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with (shared / "processes.txt").open("a") as file:
        file.write(f"{os.getpid()}\n")
    assert len({*(shared / "processes.txt").read_text().split()}) == 1


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/core/test_rng.py::test_one", "tests/core/test_rng.py"),
        ("tests/core/test_rng.py::test_one[a-b]", "tests/core/test_rng.py"),
        ("tests/journeys/test_synth.py::test_one[a]", "tests/journeys"),
        ("tests/test_docs.py::test_the_page_runs[a-b.md]", "tests/test_docs.py a-b.md"),
        ("tests/test_docs.py::test_other", "tests/test_docs.py "),
        ("tests/contracts/test_generators.py::test_x[table-star]", "tests/contracts/test_generators.py table-star"),
        ("tests/contracts/test_generators.py::test_x[table-star-9]", "tests/contracts/test_generators.py table-star"),
    ],
)
def test_a_group_is_a_file_or_a_part_of_a_long_one(nodeid, group):
    assert together(nodeid) == group
