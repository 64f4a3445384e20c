import re

from semblance.app.graph import NAMES, arcs, told
from semblance.app.panels import panels
from semblance.core.report import Report

GRAPH = {"names": ["age", "sex & <co>", "stage"], "edges": [[0, 1, 0.8], [0, 2, 0.2], [1, 2, -1.0]]}


def test_the_thickest_arc_says_the_most_and_certain_ones_are_dashed() -> None:
    drawn = str(arcs(GRAPH))
    widths = [float(w) for w in re.findall(r'class="link" .*?stroke-width="([0-9.]+)"', drawn)]
    assert widths == sorted(widths, reverse=True)
    assert drawn.count("link certain") == 1
    assert "&lt;co&gt;" in drawn


def test_the_numbers_stand_beside_the_picture() -> None:
    assert told(GRAPH) == [("age", "sex & <co>", "0.80"), ("age", "stage", "0.20"), ("sex & <co>", "stage", "all")]


def test_a_wide_table_shows_the_strongest_columns() -> None:
    wide = {"names": [f"c{i}" for i in range(100)], "edges": [[i, i + 1, 1 / (i + 1)] for i in range(99)]}
    assert str(arcs(wide)).count('class="label"') == NAMES


def test_a_report_without_a_graph_shows_none() -> None:
    assert panels(Report((), {}))["graph"] == {}
    assert panels(Report((), {"graph": {"names": ["a"], "edges": []}}))["graph"] == {}
    assert panels(Report((), {"graph": GRAPH}))["graph"]["rows"]
