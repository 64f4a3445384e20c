from __future__ import annotations

import re

import pandas as pd

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.judge import owed
from semblance.core.modality import load
from semblance.evaluate import suites
from semblance.evaluate.attacks.scores import findings
from tests.contracts.samples import table

MANIFEST = catalog.modality("table")
JUDGES = suites.metrics(MANIFEST)


def told():
    """Every finding with its words, of a table about which nothing can be said."""
    lone = table(pd.DataFrame({"x": [1.5]}))
    evidence = Evidence(lone, lone, lone, MANIFEST)
    return [*(f for name in JUDGES for f in load(name)(evidence)), *findings([])]


def test_every_finding_is_owed_by_one_judge():
    owes = [metric for name in JUDGES for metric in owed(load(name), name=name)]
    assert len(set(owes)) == len(owes)
    assert {f.metric for f in told()} >= set(owes)
    assert all(load(name) for name in suites.attacks(MANIFEST))


def test_titles_are_unique_and_each_meaning_is_one_sentence_that_stands_alone():
    everything = told()
    assert len({f.title for f in everything}) == len(everything)
    for finding in everything:
        words = finding.meaning
        assert words[0].isupper() and words.endswith("."), finding.metric
        assert not re.search(r"[.!?] +[A-Z]", words), finding.metric
        assert not re.search(r"\b(\w+) \1\b", words), finding.metric
        assert not words.startswith("The same"), finding.metric
        assert re.search(r"\d", words), f"{finding.metric} does not say how to read a number"
