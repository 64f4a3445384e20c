"""A plane with marks: where things stand, and that names keep out of each other's way."""

from __future__ import annotations

import re

import pytest

from semblance.app.plane import LEFT, RIGHT, WIDTH, Line, Mark, Scale, plane, spanning
from semblance.core.estimate import Estimate


def mark(x: float, y: float, name: str = "one", half: float = 0.02) -> Mark:
    return Mark(name, "made", Estimate(x, x - half, x + half), Estimate(y, y - half, y + half))


def names(drawn: str) -> dict[str, tuple[float, float]]:
    """Where the name of each mark and line stands."""
    found = re.findall(r'class="name tag" x="([\d.]+)" y="([\d.]+)" text-anchor="\w+">([^<]+)<', drawn)
    return {name: (float(x), float(y)) for x, y, name in found}


def test_a_scale_goes_from_end_to_end_and_no_further() -> None:
    scale = Scale("x", 0.0, 2.0, 10.0, 100.0)
    assert [scale.at(v) for v in (0.0, 1.0, 2.0, 3.0, -1.0)] == [10.0, 60.0, 110.0, 110.0, 10.0]
    bent = Scale("x", 0.1, 10.0, 0.0, 100.0, log=True)
    assert bent.at(1.0) == pytest.approx(50.0) and bent.at(0.0) == 0.0
    assert bent.ticks == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5, 10])


@pytest.mark.parametrize("low", [-0.013, 0.0, 0.37])
@pytest.mark.parametrize("span", [0.012, 0.1, 0.613, 0.95, 1.0, 1.05, 3.3, 9.5, 10.0, 77.0])
def test_ticks_are_few_round_and_inside_for_any_span(low: float, span: float) -> None:
    ticks = Scale("x", low, low + span, 0.0, 100.0).ticks
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= low + span + 1e-9 for tick in ticks)
    ends = spanning([low, low + span])
    assert ends[0] <= low + 1e-9 and ends[1] >= low + span - 1e-9 and ends[1] - ends[0] <= 1.7 * max(span, 0.1)


def test_one_value_alone_has_room_around_it() -> None:
    low, high = spanning([0.9])
    assert low < 0.9 < high and high - low >= 0.1


def test_everything_is_drawn_and_said_in_words() -> None:
    two = [mark(0.1, 0.8, "these & <those>"), mark(0.9, 0.7, "real")]
    drawn = plane(two, across=("leak", 0.0, 1.0), up=("utility", 0.5, 1.0), lines=[Line("most: 0.46", "x", 0.46)])
    assert drawn.count('class="point made"') == 2 and drawn.count('class="curve made"') == 4
    assert "real: leak 0.900 (0.880 to 0.920), utility 0.700" in drawn and "most: 0.46 (0.460)" in drawn
    assert "<those>" not in drawn and "&lt;those&gt;" in drawn
    assert set(names(drawn)) == {"these &amp; &lt;those&gt;", "real", "most: 0.46"}


def test_names_of_things_in_one_place_do_not_cover_each_other() -> None:
    crowd = [mark(0.02, 0.85 + 0.004 * i, f"generator {i}") for i in range(4)]
    places = list(names(plane(crowd, across=("leak", 0.0, 1.0), up=("utility", 0.5, 1.0))).values())
    apart = [abs(a[1] - b[1]) for i, a in enumerate(places) for b in places[:i] if abs(a[0] - b[0]) < 80]
    assert len(places) == 4 and min(apart) >= 10


def test_a_name_at_the_right_edge_stands_left_of_its_mark() -> None:
    drawn = plane([mark(1.0, 0.8, "train records")], across=("leak", 0.0, 1.0), up=("utility", 0.5, 1.0))
    assert LEFT < names(drawn)["train records"][0] < WIDTH - RIGHT - 5
