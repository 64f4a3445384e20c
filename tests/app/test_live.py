from __future__ import annotations

import io

from rich.console import Console

from semblance.app.events import Finished, Noted, Profiled, Progressed, Started
from semblance.app.live import Live
from semblance.core.modality import FieldPlan, Profile


def test_bars_show_loss_time_left_and_memory() -> None:
    out, err = (Console(file=io.StringIO(), width=80, force_terminal=terminal) for terminal in (False, True))
    with Live(out, err, silent=False) as live:
        live(Profiled(Profile(3, 3, (FieldPlan("age", "integer", "feature", 0.0),)), "a.csv"))
        live(Started("fit", 6, 10))
        live(Progressed("fit", 50, 100, loss=1.234))
        live.bars.refresh()
        live(Finished("fit", 61.0, False))
        live(Started("sample", 7, 10))
        live(Finished("sample", 0.0, True))
        live(Noted("a note"))
    shown, table = err.file.getvalue(), out.file.getvalue()  # type: ignore[attr-defined]
    assert (
        "loss 1.234" in shown
        and "GB" in shown
        and "1:01" in shown
        and "kept from before" in shown
        and "a note" in shown
    )
    assert "age" in table and "\x1b" not in table
