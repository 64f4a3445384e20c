"""What was judged, as short texts for the page, the card and the exports."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from semblance.app import conditions, words
from semblance.core.promise import Guarantee
from semblance.core.report import Report

SHORT = 12  # characters of a SHA-256 that are shown where the whole stands elsewhere
INPUT_PARTS = ("train", "holdout", "synthetic")


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What was judged, as pairs of a name and a text."""
    s = report.subject
    yield from _counts(s)
    card = s.get("generator")
    named = f"{card['name']}: {card.get('summary', '')}" if isinstance(card, Mapping) else words.UNKNOWN_GENERATOR
    yield "Generator", named
    if s.get("race"):
        yield "Chosen by a race", race(s["race"])
    if s.get("wanted"):
        yield "Asked for", conditions.spoken(s["wanted"])
    if s.get("sampling", {}).get("broken"):
        yield "Drawn anew", redrawn(s["sampling"])
    if s.get("floor"):
        yield "Naive generator, to compare", s["floor"]
    yield "Formal guarantee", guarantee(s.get("guarantee"))
    if s.get("audit"):
        yield "Attacks on the guarantee", audit(s["audit"])
    if s.get("date"):
        yield "Date", str(s["date"])
    policy = (report.decision or {}).get("policy", {})
    if policy:
        yield "Policy", f"{policy['name']} ({policy['sha256'][:SHORT]})"
    yield from hashes(s)


def _counts(s: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rows, patients = s.get("rows", {}), s.get("patients", {})
    if rows:
        yield "Synthetic records", count(rows.get("synthetic"))
        yield "Real records", f"{count(rows.get('train'))} learned from, {count(rows.get('holdout'))} held out"
        yield from _pieces(s.get("pieces", {}))
    if "patients" in s and not patients:
        yield "Patients", "unknown: nobody says which records are of one patient"
    elif patients:
        each = all(patients[part] == rows.get(part) for part in patients)
        parts = f"{count(patients.get('train'))} learned from, {count(patients.get('holdout'))} held out"
        yield "Patients", "one record each; none is on both sides" if each else f"{parts}; none is on both sides"
    learned = [c for c in s.get("columns", ()) if c.get("role") not in ("subject", "key", "drop")]
    if learned:
        yield "Columns", f"{len(learned)} learned" + (f"; target: {s['target']}" if s.get("target") else "")


def _pieces(pieces: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How many beats or windows the judges saw, where these are not the records."""
    if pieces:
        real = f"{count(pieces.get('train'))} learned from, {count(pieces.get('holdout'))} held out"
        yield "Pieces judged", f"{count(pieces.get('synthetic'))} synthetic; real: {real}"


def hashes(s: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first characters of the SHA-256 of what was judged."""
    if s.get("sha256"):
        yield "SHA-256 of the synthetic records", str(s["sha256"])[:SHORT]
    real = {part: sha for part, sha in s.get("inputs", {}).items() if not part.startswith(("synthetic", "further"))}
    if real:
        said = (sha[:SHORT] if len(real) == 1 else f"{part} {sha[:SHORT]}" for part, sha in real.items())
        yield "SHA-256 of the real records", ", ".join(said)


def race(told: Mapping[str, Any]) -> str:
    """Who raced, how each did, and why the winner won."""
    ran = "; ".join(f"{one['name']} {_did(one)}" for one in told["race"])
    return f"{told['winner']}: {told['why']} ({ran})"


def redrawn(told: Mapping[str, Any]) -> str:
    """What it cost that no record breaks a rule."""
    share = told["broken"] / (told["drawn"] - told["redrawn"])
    return f"{share:.1%} of the records broke a rule and were replaced, by {count(told['redrawn'])} further draws"


def _did(one: Mapping[str, Any]) -> str:
    if "failed" in one:
        return str(one["failed"])
    measured = (("C2ST", "c2st"), ("TSTR", "tstr"), ("gap", "gap"))
    return ", ".join(f"{said} {one[key]['value']:.3f}" for said, key in measured if key in one)


def guarantee(said: Any) -> str:
    """A guarantee as a sentence."""
    if isinstance(said, Mapping):
        return str(Guarantee(**said))
    return str(Guarantee()) if said is None else str(said)


def audit(told: Mapping[str, Any]) -> str:
    """What attacks on simulated patients found of the mechanism."""
    return (
        f"{told['trials']} refits on simulated patients with a planted one, and as many without, show an epsilon of at"
        f" least {told['epsilon']:.2f} (confidence {told['confidence']:.1%}), of at most {told['reach']:.1f} that they"
        " could show: which refutes nothing"
    )


def count(value: Any) -> str:
    """A count as it is read; coarse counts are texts already."""
    return f"{value:,}" if isinstance(value, int) else "unknown" if value is None else str(value)


def removed(report: Report) -> Iterator[tuple[str, str]]:
    """Columns that were not learned, and what was done instead; what stood beside them in files; and what too few
    patients have."""
    done = {
        "drop": "dropped: it does not stand in the synthetic records",
        "key": "regenerated: numbered anew",
        "subject": "regenerated: synthetic patients are numbered anew",
    }
    for column in report.subject.get("columns", ()):
        if column.get("role") in done:
            yield column["name"], done[column["role"]]
    for name, what in report.subject.get("beside", {}).items():
        yield name, f"neither learned nor written ({what})"
    for name, why in report.subject.get("unlearned", {}).items():
        yield name, f"not learned ({why})"


def reproduction(report: Report) -> Iterator[tuple[str, str]]:
    """What it takes to make these numbers again."""
    s = report.subject
    if s.get("command"):
        yield "Command", str(s["command"])
    for key in ("seed", "tier"):
        if s.get(key) is not None:
            yield key.capitalize(), str(s[key])
    for part, sha in s.get("inputs", {}).items():
        yield f"SHA-256 of {part}", str(sha)
    for name, version in s.get("versions", {}).items():
        yield str(name), str(version)
    for name, seconds in s.get("times", {}).items():
        yield f"Time: {name}", f"{seconds:.1f} s" if isinstance(seconds, float) else str(seconds)


def origin(config: Mapping[str, Any]) -> dict[str, Any]:
    """From the effective config of a run: the command that repeats it, and the SHA-256 of each input by its part."""
    given = config.get("input", {})
    names, sums = list(given.get("names", ())), list(given.get("sha256", ()))
    if not names:
        return {}
    judged = config.get("evaluate")
    if judged is None:
        parts = ["input"] if len(names) == 1 else [f"input {i}" for i in range(1, len(names) + 1)]
        command = shlex.join(["semblance", "synth", *names, "--config", "config.toml", "-o", "RUN"])
    else:
        parts = [part for part in INPUT_PARTS if part in judged]
        parts += [f"further-{i}" for i in range(1, len(names) - len(parts) + 1)]
        command = _evaluated(judged, dict(zip(parts, names, strict=True)), declared=bool(config.get("schema")))
    return {"command": command, "inputs": dict(zip(parts, sums, strict=True))}


def _evaluated(judged: Mapping[str, Any], files: Mapping[str, str], *, declared: bool) -> str:
    line = ["semblance", "evaluate"]
    for part, name in files.items():
        line += [f"--{part.partition('-')[0]}", name]
    for key in ("subject", "target", "profile", "tier", "seed"):
        if judged.get(key) is not None:
            line += [f"--{key}", str(judged[key])]
    line += ["--schema", "SCHEMA.toml"] if declared else []
    return shlex.join([*line, "-o", "RUN"])
