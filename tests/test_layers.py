"""The arrows of the house: who may import whom. A function-level import counts like any other."""

from __future__ import annotations

import ast

import pytest

from tests.imports import Import, all_imports, imports_of, trees

MAY_IMPORT = {
    "core": {"core"},
    "catalog": {"core"},
    "privacy": {"core", "privacy"},
    "learn": {"core", "privacy", "learn"},
    "modalities": {"core", "privacy", "learn"},  # and its own modality
    "evaluate": {"core", "catalog", "evaluate"},
    "release": {"core", "release"},
    "federated": {"core", "privacy", "learn", "federated"},
}
EVERYTHING = {"app", "__init__", "__main__"}


def room(module: str) -> str:
    """'semblance.core.rng.stream' -> 'core'; the package itself -> '__init__'."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def home(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


def allowed(entry: Import) -> bool:
    """Whether the architecture has an arrow for this import."""
    source, target = home(entry.file), room(entry.module)
    if source in EVERYTHING:
        return True
    if target in MAY_IMPORT[source]:
        return True
    if source == target == "modalities":
        mine, theirs = entry.file.split("/")[1], entry.module.split(".")[2]
        return mine == theirs or (mine == "cohort" and entry.module.split(".")[3:4] == ["data"])
    return False


def ours(entry: Import) -> bool:
    return entry.module.split(".")[0] == "semblance"


def test_every_room_is_known():
    assert {home(file) for file in trees()} <= {*MAY_IMPORT, *EVERYTHING}


def test_every_import_follows_an_arrow():
    assert [str(e) for e in all_imports() if ours(e) and not allowed(e)] == []


@pytest.mark.parametrize(
    ("file", "line", "fine"),
    [
        ("core/rng.py", "from semblance.core import errors", True),
        ("core/rng.py", "from semblance.release.gate import decide", False),
        ("core/rng.py", "def f():\n    import semblance.learn.trainer", False),
        ("core/rng.py", "from ..learn import trainer", False),
        ("learn/trainer.py", "from semblance.modalities.table.data import Table", False),
        ("modalities/table/metrics.py", "from semblance.modalities.table.data import Table", True),
        ("modalities/table/metrics.py", "from .data import Table", True),
        ("modalities/table/metrics.py", "from semblance.modalities.image.data import Image", False),
        ("modalities/table/metrics.py", "from semblance.evaluate.fidelity import two_sample", False),
        ("modalities/cohort/data.py", "from semblance.modalities.table.data import Table", True),
        ("modalities/cohort/data.py", "from semblance.modalities.table.encode import Encoder", False),
        ("evaluate/run.py", "from semblance.release.gate import decide", False),
        ("release/gate.py", "from semblance.evaluate.run import evaluate", False),
        ("app/cli.py", "from semblance.release.gate import decide", True),
    ],
)
def test_the_rule_itself(file, line, fine):
    (entry,) = imports_of(ast.parse(line), file)
    assert allowed(entry) is fine


def test_no_import_is_hidden_behind_a_star():
    assert [str(e) for e in all_imports() if e.module.endswith(".*")] == []
