"""The catalogue and the card of a generator, as screens."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from semblance.core.modality import Modality

CLAIMS = {
    "private": "keeps a differential privacy budget",
    "conditional": "samples with given values",
    "federated": "learns across hospitals",
    "causal": "sets a treatment, as a trial does",
    "holds_records": "keeps training records",
}


def catalogue_screen(manifests: Sequence[Modality]) -> RenderableType:
    """Every generator of every modality in one table."""
    parts: list[RenderableType] = [Text()]
    for manifest in manifests:
        parts.append(Text.assemble((manifest.name, "bold"), f"  {manifest.summary}"))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
        for name in manifest.generators:
            mark = "default" if name == manifest.default else "floor" if name == manifest.floor else ""
            table.add_row(f"  [cyan]{name}[/]", Text(mark, "dim"), manifest.generator(name).card.summary)
        parts += [table, Text()]
    return Group(*parts, Text("semblance models NAME shows a card.", "dim"), Text())


def card_screen(kind: Any, manifest: Modality) -> RenderableType:
    """The card of one generator, with its options."""
    card = kind.card
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("modality", "dim"), manifest.name)
    table.add_row(Text("paper", "dim"), card.paper)
    for claim, said in CLAIMS.items():
        table.add_row(Text("yes" if getattr(card, claim) else "no", "dim"), said)
    table.add_row(Text("needs", "dim"), ", ".join(card.needs) or "nothing beyond the core")
    head = Text.assemble((card.name, "bold cyan"), f"  {card.summary}")
    return Group(
        Text(),
        head,
        Text(),
        table,
        Text(),
        Text("options, in \\[generator] of --config".replace("\\", ""), "dim"),
        _options(kind),
        *_rules(kind),
        Text(),
    )


def _rules(kind: Any) -> list[RenderableType]:
    """The rules by which a generator chooses among others, where it does."""
    if not hasattr(kind, "rules"):
        return []
    table = Table(
        "  records", "columns", "seconds", "candidates", "why", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for rule in kind.rules:
        records, *others = rule.row()
        table.add_row(f"  {records}", *others)
    return [Text(), Text("rules: the first that fits counts, and its first candidate wins a tie", "dim"), table]


def _options(kind: Any) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    said = docstrings(kind)
    for one in fields(kind):
        default = "" if one.default is MISSING else str(one.default)
        table.add_row(f"  [cyan]{one.name}[/]", Text(default, "dim"), said.get(one.name, ""))
    return table


def docstrings(kind: type) -> dict[str, str]:
    """The string that stands below each field of a class and its bases: the field's documentation."""
    found: dict[str, str] = {}
    for base in reversed([b for b in kind.__mro__ if b is not object]):
        (node,) = ast.parse(inspect.getsource(base).lstrip()).body
        body = node.body if isinstance(node, ast.ClassDef) else []
        for field, doc in pairwise(body):
            match field, doc:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=said)):
                    found[name] = str(said)
    return found
