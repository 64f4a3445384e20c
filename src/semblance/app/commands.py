"""What each command does once its options are read; the heavy half of the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from semblance.app import choose, conditions, config
from semblance.app.evaluation import run_evaluate
from semblance.app.events import Progressed, Started
from semblance.app.options import EvaluateOptions, refuse_wrong
from semblance.app.outcome import Outcome
from semblance.app.pipeline import run_synth
from semblance.app.screens import last_screen, progress
from semblance.app.versions import fingerprint
from semblance.app.work import free_name
from semblance.catalog import MODALITIES, modality
from semblance.core.errors import PrivacyError, Problem, UsageError
from semblance.core.files import write_text
from semblance.core.modality import Modality


def synth(flags: Mapping[str, Any], *, schema: Path | None, config_file: Path | None, as_json: bool) -> None:
    """`semblance synth`."""
    declared = None if schema is None else config.read_toml(schema)
    read = {} if config_file is None else config.read(config_file)
    inputs = {path: fingerprint(path) for path in flags["paths"]}
    run = _run_folder(flags["run"], flags["paths"][0], resume=flags["resume"])
    asked = {**conditions.from_flags(flags), "run": run, "declared": declared}
    with conditions.command_line_syntax(), _showing(as_json) as show:
        options = config.synth_options(asked, config=read, inputs=inputs)
        outcome = run_synth(options, show=show)
    _end(outcome, as_json=as_json)


def evaluate(flags: Mapping[str, Any], *, schema: Path | None, as_json: bool) -> None:
    """`semblance evaluate`."""
    declared = None if schema is None else config.read_toml(schema)
    given = {name: value for name, value in flags.items() if value is not None}
    given["further"] = tuple(flags["further"] or ())
    given["run"] = _run_folder(flags["run"], flags["synthetic"])
    with _showing(as_json) as show:
        outcome = run_evaluate(EvaluateOptions(**given, declared=declared), show=show)
    _end(outcome, as_json=as_json)


def _run_folder(asked: Path | None, path: str, *, resume: bool = False) -> Path:
    """The run folder that was asked for, or one in the current folder named after the input."""
    if asked is not None:
        return asked
    name = config.file_name(path).partition("::")[0].partition(".")[0]
    return free_name(Path(f"semblance-{name or 'run'}"), resume=resume)


def verify(run: Path, *, key: str | None, as_json: bool) -> None:
    """`semblance verify`."""
    from semblance.release.bundle import verify as check

    found = check(run, trusted=key)
    told = {
        "status": found.status,
        "fingerprint": found.fingerprint,
        "files": found.files,
        "predicate": dict(found.predicate),
    }
    if as_json:
        _print_json({**told, "exit_code": 0})
        return
    out = Console()
    out.print(f"\n[bold green]{found.status}[/]  {found.files} files", highlight=False)
    out.print(f"signed by  {found.fingerprint}", highlight=False, soft_wrap=True)
    out.print(f"\n{found.meaning}\n", style="dim", highlight=False)


def audit(run: Path, *, trials: int | None, confidence: float, seed: int, as_json: bool) -> None:
    """`semblance audit`: ends with 5 where an attack refutes the claim."""
    from dataclasses import asdict

    from semblance.app.audit import audit_screen, audited

    refuse_wrong(seed=seed)
    problems = []
    if trials is not None and trials < FEWEST:
        problems.append(Problem(f"{trials} trials", f"at least {FEWEST}", "--trials 500"))
    if not 0.5 < confidence < 1:
        problems.append(Problem(f"confidence {confidence}", "above .5, below 1", "--confidence .99"))
    if problems:
        raise UsageError(*problems)
    with _showing(as_json) as show:

        def watch(done: int, total: int) -> None:
            show(Progressed("audit", done, total, ""))

        show(Started("audit", 1, 1))
        found = audited(run, trials=trials, confidence=confidence, seed=seed, watch=watch)
    code = 0 if found.holds else PrivacyError.exit_code
    if as_json:
        _print_json({**asdict(found), "highest": found.highest, "holds": found.holds, "exit_code": code})
    else:
        Console().print(audit_screen(found))
    raise typer.Exit(code)


FEWEST = 20
PAGE = Path("semblance-compare.html")


def compare(runs: list[Path], *, output: Path | None, anyway: bool, as_json: bool) -> None:
    """`semblance compare`."""
    from semblance.app.compare import compare as beside
    from semblance.app.html import render_comparison
    from semblance.app.tables import comparison_screen

    page = PAGE if output is None else output
    found, problems = None, list(_unwritable(page))
    try:
        found = beside(runs, anyway=anyway)
    except UsageError as error:
        problems += error.problems
    if found is None or problems:
        raise UsageError(*problems)
    write_text(page, render_comparison(found))
    if as_json:
        _print_json({**found.to_json(), "paths": {"page": str(page)}, "exit_code": 0})
    else:
        Console().print(comparison_screen(found, page))


def _unwritable(page: Path) -> Iterator[Problem]:
    """Why a page cannot be written at a place."""
    if page.exists():
        yield Problem(f"'{page.name}' exists", "nothing is ever overwritten", "choose another -o file")
    elif not page.parent.is_dir():
        yield Problem(f"no folder '{page.parent.name}'", "-o names a new file in a folder", "make the folder first")


def models(name: str | None, *, as_json: bool) -> None:
    """`semblance models`."""
    from semblance.app.catalogue import card_screen, catalogue_screen

    manifests = [modality(known) for known in MODALITIES]
    if name is None:
        if as_json:
            _print_json({m.name: {g: m.generator(g).card.to_json() for g in m.generators} for m in manifests})
        else:
            Console().print(catalogue_screen(manifests))
        return
    manifest = _holding(name, manifests)
    kind = manifest.generator(name)
    if as_json:
        options = {f.name: None if f.default is MISSING else f.default for f in fields(kind)}
        rules = {"rules": [rule.row() for rule in kind.rules]} if hasattr(kind, "rules") else {}
        _print_json({**kind.card.to_json(), "modality": manifest.name, "options": options, **rules})
    else:
        Console().print(card_screen(kind, manifest))


def _holding(name: str, manifests: list[Modality]) -> Modality:
    for manifest in manifests:
        if name in manifest.generators:
            return manifest
    known = [generator for manifest in manifests for generator in manifest.generators]
    raise UsageError.of(
        f"generator '{name}'",
        rule=f"one of {', '.join(known)}",
        fix=config.nearest(name, known, otherwise=choose.CHOOSE),
    )


def demo(output: Path | None, *, as_json: bool) -> None:
    """`semblance demo`: ends with 0 once the verdict is shown, whatever it is."""
    from semblance.app.demo import run_demo

    with _showing(as_json) as show:
        outcome = run_demo(output, show=show)
    _tell(outcome, as_json=as_json)


def _showing(as_json: bool) -> Any:
    return progress(out=Console(), err=Console(stderr=True), json_only=as_json)


def _end(outcome: Outcome, *, as_json: bool) -> None:
    _tell(outcome, as_json=as_json)
    raise typer.Exit(outcome.exit_code)


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        _print_json(outcome.to_json())
    else:
        Console().print(last_screen(outcome))


def _print_json(told: Mapping[str, Any]) -> None:
    print(json.dumps(told, indent=1, ensure_ascii=False, default=str))
