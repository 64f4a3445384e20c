"""A finished run that is asked for again: it must be whole, and it must be what is asked for now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semblance.app import config
from semblance.app.options import SynthOptions
from semblance.core.errors import Problem, UsageError


def is_finished(run: Path) -> bool:
    """Whether RUN was sealed."""
    return (run / "attestation.json").exists() and (run / "report.json").exists()


def refuse_other(run: Path, options: SynthOptions, *, inputs: Mapping[str, str], generator: Mapping[str, Any]) -> None:
    """Raise SignatureError where RUN was changed, and UsageError with every difference to what is asked.

    `options` are settled but for `threads`, which counts only if it was asked for. `inputs` maps paths to sha256.
    """
    from semblance.release.bundle import verify

    verify(run)
    ran = config.read_toml(run / "config.toml")
    if "synth" not in ran:
        raise UsageError.of(
            f"'{run.name}' was not made by `semblance synth`",
            rule="a run is resumed by the command that made it",
            fix="choose another -o folder",
        )
    problems = [*_options(run, options, ran["synth"]), *_parts(options, ran, inputs=inputs, generator=generator)]
    if problems:
        raise UsageError(*problems)


def _options(run: Path, options: SynthOptions, ran: Mapping[str, Any]) -> Iterator[Problem]:
    for name in config.TYPES:
        asked = getattr(options, name)
        if name == "rows" and asked is None:
            asked = _records(run)
        unasked = name == "threads" and asked is None
        if not unasked and asked != ran.get(name):
            yield _differs(f"{name} {ran.get(name, 'not given')}", f"{'none' if asked is None else asked}")


def _records(run: Path) -> int:
    """How many records the input had."""
    rows = json.loads((run / "report.json").read_text())["subject"]["rows"]
    return int(rows["train"] + rows["holdout"])


def _parts(
    options: SynthOptions, ran: Mapping[str, Any], *, inputs: Mapping[str, str], generator: Mapping[str, Any]
) -> Iterator[Problem]:
    plan = ran.get("plan", {}) if options.plan is None else options.plan
    pairs = {
        "another input": (ran["input"]["sha256"], list(inputs.values())),
        "another schema": (ran.get("schema"), options.declared),
        "other options of the generator": (ran.get("generator", {}), dict(generator)),
        "another plan": (ran.get("plan", {}), dict(plan)),
    }
    for found, (before, now) in pairs.items():
        if before != now:
            yield _differs(found, "this one")


def _differs(found: str, asked: str) -> Problem:
    return Problem(
        f"the run was made with {found}, and {asked} is asked",
        "--resume ends in what is asked, and nothing is ever overwritten",
        "choose another -o folder, or ask for the same",
    )
