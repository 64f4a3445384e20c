"""The catalogue, the version and the help, as a person meets them."""

from __future__ import annotations

import re

import pytest

from semblance.app.cli import app
from tests.conftest import ROOT
from tests.journeys.cohort import semblance


def test_models_lists_every_generator_and_shows_cards() -> None:
    listed = semblance("models")
    assert listed.code == 0 and "autoregressive" in listed.out and "default" in listed.out
    card = semblance("models", "marginals", "--json")
    assert card.code == 0 and card.json["private"] is False and "rare" in card.json["options"]


def test_version_and_help() -> None:
    assert semblance("--version").out.startswith("semblance 0.")
    for words in ((), ("synth",), ("evaluate",), ("verify",), ("models",), ("demo",)):
        shown = semblance(*words, "--help")
        assert shown.code == 0 and "Usage: semblance" in shown.out and "\x1b" not in shown.out
    assert semblance("synth", "--help", "--seed", "0").code == 0


def test_readme_lists_every_command() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    listed = re.findall(r"^\| `semblance (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(listed) == len(commands) > 6 and set(listed) == commands


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("synth", ("n_public", "power", "as the input has", "decision, headline, paths")),
        ("audit", ("lower bounds", "claim")),
        ("verify", ("status", "signer")),
        ("compare", ("side by side",)),
        ("models", ("cards",)),
    ],
)
def test_help_says_what_comes_out_and_what_is_the_default(command: str, told: tuple[str, ...]) -> None:
    said = " ".join(semblance(command, "--help").out.replace("│", " ").split())
    assert [words for words in told if words not in said] == []


def test_without_a_command_the_help_is_shown_and_the_call_was_wrong() -> None:
    bare = semblance()
    assert bare.code == 2 and "synth" in bare.out + bare.err
