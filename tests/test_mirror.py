"""A test lies where its source lies: src/semblance/core/rng.py -> tests/core/test_rng.py."""

from __future__ import annotations

from pathlib import Path

from tests.imports import SOURCE

TESTS = Path(__file__).resolve().parent
# Contracts run over the whole catalogue and journeys over the whole product, so they mirror no single file.
FREE = {"contracts", "journeys"}


def mirrored(path: Path) -> Path:
    relative = path.relative_to(TESTS)
    return SOURCE / relative.parent / relative.name.removeprefix("test_")


def test_every_test_mirrors_a_source_file():
    tests = [p for p in TESTS.rglob("test_*.py") if p.parent != TESTS and p.relative_to(TESTS).parts[0] not in FREE]
    lost = [p for p in tests if not mirrored(p).is_file() and not mirrored(p).with_suffix("").is_dir()]
    assert [str(p.relative_to(TESTS)) for p in lost] == []


def test_every_room_of_the_core_has_its_test():
    names = {p.stem for p in (SOURCE / "core").glob("*.py")} - {"__init__"}
    assert {p.stem.removeprefix("test_") for p in (TESTS / "core").glob("test_*.py")} == names
