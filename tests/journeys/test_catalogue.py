"""The catalogue, the version and the help, as a person meets them."""

from __future__ import annotations

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


def test_without_a_command_the_help_is_shown_and_the_call_was_wrong() -> None:
    bare = semblance()
    assert bare.code == 2 and "synth" in bare.out + bare.err
