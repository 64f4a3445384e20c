"""The command line. Nothing heavy is imported before a command needs it, so that --help is at once.

stdout carries what was asked for (tables, or one JSON object under --json); progress and errors go to stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from semblance.app import flags
from semblance.app.failures import guarded

app = typer.Typer(
    name="semblance",
    help="Synthetic medical data that is judged, gated and signed before it leaves the building.",
    epilog="Start with [bold]semblance demo[/], then [bold]semblance synth patients.csv -o RUN[/].",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def version(value: bool) -> None:
    """Print the version and leave."""
    if value:
        import semblance

        typer.echo(f"semblance {semblance.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def synth(
    paths: flags.Paths,
    output: flags.Output = None,
    modality: flags.Modality = None,
    rows: flags.Rows = None,
    model: flags.ModelName = None,
    subject: flags.Subject = None,
    target: flags.Target = None,
    given: flags.Given = None,
    quota: flags.Quota = None,
    shift: flags.Shift = None,
    fair_on: flags.FairOn = None,
    fairness: flags.Fairness = None,
    holdout: flags.Share = None,
    epsilon: flags.Epsilon = None,
    delta: flags.Delta = None,
    ledger: flags.Ledger = None,
    schema: flags.SchemaFile = None,
    profile: flags.ProfileName = None,
    time_budget: flags.TimeBudget = None,
    tier: flags.Tier = None,
    seed: flags.Seed = None,
    device: flags.Device = None,
    threads: flags.Threads = None,
    config: flags.ConfigFile = None,
    resume: flags.Resume = False,
    yes: flags.Yes = False,
    as_json: flags.Json = False,
) -> None:
    """Learn real records; make, judge and sign synthetic ones.

    Ends with 0 where the asked profile is granted; otherwise 2 usage, 3 data,
    4 identifiers unresolved, 5 privacy failed or cannot be certified, 6 another
    finding failed, 7 resources, 130 interrupted.
    """
    asked = {name: value for name, value in locals().items() if name not in ("output", "schema", "config", "as_json")}
    with guarded(as_json=as_json, again=_again(resume=True)):
        from semblance.app import commands

        commands.synth({**asked, "run": output}, schema=schema, config_file=config, as_json=as_json)


@app.command()
def evaluate(
    train: flags.Train,
    synthetic: flags.Synthetic,
    holdout: flags.Holdout = None,
    further: flags.Further = None,
    output: flags.Output = None,
    target: flags.Target = None,
    subject: flags.Subject = None,
    schema: flags.SchemaFile = None,
    modality: flags.Modality = None,
    holds_records: flags.HoldsRecords = None,
    profile: flags.ProfileName = None,
    tier: flags.Tier = None,
    seed: flags.Seed = None,
    as_json: flags.Json = False,
) -> None:
    """Judge the output of any generator: the same findings, the same gate, the same signed report."""
    given = {name: value for name, value in locals().items() if name not in ("output", "schema", "as_json")}
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.evaluate({**given, "run": output}, schema=schema, as_json=as_json)


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or its public/ part.")],
    key: flags.Key = None,
    as_json: flags.VerifyJson = False,
) -> None:
    """Check every byte of a bundle, offline. Ends with 8 and names the file where one differs."""
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.verify(run, key=key, as_json=as_json)


@app.command()
def audit(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run with --epsilon.")],
    trials: Annotated[
        int | None,
        typer.Option("--trials", metavar="N", help="Refits with the patient, and without: 500, of networks fewer."),
    ] = None,
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="C", help="With which the lower bounds hold.")
    ] = 0.99,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the simulated cohort.")] = 0,
    as_json: flags.AuditJson = False,
) -> None:
    """Attack the generator of a private run: what it leaks at least, whatever it claims.

    Refits it at its recorded settings on simulated patients, with and without one
    more. Ends with 5 where an attack refutes the claimed epsilon.
    """
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.audit(run, trials=trials, confidence=confidence, seed=seed, as_json=as_json)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished run folders, two or more.")],
    output: flags.Page = None,
    anyway: flags.Anyway = False,
    as_json: flags.CompareJson = False,
) -> None:
    """Several runs side by side on one page: which generator or tool is best where.

    Refuses runs that judged against other real records, or with another tier.
    """
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.compare(runs, output=output, anyway=anyway, as_json=as_json)


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show the card of one generator.")] = None,
    as_json: flags.ModelsJson = False,
) -> None:
    """The catalogue of generators, and the card of each."""
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.models(name, as_json=as_json)


@app.command()
def demo(output: flags.Output = None, as_json: flags.Json = False) -> None:
    """A real cohort from end to end: 7,874 patients (FLChain), learned in 20 s, judged and signed.

    Interrupted, the same command goes on. Ends with 0 once the verdict is shown, whatever it is.
    """
    with guarded(as_json=as_json, again=_again(resume=False)):
        from semblance.app import commands

        commands.demo(output, as_json=as_json)


def _again(*, resume: bool) -> str:
    import shlex

    words = [word for word in sys.argv[1:] if word != "--resume"]
    return shlex.join(["semblance", *words, *(["--resume"] if resume else [])])


def main() -> None:
    """The entry point: the exit codes are ours, also for a call that cannot be parsed."""
    from semblance.app.failures import usage_errors

    if _help_only(sys.argv[1:]):
        return
    with usage_errors(as_json="--json" in sys.argv):
        code = app(standalone_mode=False)
    sys.exit(code if isinstance(code, int) else 0)


def _help_only(words: list[str]) -> bool:
    """Answer a plain `[COMMAND] --help` without parsing, which would first load the parser's validators (0.2 s)."""
    if len(words) > 2 or words[-1:] not in (["--help"], ["-h"]):
        return False
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="semblance", **command.context_settings)
    for name in words[:-1]:
        command = command.get_command(context, name)
        if command is None:
            return False
        context = command.context_class(command, info_name=name, parent=context)
    print(command.get_help(context), end="")
    return True


if __name__ == "__main__":
    main()
