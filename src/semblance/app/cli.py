"""The command line. Nothing heavy is imported before a command needs it, so that --help is at once.

stdout carries what was asked for (tables, or one JSON object under --json); progress and errors go to stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

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

RUN, DATA, MODEL, PRIVACY, WORK = "The run", "The data", "The model", "Privacy and the gate", "How it works"

Out = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="RUN",
        help="The run folder, which must be new [dim]\\[default: named after the input][/]",
        rich_help_panel=RUN,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on stdout: decision, headline, paths.", rich_help_panel=RUN)
]
Modality = Annotated[
    str | None,
    typer.Option(metavar="auto|table", help="What the input is [dim]\\[default: auto][/]", rich_help_panel=DATA),
]
Subject = Annotated[
    str | None, typer.Option(metavar="COL", help="The column that names the patient.", rich_help_panel=DATA)
]
Target = Annotated[
    str | None, typer.Option(metavar="COL", help="The column that others shall predict.", rich_help_panel=DATA)
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", metavar="FILE.toml", help="What you declare about the columns.", rich_help_panel=DATA),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="public|controlled|internal",
        help="Who shall read the result [dim]\\[default: controlled][/]",
        rich_help_panel=PRIVACY,
    ),
]


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
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="CSV, Parquet, Feather or Excel; FILE.zip::member chooses from a zip."),
    ],
    output: Out = None,
    modality: Modality = None,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", help="Synthetic records [dim]\\[default: as the input][/]", rich_help_panel=DATA),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="auto|NAME",
            help="The generator; see `semblance models` [dim]\\[default: auto][/]",
            rich_help_panel=MODEL,
        ),
    ] = None,
    subject: Subject = None,
    target: Target = None,
    holdout: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of patients that the model never sees [dim]\\[default: 0.2][/]",
            rich_help_panel=DATA,
        ),
    ] = None,
    epsilon: Annotated[
        float | None, typer.Option(metavar="E", help="Differential privacy budget.", rich_help_panel=PRIVACY)
    ] = None,
    delta: Annotated[
        float | None, typer.Option(metavar="D", help="The delta that belongs to epsilon.", rich_help_panel=PRIVACY)
    ] = None,
    schema: SchemaFile = None,
    profile: ProfileName = None,
    time_budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Time for fitting: 60s, 5m, 1h [dim]\\[default: 60s][/]", rich_help_panel=MODEL
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed of every random draw [dim]\\[default: 0][/]", rich_help_panel=WORK),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="auto|cpu|cuda", help="Where the network learns [dim]\\[default: auto][/]", rich_help_panel=WORK
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Threads; equal bytes need equal threads [dim]\\[default: all cores][/]",
            rich_help_panel=WORK,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml", help="Options from a file; RUN/config.toml repeats a run.", rich_help_panel=WORK
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Take up an interrupted run.", rich_help_panel=RUN)] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", "-y", help="Accept the plan for columns that may identify a patient.", rich_help_panel=PRIVACY
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Learn real records; make, judge and sign synthetic ones.

    Exit codes: 0 the asked profile is granted, 2 usage, 3 data, 4 identifiers unresolved, 5 privacy failed or cannot be
    certified, 6 another finding failed, 7 resources, 8 signature, 130 interrupted.
    """
    names = "modality rows model subject target holdout epsilon delta profile time_budget seed device threads"
    flags = {
        **{name: value for name, value in locals().items() if name in names.split()},
        "paths": paths,
        "run": output,
    }
    flags |= {"resume": resume, "yes": yes}
    with guarded(as_json=as_json, again=resume or _again()):
        from semblance.app import commands

        commands.synth(flags, schema=schema, config_file=config, as_json=as_json)


@app.command()
def evaluate(
    train: Annotated[str, typer.Option(metavar="T", help="Real records that the generator saw.", rich_help_panel=DATA)],
    holdout: Annotated[
        str, typer.Option(metavar="H", help="Real records of other patients, which it never saw.", rich_help_panel=DATA)
    ],
    synthetic: Annotated[str, typer.Option(metavar="S", help="What it made.", rich_help_panel=DATA)],
    output: Out = None,
    target: Target = None,
    subject: Subject = None,
    schema: SchemaFile = None,
    modality: Modality = None,
    profile: ProfileName = None,
    tier: Annotated[
        str, typer.Option(metavar="fast|standard|audit", help="How hard the judges look.", rich_help_panel=WORK)
    ] = "standard",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of every random draw.", rich_help_panel=WORK)] = 0,
    as_json: Json = False,
) -> None:
    """Judge the output of any generator: the same findings, the same gate, the same signed report."""
    flags: dict[str, Any] = {
        "train": train,
        "holdout": holdout,
        "synthetic": synthetic,
        "run": output,
        "target": target,
    }
    flags |= {"subject": subject, "modality": modality, "profile": profile, "tier": tier, "seed": seed}
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.evaluate(flags, schema=schema, as_json=as_json)


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or its public/ part.")],
    key: Annotated[str | None, typer.Option(metavar="FINGERPRINT", help="The key that must have signed it.")] = None,
    as_json: Json = False,
) -> None:
    """Check every byte of a bundle, offline. Ends with 8 and names the file where one differs."""
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.verify(run, key=key, as_json=as_json)


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show the card of one generator.")] = None,
    as_json: Json = False,
) -> None:
    """The catalogue of generators, and the card of each."""
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.models(name, as_json=as_json)


@app.command()
def demo(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="RUN",
            help="The run folder [dim]\\[default: ./semblance-demo][/]",
            rich_help_panel=RUN,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """A real cohort from end to end: 7,874 patients (FLChain), learned in 20 s, judged and signed."""
    with guarded(as_json=as_json):
        from semblance.app import commands

        commands.demo(output, as_json=as_json)


def _again() -> str:
    import shlex

    return shlex.join(["semblance", *sys.argv[1:], "--resume"])


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
