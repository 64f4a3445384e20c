"""The screens of the terminal: what the input is, how far the run has come, and what the gate says.

Tables go to stdout. Progress goes to stderr: live bars on a terminal, one JSON object per line elsewhere.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from semblance.app import words
from semblance.app.conditions import listed
from semblance.app.events import Event, Profiled, Progressed
from semblance.core.modality import FieldPlan, Profile

MANY = 60
FIRST_REASONS = 5
FEW_TAGS = 3
"""Tags of a kind that stand in lines of their own; of more, so many are named."""
TICK_SECONDS = 1.0
COLOURS = {"RELEASE": "green", "CONTROLLED": "yellow", "REFUSED": "red"}
BETTER = {"lower": "↓", "higher": "↑", "half": "½"}
WORDS = {
    "RELEASE": "may be released to the public",
    "CONTROLLED": "may be shared under controlled access",
    "REFUSED": "must not leave the institution",
}
PROMISED = "the gate grants no release"
WRITTEN = (
    "public/ is written all the same, or its absence would tell the verdict. It keeps the guarantee; whether its"
    " records are good enough to leave is for a person to decide."
)


class Ended(Protocol):
    """What a finished run tells its last screen."""

    def to_json(self) -> dict[str, Any]: ...


def first_screen(profile: Profile, title: str) -> RenderableType:
    """Every field with its role, missing share, suspicion and what will be done (grouped where there are many)."""
    shown = [
        f for f in profile.fields if len(profile.fields) <= MANY or f.suspicion or f.unclear or f.role != "feature"
    ]
    columns = sum(not f.beside for f in profile.fields)
    head = Text.assemble(
        (title, "bold"),
        f"  {_count(profile.records, 'record')}",
        ", patients unknown" if profile.patients is None else f" of {_count(profile.patients, 'patient')}",
        f", {_count(columns, 'column')}",
    )
    parts: list[RenderableType] = [Text(), head, _fields_table([*_folded(shown)])]
    if len(shown) < len(profile.fields):
        parts.append(
            Text(f"  and {_count(len(profile.fields) - len(shown), 'column')}: {_kinds(profile, shown)}", "dim")
        )
    parts += [Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in profile.notes]
    return Group(*parts, Text())


def _folded(fields: Sequence[FieldPlan]) -> Iterator[FieldPlan]:
    """The same, with one for all that files hold beside columns of a kind, where these are many."""
    for one in fields:
        alike = [f for f in fields if f.beside and f.kind == one.kind]
        if not one.beside or len(alike) <= FEW_TAGS:
            yield one
        elif one is alike[0]:
            names = f"{', '.join(f.name for f in alike[:FEW_TAGS])} and {len(alike) - FEW_TAGS} more"
            said = f"{len(alike)} of this kind; each is in the report"
            yield replace(one, name=names, missing=min(f.missing for f in alike), suspicion=said)


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _kinds(profile: Profile, shown: Sequence[FieldPlan]) -> str:
    kinds = [f.kind for f in profile.fields if f not in shown]
    return ", ".join(f"{kinds.count(kind):,} {kind}" for kind in sorted(set(kinds)))


def _fields_table(shown: Sequence[FieldPlan]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    widest = max((len(one.name) for one in shown), default=0)
    table.add_column("  column", overflow="fold", min_width=min(widest + 2, 28), max_width=28)
    for name in ("kind", "role"):
        table.add_column(name, no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("what will be done", overflow="fold")
    for one in shown:
        colour = "bold yellow" if one.unclear else "dim" if one.role in ("key", "drop") else ""
        mark = "! " if one.unclear else "  "
        table.add_row(Text(mark + one.name, colour), one.kind, one.role, _share(one.missing), _action(one))
    return table


def _share(missing: float) -> Text:
    if missing == 0:
        return Text("-", "dim")
    return Text("<0.1%" if missing < 0.001 else f"{missing:.1%}")


def _action(one: FieldPlan) -> Text:
    said = Text(one.action)
    if one.suspicion:
        said.append(f" ({one.suspicion})", "yellow" if one.unclear else "dim")
    return said


def last_screen(outcome: Ended) -> RenderableType:
    """The verdict, what was asked for, the weakest finding of each section, the first reasons, the paths."""
    told = outcome.to_json()
    colour = COLOURS[told["verdict"]]
    promised, refused = "guarantee" in told["paths"], told["verdict"] == "REFUSED"
    said = PROMISED if promised and refused else WORDS[told["verdict"]]
    line = Text.assemble((told["verdict"], f"bold {colour}"), f"  {said}")
    parts: list[RenderableType] = [line]
    if refused:
        inside = "Inside it may be used" if told["granted"] == "internal" else "Not even internal use is granted"
        parts.append(Text(f"{inside}."))
    if told["exit_code"]:
        parts.append(Text(f"The asked profile '{told['asked']}' is not granted.", "bold"))
    if promised and "public" not in told["paths"]:
        parts.append(Text(WRITTEN))
    if told.get("wanted"):
        parts.append(Text(f"Asked for: {listed(told['wanted'])}"))
    parts += [Text(), _numbers(told["headline"])]
    if told["reasons"]:
        parts += [Text(f"\n{words.against(told)}", "dim")]
        parts += [Padding(Text(reason), (0, 0, 0, 2)) for reason in _few(told["reasons"])]
    return Group(Text(), Panel(Group(*parts), border_style=colour, padding=(1, 2)), _paths(told["paths"]), Text())


def _few(reasons: Sequence[str]) -> list[str]:
    """The first reasons; the report holds them all."""
    more = len(reasons) - FIRST_REASONS
    return [*reasons] if more <= 1 else [*reasons[:FIRST_REASONS], f"and {more} more, in the report"]


def _numbers(headline: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    table.add_column("weakest of each section", overflow="fold")
    for name in ("value", "95 % interval", "real"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("enough for", no_wrap=True)
    for one in headline:
        title = Text.assemble((BETTER.get(one["better"], " "), "dim"), f" {one['title']}")
        colour = "red" if one["level"] in ("internal", "insufficient", "none") else ""
        if one.get("estimate") is None:
            table.add_row(title, Text("-", "dim"), "", "", Text(one["status"].replace("_", " "), colour))
            continue
        enough = Text(words.LEVELS[one["level"]][0].lower(), colour)
        interval = " to ".join(_digits(one["estimate"][end]) for end in ("low", "high"))
        table.add_row(title, Text(_number(one["estimate"]), "bold"), interval, _number(one["control"]), enough)
    return table


def _number(estimate: Mapping[str, float] | None) -> str:
    return "-" if estimate is None else _digits(estimate["value"])


def _digits(value: float) -> str:
    """Three decimals, and no minus before a zero."""
    return f"{round(value, 3) + 0.0:.3f}"


def _paths(paths: Mapping[str, str]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    names = {"report": "Report", "synthetic": "Data", "card": "Card", "guarantee": "Guarantee", "public": "May leave"}
    for key, name in names.items():
        if key in paths:
            table.add_row(Text(f"  {name}", "dim"), Text(_short(paths[key]), overflow="fold"))
    return table


def _short(path: str) -> str:
    """Relative to where the person is, when that is shorter."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def memory() -> int:
    """Resident memory of this process in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


@dataclass
class Lines:
    """One JSON object per event on a stream; progress at most once a second."""

    stream: IO[str]
    _last: float = field(default=0.0, repr=False)
    _began: float = field(default_factory=time.monotonic, repr=False)

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, Progressed) and not event.label:
            if now - self._last < TICK_SECONDS and event.step != event.steps:
                return
            self._last = now
        told = {"event": type(event).__name__.lower(), "at": round(now - self._began, 3), "memory": memory()}
        print(json.dumps({**told, **asdict(event)}), file=self.stream, flush=True)


def progress(*, out: Console, err: Console, json_only: bool) -> Any:
    """How a run is shown: live on a terminal, JSON lines elsewhere; a context manager that takes events."""
    if err.is_terminal:
        from semblance.app.live import Live

        return Live(out, err, silent=json_only)
    return nullcontext(Both(Lines(sys.stderr), None if json_only else out))


@dataclass
class Both:
    """JSON lines on stderr and, unless silenced, the first screen as plain text on stdout."""

    lines: Lines
    out: Console | None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Profiled) and self.out is not None:
            self.out.print(first_screen(event.profile, event.title))
        self.lines(event)
