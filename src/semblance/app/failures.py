"""How a run that does not end well ends: a panel (found, rule, fix) or one JSON object, and its exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from semblance.core.errors import ResourceError, SemblanceError, UsageError, reason, told

INTERRUPTED = 130
TITLES = {
    2: "The call is wrong",
    3: "The data cannot be used",
    4: "Identifiers are not resolved",
    7: "Resources ran out",
    8: "This bundle is not what was signed",
}


@contextmanager
def guarded(*, as_json: bool, again: str = "") -> Iterator[None]:
    """Turn whatever goes wrong into a message without any patient's value, and into its exit code.

    `again` is the command that takes up the run after an interruption.
    """
    try:
        yield
    except SemblanceError as error:
        _leave(error, as_json=as_json)
    except KeyboardInterrupt:
        _interrupted(again, as_json=as_json)
    except BrokenPipeError:
        _broken_pipe()
    except (MemoryError, OSError) as error:
        _leave(exhausted(error), as_json=as_json)
    except typer.Exit:
        raise
    except Exception as error:
        _unforeseen(error, as_json=as_json)


def exhausted(error: MemoryError | OSError) -> ResourceError:
    """What the system refused, as our own error. The system's words are kept, the arguments (paths) are not."""
    return ResourceError.of(
        reason(error) if isinstance(error, OSError) and error.errno else "memory ran out",
        rule="a run needs memory, disk space and a writable folder",
        fix="free some, then repeat the command (`synth` with --resume)",
    )


@contextmanager
def usage_errors(*, as_json: bool) -> Iterator[None]:
    """Show what the parser refuses as all other errors are shown."""
    try:
        yield
    except typer.Abort:
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if "ClickException" not in {kind.__name__ for kind in type(error).__mro__}:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            raise SystemExit(2) from None
        _show(_parsed(error), as_json=as_json)
        raise SystemExit(2) from None


def _parsed(error: Exception) -> SemblanceError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "semblance"
    found = error.format_message() if hasattr(error, "format_message") else type(error).__name__
    return UsageError.of(found.rstrip("."), rule="the options of the command", fix=f"{command} --help")


def _leave(error: SemblanceError, *, as_json: bool) -> None:
    _show(error, as_json=as_json)
    raise typer.Exit(error.exit_code)


def _show(error: SemblanceError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(error.to_json(), indent=1, ensure_ascii=False))
    else:
        from rich.console import Console

        Console(stderr=True).print(_panel(error))


def _panel(error: SemblanceError) -> object:
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    parts: list[object] = []
    for one in told(error.problems):
        more = [f"and {one.more:,} more, which --json lists"] if one.more else []
        rows = Table.grid(padding=(0, 2))
        rows.add_row(Text("found", "dim"), Text("\n".join([*one.found, *more]), "bold", overflow="fold"))
        rows.add_row(Text("rule", "dim"), Text(one.rule, overflow="fold"))
        rows.add_row(Text("fix", "dim"), Text(one.fix, "cyan", overflow="fold"))
        parts += [rows, Text()]
    title = TITLES.get(error.exit_code, type(error).__name__)
    return Panel(Group(*parts[:-1]), title=title, title_align="left", border_style="red", padding=(1, 2))  # type: ignore[arg-type]


def _interrupted(again: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": "Interrupted", "exit_code": INTERRUPTED, "fix": again}))
    else:
        more = f" What was finished is kept. To go on:\n  {again}" if again else ""
        print(f"\nInterrupted.{more}", file=sys.stderr)
    raise typer.Exit(INTERRUPTED)


def _broken_pipe() -> None:
    """The reader of our output has gone (`| head`): leave quietly, but never as if the profile had been granted."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(128 + signal.SIGPIPE)


def _unforeseen(error: Exception, *, as_json: bool) -> None:
    """A defect of ours. Its message may quote data, so only its kind and the way there are shown."""
    frames = [f"{Path(f.filename).name}:{f.lineno} in {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    if as_json:
        print(json.dumps({"error": type(error).__name__, "exit_code": 1, "trace": frames}, indent=1))
    else:
        print(f"A defect in semblance: {type(error).__name__}\n  " + "\n  ".join(frames), file=sys.stderr)
        print("The message is left out, because it may quote data. Please report the lines above.", file=sys.stderr)
    raise typer.Exit(1)
