"""Every mistake of a schema file is told, with the nearest word."""

from __future__ import annotations

from semblance.core.modality import ReadOptions
from semblance.modalities.signal.declare import Said, check


def said(**declared):
    made, problems = check(ReadOptions(declared=declared))
    assert problems == []
    return made


def wrong(options=None, **declared):
    return [problem.found for problem in check(options or ReadOptions(declared=declared))[1]]


def test_nothing_declared():
    assert check(ReadOptions()) == (Said(), [])


def test_what_is_declared():
    made = said(
        signal={"rate": 128, "leads": ["I", "II"], "units": {"I": "uV"}, "layout": "wide", "states": ["W"]},
        columns={
            "age": {"kind": "integer"},
            "pid": {"role": "subject"},
            "dx": {"role": "target"},
            "x": {"role": "drop"},
        },
        cohort={"id": "c", "n_public": 10},
        na="?",
    )
    assert (made.rate, made.leads, made.unit("I"), made.unit("II"), made.states) == (
        128.0,
        ("I", "II"),
        "uV",
        None,
        ("W",),
    )
    assert (made.subject, made.target, made.named) == ("pid", "dx", ("age", "dx"))
    assert (made.cohort, made.n_public, made.na) == ("c", 10, ("?",))


def test_one_unit_for_all():
    assert said(signal={"units": "uV"}).unit("any") == "uV"


def test_all_mistakes_are_told_at_once():
    found = wrong(
        sginal={},
        signal={"rat": 1, "rate": 0, "leads": "I", "layout": "tall"},
        columns={"a": {"kind": "numbr"}, "b": 1},
    )
    assert found == [
        "no key 'sginal'",
        "no key 'rat'",
        "[signal] rate is not a number of samples per second, above 0",
        "[signal] leads is not a list of different texts",
        "[signal] layout is not one of wide, long, leads x samples, samples x leads",
        "no kind 'numbr'",
        "no TOML table",
    ]
    assert wrong(na=5, cohort={"n_public": 0}, columns={"a": {"min": "low", "categories": ["x", "x"], "na": 3}}) == [
        "min is not a number",
        "categories is not a list of different texts or numbers",
        "na is not a text or a list of texts",
        "na is no list of texts",
        "n_public is no count",
    ]
    assert wrong(signal=3) == ["'signal' is no TOML table"]


def test_roles_are_given_once():
    assert wrong(ReadOptions("a", "a")) == ["--subject and --target name one column"]
    assert wrong(ReadOptions("a", None, {"columns": {"b": {"role": "subject"}}})) == ["several columns are the subject"]
