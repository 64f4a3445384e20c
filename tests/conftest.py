"""What every test may use: the real data, a key folder of its own, and a small cohort with every kind of column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Networks of tests are tiny: a second thread costs more than it brings. It has to be said before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one process runs together, for its fixtures: a file, or one generator's contracts, which take long."""
    for item in items:
        params = getattr(item, "callspec", None)
        named = "" if params is None else params.params.get("case", params.params.get("name", ""))
        part = named[-1] if isinstance(named, tuple) else named if item.path.parent.name == "contracts" else ""
        item.add_marker(pytest.mark.xdist_group(f"{item.path.relative_to(ROOT)} {part}".strip()))


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
