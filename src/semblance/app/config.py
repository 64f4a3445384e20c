"""config.toml: what really ran, and what a next run is asked to do. A flag beats the file, the file beats the default.

    [synth]      the options of the command line      [schema]   the schema file, as it was declared
    [generator]  the options of the generator itself  [plan]     the steps that a time budget became
    [input]      the files by name and sha256         [versions] code and libraries
    [accepted]   unclear columns whose plan a person accepted, with the role that was shown

`--config RUN/config.toml` takes up the saved plan: the same input, seed, threads and versions then give the same bytes.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from semblance.app.options import SynthOptions
from semblance.core.errors import Problem, UsageError
from semblance.core.files import write_bytes

TYPES: dict[str, tuple[type, ...]] = {
    "modality": (str,),
    "model": (str,),
    "rows": (int,),
    "subject": (str,),
    "target": (str,),
    "given": (dict,),
    "quota": (dict,),
    "shift": (dict,),
    "fair_on": (str,),
    "fairness": (str,),
    "holdout": (int, float),
    "epsilon": (int, float),
    "delta": (int, float),
    "ledger": (str,),
    "profile": (str,),
    "time_budget": (int, float, str),
    "seed": (int,),
    "device": (str,),
    "threads": (int,),
    "tier": (str,),
}
SECTIONS = ("synth", "generator", "schema", "plan", "input", "versions", "accepted")
HEADER = "# What really ran. `semblance synth INPUT -o NEW --config THIS_FILE` runs it again, to the same bytes.\n"
PRIVATE = (
    "# What really ran. It cannot be repeated: measuring anew costs budget. RUN/model draws the same records again.\n"
)


def seconds(text: str) -> float:
    """A span of time in seconds: '60s', '2m', '1.5h', or plain '90'. Raises UsageError otherwise."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text)
    if match is None:
        raise UsageError.of(f"time budget '{text}'", rule="a number with s, m or h", fix="--time-budget 60s")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def read_text(path: Path) -> str:
    """A UTF-8 file that a person named. Raises UsageError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError.of(
            f"'{path.name}' cannot be read ({type(error).__name__})",
            rule="a UTF-8 file that exists",
            fix="check the path",
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises UsageError where it cannot be read or parsed."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line \d+", str(error))
        raise UsageError.of(
            f"'{path.name}' is not TOML ({where[0] if where else 'at its end'})",
            rule="TOML 1.0",
            fix="correct that line",
        ) from error


def read(path: Path) -> dict[str, Any]:
    """A config file, checked. Raises UsageError that lists every unknown key with the nearest known one."""
    found = read_toml(path)
    problems = [
        *_no_tables(found),
        *_written(found),
        *_unknown(found, SECTIONS, "section"),
        *_unknown(_section(found, "synth"), TYPES, "key"),
    ]
    problems += [
        Problem(f"[synth] {name} is a {type(value).__name__}", f"a {TYPES[name][-1].__name__}", f"correct {name}")
        for name, value in _section(found, "synth").items()
        if name in TYPES and (not isinstance(value, TYPES[name]) or isinstance(value, bool))
    ]
    if problems:
        raise UsageError(*problems)
    return found


def _section(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = found.get(name, {})
    return section if isinstance(section, Mapping) else {}


def _no_tables(found: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in found.items():
        if name in SECTIONS and not isinstance(value, Mapping):
            yield Problem(f"'{name}' is no TOML table", f"[{name}] opens a table", f"write [{name}], its keys below")


def _written(found: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the sections that only a run writes."""
    hashes = _section(found, "input").get("sha256", [])
    if not isinstance(hashes, list) or not all(isinstance(value, str) for value in hashes):
        yield Problem("[input] sha256 is no list of texts", "one hash per input", "leave [input] out")
    for name, role in _section(found, "accepted").items():
        if not isinstance(role, str):
            yield Problem("[accepted] holds no role", "the role that was accepted", "leave it out", name)


def _unknown(found: Iterable[str], known: Iterable[str], what: str) -> list[Problem]:
    known = list(known)
    return [
        Problem(f"{what} '{name}'", f"known: {', '.join(known)}", nearest(name, known))
        for name in found
        if name not in known
    ]


def nearest(name: str, known: Iterable[str], *, otherwise: str = "remove it") -> str:
    """A sentence that offers the known word closest to `name`, or says what to do where none is close."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else otherwise


def synth_options(flags: Mapping[str, Any], *, config: Mapping[str, Any], inputs: Mapping[str, str]) -> SynthOptions:
    """Flags (None: not given) over the config over the defaults.

    A saved plan is kept only for the input, model and budget that it was made for, and options of a generator only
    for that generator. `inputs` maps paths to sha256.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    merged = {**config.get("synth", {}), **given}
    if isinstance(merged.get("time_budget"), str):
        merged["time_budget"] = seconds(merged["time_budget"])
    if "schema" in config:
        merged.setdefault("declared", config["schema"])
    named = config.get("synth", {}).get("model", "auto")
    kept = named == "auto" or merged["model"] == named
    merged["generator"] = dict(config.get("generator", {})) if kept else {}
    merged["accepted"] = dict(config.get("accepted", {}))
    if _plan_fits(config, given, inputs):
        merged["plan"] = config["plan"]
    return SynthOptions(**{**merged, "paths": tuple(merged["paths"])})


def _plan_fits(config: Mapping[str, Any], given: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
    made_for = config.get("input", {}).get("sha256")
    renewed = {"time_budget", "subject", "target", "declared", "holdout"} & given.keys()
    another = "model" in given and given["model"] != config.get("synth", {}).get("model")
    return (
        "plan" in config
        and not renewed
        and not another
        and (made_for is None or list(made_for) == list(inputs.values()))
    )


def effective(
    options: SynthOptions,
    *,
    plan: Mapping[str, Any],
    generator: Mapping[str, Any],
    inputs: Mapping[str, str],
    versions: Mapping[str, str],
    accepted: Mapping[str, str],
) -> dict[str, Any]:
    """The config that repeats this run."""
    kept = {f.name: getattr(options, f.name) for f in fields(options) if f.name in TYPES}
    return {
        "synth": kept,
        "generator": dict(generator),
        "schema": options.declared,
        "plan": dict(plan),
        "accepted": dict(accepted) if accepted else None,
        "input": {"names": [file_name(path) for path in inputs], "sha256": list(inputs.values())},
        "versions": dict(versions),
    }


def file_name(path: str) -> str:
    """An input's name without its folders, its zip member kept."""
    file, mark, member = path.partition("::")
    return Path(file).name + mark + member


def write(path: Path, config: Mapping[str, Any]) -> None:
    """Write a config atomically; what is None is left out, as TOML has no word for it."""
    import tomli_w

    head = PRIVATE if config.get("synth", {}).get("epsilon") is not None else HEADER
    write_bytes(path, (head + "\n" + tomli_w.dumps(_without_none(config))).encode())


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list | tuple) else value
