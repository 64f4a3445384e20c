"""What every test may use: the real data, a key folder of its own, and a small cohort with every kind of column."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made says nothing where the machine does other work.
settings.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("any machine")
# Networks of tests are tiny: a second thread costs more than it brings. It has to be said before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The command line takes all cores that it may use. Each process of xdist has one, and so has all that it starts.
if hasattr(os, "sched_setaffinity") and "PYTEST_XDIST_WORKER" in os.environ:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % len(cores)]})

ROOT = Path(__file__).resolve().parents[1]
LONG = ("tests/test_docs.py", "tests/journeys/", "tests/contracts/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under --dist loadgroup, one process runs what belongs `together`, for its fixtures; what takes long comes first.

    xdist's own groups stand in the private `_nodeid` of an item, which pytest 9.2 no longer reads: with that version
    every test is a group of its own, and every process builds every fixture.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    config.option.loadscopereorder = False  # by the number of tests
    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: next((i for i, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG)))


def together(nodeid: str) -> str:
    """The group of a test: its file, or of a file that takes long one page, or one modality's generator.

    Journeys share runs, and they alone need a second warm interpreter; what looks at the source shares its trees.
    """
    file, _, test = nodeid.partition("::")
    if "/journeys/" in file or file.endswith("test_warm.py"):
        return "tests/journeys"
    if file.endswith(("test_layers.py", "test_heavy_imports.py")):
        return "tests/imports.py"
    params = test.partition("[")[2].rstrip("]")
    if file.endswith("contracts/test_generators.py"):
        return f"{file} {'-'.join(params.split('-')[:2])}"
    return f"{file} {params}" if file.endswith("test_docs.py") else file


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of openly licensed real data: SEMBLANCE_DATA, or shared/data beside the repository."""
    folder = Path(os.environ.get("SEMBLANCE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data: set SEMBLANCE_DATA to a folder with tables/ ({folder.name} is absent)")
    return folder


@pytest.fixture(autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    # A test never makes or uses the signing key of the person who runs it.
    monkeypatch.setenv("SEMBLANCE_KEY_DIR", str(tmp_path_factory.getbasetemp() / "key"))
