"""What lies behind the findings, as the page shows it: columns, pairs, groups, attacks, secrets, models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from semblance.app import charts, figures, graph, plots
from semblance.app.frontier import frontier
from semblance.core.report import Finding, Report

DRAWN_COLUMNS = 60
LISTED = 40


def panels(report: Report) -> dict[str, Any]:
    """Everything that `evidence.html.j2` shows; what was not measured is empty, and what has no name that a person
    reads is not shown by it."""
    readable = report.subject.get("readable", True)
    return {
        "columns": columns(report),
        "pairs": pairs(report),
        "fields": cross(report, "columns", "name", but=("fidelity.shape", "fidelity.pairs")),
        "groups": cross(report, "groups", "group"),
        "attributes": cross(report, "attributes", "attribute"),
        "merged": tuple(dict.fromkeys(name for f in report.findings for name in f.detail.get("merged", ()))),
        "projections": tuple(projections(report)),
        "frontier": frontier(report),
        "attacks": attacks(report),
        "secrets": tuple(secrets(report)),
        "survival": tuple(survival(report)),
        "models": tuple(models(report)) if readable else (),
        "features": tuple(features(report)) if readable else (),
        "graph": dependencies(report),
        "pictures": plots.pictures(report.subject.get("pictures", ())),
    }


def columns(report: Report) -> dict[str, Any]:
    """The columns with their pictures, the farthest from the real ones first."""
    found = next((f.detail.get("columns", ()) for f in report.findings if f.metric == "fidelity.shape"), ())
    ranked = sorted(found, key=lambda column: -column.get("value", 0.0))
    drawn = [{**column, "plot": _picture(column)} for column in ranked[:DRAWN_COLUMNS]]
    return {"drawn": drawn, "all": len(ranked)}


def _picture(column: Mapping[str, Any]) -> Markup:
    cells = column.get("cells", ())
    if not cells:
        return Markup("")
    draw = figures.histogram if column.get("distance") == "KS" else figures.bars
    return draw(cells, name=column["name"])


def pairs(report: Report) -> dict[str, Any]:
    """The map of all pairs, if it was measured, and the worst of them."""
    detail = next((f.detail for f in report.findings if f.metric == "fidelity.pairs"), {})
    if len(detail.get("columns", ())) < 2 or "matrix" not in detail:
        return {}
    drawn = figures.heat_map(detail["columns"], detail["matrix"])
    return {"map": drawn, "worst": tuple(detail.get("worst", ()))[:8], "shades": figures.SHADES}


@dataclass(frozen=True)
class Cross:
    """A table of things (groups of patients, columns) by the findings that measured them, in the order given.

    `rows` holds a name, the patients behind it (where they are told) and one number per finding or None.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, Any, tuple[Mapping[str, Any] | None, ...]], ...]
    left_out: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows)


def cross(report: Report, key: str, name: str, *, but: Sequence[str] = ()) -> Cross:
    """What the findings say in `detail[key]`, a list of {name, value, low, high, control}, worst first."""
    found = [(f, _numbered(f.detail.get(key), name)) for f in report.findings if f.metric not in but]
    found = [(f, listed) for f, listed in found if listed]
    order = _in_turn([list(listed) for _, listed in found])
    patients = {one: row["patients"] for _, listed in found for one, row in listed.items() if "patients" in row}
    rows = [(one, patients.get(one), tuple(listed.get(one) for _, listed in found)) for one in order[:LISTED]]
    return Cross(tuple(f.title for f, _ in found), tuple(rows), max(len(order) - LISTED, 0))


def _numbered(listed: Any, name: str) -> dict[str, Mapping[str, Any]]:
    """The entries that carry a name and a value."""
    entries = listed if isinstance(listed, list | tuple) else ()
    return {str(e[name]): e for e in entries if isinstance(e, Mapping) and name in e and "value" in e}


def _in_turn(lists: Sequence[Sequence[str]]) -> list[str]:
    """The names of several ranked lists: the first of each, then the second of each, and so on, each once."""
    longest = max((len(one) for one in lists), default=0)
    return list(dict.fromkeys(one[i] for i in range(longest) for one in lists if i < len(one)))


def projections(report: Report) -> Iterator[dict[str, Any]]:
    """Two maps on the same scale per finding that has them."""
    seen: list[Any] = []
    for finding in report.findings:
        shown = finding.detail.get("projection")
        if shown and shown.get("cells") and shown not in seen:
            seen.append(shown)
            maps = [(part.capitalize(), charts.density(shown, part)) for part in ("real", "synthetic")]
            yield {"title": shown.get("title") or finding.title, "maps": maps}


def attacks(report: Report) -> dict[str, Any]:
    """The curves of all membership attacks, and a table of what each finds."""
    detail = next((f.detail for f in report.findings if f.metric == "privacy.membership"), {})
    found = [one for one in detail.get("attacks", ()) if one.get("curve")]
    if not found:
        return {}
    chosen = list(detail.get("chosen", ()))
    rows = [
        {**one, "chosen": one["name"] in chosen, "one": charts.at_rate(one["curve"], 0.01)}
        for one in sorted(found, key=lambda one: -one["advantage"]["value"])
    ]
    return {"plot": charts.roc(found, chosen), "rows": rows, "detail": detail}


def secrets(report: Report) -> Iterator[dict[str, Any]]:
    """Per finding about secrets: what the attacker knows, and every secret, the worst first."""
    for finding in _with(report, "secrets"):
        listed = sorted(finding.detail["secrets"], key=lambda one: -one.get("value", 0.0))
        known = ", ".join(map(str, finding.detail.get("known", ())))
        yield {"title": finding.title, "known": known, "rows": listed[:LISTED], "more": max(len(listed) - LISTED, 0)}


def survival(report: Report) -> Iterator[dict[str, Any]]:
    """Survival curves."""
    for finding in _with(report, "curves"):
        curves = finding.detail["curves"]
        if len(curves.get("times", ())):
            unit = str(finding.detail.get("unit", "time"))
            yield {"title": finding.title, "plot": charts.survival(curves, unit)}


def models(report: Report) -> Iterator[dict[str, Any]]:
    """Coefficients of the analyses, each model once though several findings read it."""
    seen: list[Any] = []
    for finding in _with(report, "terms"):
        terms = finding.detail["terms"]
        if terms not in seen:
            seen.append(terms)
            model = str(finding.detail.get("model", "regression"))
            yield {
                "model": model,
                "plot": charts.forest(terms, model=model),
                "terms": terms[:LISTED],
                "all": len(terms),
            }


def features(report: Report) -> Iterator[dict[str, Any]]:
    """Feature importances."""
    for finding in _with(report, "features"):
        listed = sorted(finding.detail["features"], key=lambda one: -one["real"])
        cells = [{"label": f["name"], "train": f["real"], "synthetic": f["synthetic"]} for f in listed]
        yield {"title": finding.title, "plot": figures.bars(cells, shown=15, name=finding.title)}


def dependencies(report: Report) -> dict[str, Any]:
    """The dependency graph of the model, where it has one."""
    told = report.subject.get("graph")
    return {"plot": graph.arcs(told), "rows": graph.told(told)} if told and told["edges"] else {}


def _with(report: Report, key: str) -> Iterable[Finding]:
    return (f for f in report.findings if f.status == "measured" and f.detail.get(key))
