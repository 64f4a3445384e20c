"""Live bars on a terminal: one line per stage, with loss, time left and memory while it works."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from semblance.app.events import Event, Finished, Noted, Profiled, Progressed, Started
from semblance.app.screens import first_screen, memory

SAID = {
    "profile": "Look at the input",
    "contract": "State the schema",
    "identifiers": "Check identifiers",
    "split": "Set patients aside",
    "plan": "Plan the steps",
    "audit": "Attack itself",
    "fit": "Learn",
    "sample": "Sample",
    "evaluate": "Judge",
    "decide": "Decide",
    "sign": "Sign",
}


class _Left(ProgressColumn):
    """Time left while a stage works, time taken once it is done."""

    def render(self, task: Task) -> Text:
        if task.fields["ended"] is not None:
            return Text(_clock(task.fields["ended"]).rjust(9), "dim")
        if task.total and task.completed and task.elapsed:
            left = task.elapsed / task.completed * (task.total - task.completed)
            return Text(f"{_clock(left)} left".rjust(9), "cyan")
        return Text(_clock(task.elapsed or 0.0).rjust(9), "dim")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}" if seconds >= 0.5 else "0:00"


class Live:
    """Takes events and keeps the bars current; the first screen stands above them."""

    def __init__(self, out: Console, err: Console, *, silent: bool) -> None:
        self.out, self.err, self.silent = out, err, silent
        self.tasks: dict[str, Any] = {}
        self.profiled: Profiled | None = None
        self.bars = Progress(
            SpinnerColumn("dots", finished_text="[green]✓[/]"),
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=18, pulse_style="cyan", complete_style="cyan", finished_style="dim cyan"),
            _Left(),
            TextColumn("{task.fields[said]}", style="dim"),
            console=err,
            expand=False,
        )

    def __enter__(self) -> Live:
        self.bars.start()
        return self

    def __exit__(self, *exit: object) -> None:
        self.bars.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case Profiled():
                self._show_profile(event)
            case Started():
                said = SAID.get(event.name, event.name)
                self.tasks[event.name] = self.bars.add_task(said, total=None, said="", ended=None)
            case Progressed():
                self._progress(event)
            case Finished():
                said = "kept from before" if event.reused else ""
                self.bars.update(self.tasks[event.name], total=1, completed=1, said=said, ended=event.seconds)
            case Noted():
                self.err.print(event.text, style="dim")

    def _show_profile(self, event: Profiled) -> None:
        if not self.silent:
            (self.err if self.out.is_terminal else self.out).print(first_screen(event.profile, event.title))

    def _progress(self, event: Progressed) -> None:
        parts = [event.label] if event.label else []
        parts += [f"loss {event.loss:.3f}"] if event.loss is not None else []
        parts.append(f"{memory() / 2**30:.1f} GB")
        self.bars.update(self.tasks[event.name], total=event.steps or None, completed=event.step, said="  ".join(parts))
