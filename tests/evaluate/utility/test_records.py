from __future__ import annotations

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.records import Records, copies, records
from tests.contracts.samples import WEIRD, cohort


def test_halves_share_no_patient():
    whole = Records(np.arange(40.0)[:, None], np.arange(40) // 4)
    first, second = whole.halves(rng=stream(0))
    assert (first.patients, second.patients) == (5, 5)
    assert not set(first.patient) & set(second.patient)


def test_a_part_is_cut_patient_by_patient():
    whole = Records(np.arange(40.0)[:, None], np.arange(40) // 4)
    part = whole.part(20, rng=stream(0))
    assert (len(part), part.patients) == (20, 5)
    assert whole.part(41, rng=stream(0)) is whole


def test_records_of_parts_and_copies():
    data = WEIRD["repeated visits"]()
    evidence = Evidence(data, data, data, catalog.modality("table"), copies=(data.take(np.arange(50)),))
    made = records(evidence, "train")
    assert (len(made), made.patients) == (len(data), 120)
    np.testing.assert_array_equal(made.x, evidence.features("train").x)
    assert [len(copy) for copy in copies(evidence)] == [50]


def test_a_tier_bounds_the_records():
    data = cohort(12_000, 0)
    evidence = Evidence(data, data, data, catalog.modality("table"), tier="fast")
    assert len(records(evidence, "train")) == 10_000
