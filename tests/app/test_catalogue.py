from __future__ import annotations

import io

from rich.console import Console

from semblance.app.catalogue import card_screen, catalogue_screen, docstrings
from semblance.catalog import modality

TABLE = modality("table")


def printed(thing: object) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(thing)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_every_generator_stands_in_the_catalogue() -> None:
    text = printed(catalogue_screen([TABLE]))
    assert all(name in text for name in TABLE.generators) and "default" in text and "floor" in text


def test_a_card_shows_every_option_with_its_documentation() -> None:
    kind = TABLE.generator("marginals")
    said = docstrings(kind)
    text = printed(card_screen(kind, TABLE))
    assert "rare" in said and "at least this many patients" in said["rare"]
    assert all(name in text for name in said)


def test_a_generator_that_chooses_shows_its_rules() -> None:
    text = printed(card_screen(TABLE.generator("auto"), TABLE))
    assert "rules: the first that fits counts" in text and "below 100" in text
    assert "rules:" not in printed(card_screen(TABLE.generator("copula"), TABLE))
