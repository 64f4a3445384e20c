"""The dependency graph of a model as a picture: its columns in a row, and an arc for what one says about another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from semblance.app.figures import short, svg

NAMES, STEP, LEFT, REACH = 30, 22, 190, 150
THICK = 6.0
CERTAIN = -1.0


def arcs(graph: Mapping[str, Any]) -> Markup:
    """The columns from top to bottom as the model draws them; arcs leave to the right, the thicker the more is said.

    A dashed arc is a column that follows from another without chance.
    """
    edges = [(int(i), int(j), float(say)) for i, j, say in graph["edges"]]
    shown = _shown(edges)
    place = {column: 16 + STEP * row for row, column in enumerate(shown)}
    most = max((say for _, _, say in edges), default=0.0)
    drawn = [_arc(place[i], place[j], say, most) for i, j, say in edges if i in place and j in place]
    labels = [_label(str(graph["names"][column]), y) for column, y in place.items()]
    words = f"Which columns say most about which others; {len(drawn)} relations between {len(shown)} columns"
    return svg(LEFT + REACH + 20, 16 + STEP * max(len(shown), 1), [*drawn, *labels], words)


def _shown(edges: Sequence[tuple[int, int, float]]) -> list[int]:
    """The columns of the strongest edges; who speaks to many stands above."""
    named = list(dict.fromkeys(column for i, j, _ in edges for column in (i, j)))[:NAMES]
    said = {column: sum(i == column for i, _, _ in edges) - sum(j == column for _, j, _ in edges) for column in named}
    return sorted(named, key=lambda column: -said[column])


def _arc(above: int, below: int, say: float, most: float) -> Markup:
    certain = say == CERTAIN
    width = THICK if certain or most <= 0 else max(0.75, THICK * say / most)
    reach = LEFT + 8 + REACH * min(1.0, abs(above - below) / (STEP * 12)) ** 0.5
    path = f"M{LEFT + 6},{above} C{reach:.0f},{above} {reach:.0f},{below} {LEFT + 6},{below}"
    kind = "link certain" if certain else "link"
    said = "follows without chance" if certain else f"{say:.2f} nats"
    return Markup('<path class="{}" d="{}" stroke-width="{:.1f}"><title>{}</title></path>').format(
        kind, path, 1.5 if certain else width, said
    )


def _label(name: str, y: int) -> Markup:
    text = '<text class="label" x="{}" y="{}" text-anchor="end">{}</text><circle class="dot" cx="{}" cy="{}" r="2.5"/>'
    return Markup(text).format(LEFT - 4, y + 4, short(name, 26), LEFT + 3, y)


def told(graph: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The same as rows of a table: from, to, how much is said."""
    names = graph["names"]
    return [
        (str(names[int(i)]), str(names[int(j)]), "all" if say == CERTAIN else f"{say:.2f}")
        for i, j, say in graph["edges"]
    ]
