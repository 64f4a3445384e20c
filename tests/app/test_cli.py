"""The command line: what can be asked of a run in a config file can be asked by a flag."""

from __future__ import annotations

from dataclasses import fields

import pytest
import typer

from semblance.app.cli import app
from semblance.app.config import TYPES
from semblance.app.options import EvaluateOptions


@pytest.mark.parametrize(
    ("command", "asked"),
    [("synth", [*TYPES]), ("evaluate", [field.name for field in fields(EvaluateOptions) if field.name != "declared"])],
)
def test_every_option_is_a_flag(command: str, asked: list[str]) -> None:
    known = {param.name for param in typer.main.get_command(app).commands[command].params}  # type: ignore[attr-defined]
    assert {*asked} - {"run"} <= known
