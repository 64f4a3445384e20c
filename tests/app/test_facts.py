"""Facts: what was judged, and how to repeat it."""

from __future__ import annotations

from semblance.app.facts import count, facts, origin, removed, reproduction
from semblance.core.report import Report


def test_facts_name_records_patients_guarantee_and_hashes(full: Report) -> None:
    told = dict(facts(full))
    assert told["Real records"] == "6,291 learned from, 1,573 held out"
    assert told["Patients"] == "one record each; none is on both sides"
    assert told["Formal guarantee"].startswith("no formal guarantee")
    assert told["SHA-256 of the synthetic records"] == "c" * 12
    assert told["SHA-256 of the real records"] == f"train {'a' * 12}, holdout {'b' * 12}"


def test_where_nobody_knows_whose_the_records_are_no_patient_is_counted() -> None:
    told = dict(facts(Report((), {"rows": {"train": 9, "holdout": 3, "synthetic": 9}, "patients": {}})))
    assert told["Patients"] == "unknown: nobody says which records are of one patient"


def test_an_empty_report_has_facts_too() -> None:
    assert dict(facts(Report((), {})))["Formal guarantee"].startswith("no formal guarantee")
    assert list(removed(Report((), {}))) == list(reproduction(Report((), {}))) == []


def test_what_was_asked_for_is_said() -> None:
    told = dict(facts(Report((), {"wanted": {"given": {"sex": "F"}}})))
    assert told["Asked for"].startswith("sex = F") and "by intention" in told["Asked for"]


def test_counts_are_read_with_commas() -> None:
    assert [count(x) for x in (1234, None, "fewer than 11")] == ["1,234", "unknown", "fewer than 11"]


def test_a_judgement_is_repeated_by_its_command() -> None:
    files = {"names": ["t.csv", "h b.csv", "s.csv", "s2.csv"], "sha256": ["1", "2", "3", "4"]}
    judged = {"train": "t.csv", "holdout": "h b.csv", "synthetic": "s.csv", "tier": "fast", "seed": 0}
    told = origin({"input": files, "evaluate": judged})
    assert told["inputs"] == {"train": "1", "holdout": "2", "synthetic": "3", "further-1": "4"}
    assert told["command"] == (
        "semblance evaluate --train t.csv --holdout 'h b.csv' --synthetic s.csv --further s2.csv --tier fast "
        "--seed 0 -o RUN"
    )


def test_a_synthesis_is_repeated_by_its_config() -> None:
    told = origin({"input": {"names": ["p.csv"], "sha256": ["1"]}, "synth": {}})
    assert told["command"] == "semblance synth p.csv --config config.toml -o RUN" and told["inputs"] == {"input": "1"}
    assert origin({"versions": {}}) == {}


def test_a_race_is_told_with_how_everybody_did() -> None:
    runs = [
        {"name": "forest", "c2st": {"value": 0.61}, "tstr": {"value": 0.8}, "gap": {"value": 0.01}},
        {"name": "copula", "failed": "did not arrive"},
    ]
    told = dict(facts(Report((), {"race": {"winner": "forest", "why": "nobody is better", "race": runs}})))
    said = "forest: nobody is better (forest C2ST 0.610, TSTR 0.800, gap 0.010; copula did not arrive)"
    assert told["Chosen by a race"] == said


def test_what_the_rules_cost_is_said() -> None:
    told = dict(facts(Report((), {"sampling": {"drawn": 3500, "redrawn": 1500, "broken": 250}})))
    assert told["Drawn anew"] == "12.5% of the records broke a rule and were replaced, by 1,500 further draws"
    assert "Drawn anew" not in dict(facts(Report((), {"sampling": {"probability": 0.5}})))
