from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.app import stages
from semblance.app.options import SynthOptions
from semblance.app.pipeline import run_synth
from semblance.catalog import modality
from semblance.core.errors import IdentifierError, ResourceError, UsageError
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Column, Schema
from semblance.evaluate import suites
from tests.modalities.image.simulated import images

TABLE = modality("table")
SCHEMA = Schema((Column("x", "numeric"),))
CHOICE = {"winner": "copula", "plan": {}, "why": "nobody is better", "race": [{"name": "copula", "seconds": 1.0}]}


@dataclass(frozen=True)
class Visits:
    """Records that are nothing but their patients."""

    subjects: np.ndarray
    schema: Schema = SCHEMA

    def __len__(self) -> int:
        return len(self.subjects)

    def take(self, rows: np.ndarray) -> Visits:
        return Visits(self.subjects[rows])


def test_a_reader_counts_no_patients_whom_nobody_knows(tmp_path: Path) -> None:
    read = stages.reader_of(modality("image"), private=False)
    pixels = np.random.default_rng(0).integers(0, 255, (6, 8, 8), dtype=np.uint8)
    for name, whose in {"known": {"patient": np.repeat([1, 2, 3], 2)}, "unknown": {}}.items():
        np.savez(tmp_path / f"{name}.npz", images=pixels, **whose)
    counted = [read((tmp_path / f"{name}.npz",), ReadOptions())[1].patients for name in ("known", "unknown")]
    assert counted == [3, None]


@pytest.mark.parametrize(
    "plan", [{"stepps": 9}, {"steps": 0}, {"steps": "9"}, {"steps": 9, "rate": "fast"}, {"steps": 9, "ema": 2.0}, {}]
)
def test_a_plan_is_checked(plan: dict[str, object]) -> None:
    kind = TABLE.generator("autoregressive")
    stages.check_plan(kind, {"steps": 9, "rate": 1e-3})
    with pytest.raises(UsageError):
        stages.check_plan(kind, plan)


def test_the_plan_of_a_choice_is_checked_with_that_of_the_winner() -> None:
    spec = TABLE.generator("auto")()
    data, told = Visits(np.arange(9)), {"seed": 0, "seconds": 1.0}
    assert stages.plan_of(spec, data, given=CHOICE, **told) == CHOICE  # type: ignore[arg-type]
    wrong = {**CHOICE, "winner": "autoregressive", "plan": {"stepps": 9}}
    for plan in ({}, {**CHOICE, "winner": "smote"}, wrong):
        with pytest.raises(UsageError):
            stages.plan_of(spec, data, given=plan, **told)  # type: ignore[arg-type]


def test_a_report_names_who_was_chosen_and_who_raced() -> None:
    spec, profile = TABLE.generator("auto")(rare=11), Profile(9, 9, ())
    about = stages.about_model(spec, plan=CHOICE, profile=profile, versions={})
    assert about["generator"]["name"] == "copula" and about["race"]["winner"] == "copula"
    assert stages.chosen(spec, CHOICE).rare == 11
    alone = stages.about_model(stages.chosen(spec, CHOICE), plan={}, profile=profile, versions={})
    assert alone["generator"]["name"] == "copula" and "race" not in alone


def test_a_report_names_all_that_files_hold_beside_what_was_learned() -> None:
    fields = (
        FieldPlan("age", "integer", "feature", 0.0),
        FieldPlan("PatientName", "DICOM name", "drop", 0.5, "1 of 2 images", "drop", beside=True),
    )
    profile = Profile.from_json(Profile(9, 9, fields).to_json())
    assert stages.about_profile(profile) == {"notes": [], "beside": {"PatientName": "DICOM name, 1 of 2 images"}}
    assert stages.about_profile(Profile(9, 9, ())) == {"notes": []}


def test_the_gate_lists_every_unclear_field_with_its_line() -> None:
    fields = tuple(
        FieldPlan(n, "integer", "feature", 0.0, "looks like an MRN", unclear=True, fix=f"[{n}]") for n in "ab"
    )
    profile = Profile(9, 9, (*fields, FieldPlan("c", "numeric", "feature", 0.0)))
    with pytest.raises(IdentifierError) as caught:
        stages.gate_identifiers(profile, yes=False)
    assert [problem.column for problem in caught.value.problems] == ["a", "b"]
    assert "[a]" in str(caught.value)
    stages.gate_identifiers(profile, yes=True)


@pytest.mark.parametrize(("accepted", "passes"), [({"a": "drop"}, True), ({"a": "feature"}, False), ({}, False)])
def test_an_accepted_plan_is_not_asked_for_again_unless_it_is_another(accepted: dict[str, str], passes: bool) -> None:
    profile = Profile(9, 9, (FieldPlan("a", "integer", "drop", 0.0, unclear=True),))
    if passes:
        stages.gate_identifiers(profile, yes=False, accepted=accepted)
    else:
        with pytest.raises(IdentifierError):
            stages.gate_identifiers(profile, yes=False, accepted=accepted)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.floats(0.05, 0.95), st.integers(0, 99))
def test_a_split_covers_every_row_once_and_no_patient_twice(subjects: list[int], holdout: float, seed: int) -> None:
    data = Visits(np.array(subjects))
    if len(set(subjects)) < 2:
        return
    train, aside = stages.split_rows(data, holdout=holdout, seed=seed)
    assert sorted([*train, *aside]) == list(range(len(data)))
    assert not set(data.subjects[train]) & set(data.subjects[aside])
    again = stages.split_rows(data, holdout=holdout, seed=seed)
    assert np.array_equal(train, again[0])


def test_one_patient_is_enough_only_where_judges_look_at_pieces() -> None:
    from tests.contracts.samples import cohort
    from tests.modalities.signal.simulated import recordings

    whole, signal = recordings(3, 2), modality("signal")
    assert stages.one_in_pieces(signal, whole.take(np.array([1])))
    assert not stages.one_in_pieces(signal, whole)
    assert not stages.one_in_pieces(modality("table"), cohort(30, 0).take(np.array([4])))
    assert not stages.one_in_pieces(modality("image"), images(6, 0).take(np.array([2])))


def test_files_that_judges_look_at_are_tried_before_anything_is_read(tmp_path: Path) -> None:
    declared = {"image": {"extractors": {"net": str(tmp_path / "gone.onnx")}}}
    assert stages.marks(modality("image"), None) == {} == stages.marks(modality("table"), declared)
    pytest.importorskip("onnxruntime")
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    options = SynthOptions((str(tmp_path / "broken.npz"),), tmp_path / "RUN", modality="image", declared=declared)
    with pytest.raises(UsageError, match=r"gone\.onnx"):
        run_synth(options)


def test_a_report_looks_at_the_model_of_modalities_that_say_so() -> None:
    assert stages.looked_at(modality("image")) and not stages.looked_at(modality("table"))


SECRET = "Doe, Jane"


def broken(*args: object, **more: object) -> None:
    raise ValueError(SECRET)


def exhausted(*args: object, **more: object) -> None:
    raise ResourceError.of("no memory", rule="there is some", fix="get some")


def test_what_a_model_cannot_draw_for_judges_costs_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "METRICS", ())
    monkeypatch.setattr(suites, "ATTACKS", ())
    one, metric = images(30, 1), "semblance.modalities.image.metrics.translation:translation"
    manifest = replace(modality("image"), completed=f"{__name__}:broken", between=f"{__name__}:broken", attacks=())
    manifest = replace(manifest, metrics=(metric,), pictures=None)
    parts = {"train": one, "holdout": one, "synthetic": one, "model": object()}
    settings = {"seed": 0, "tier": "fast", "rare": 5, "about": {}}
    report = stages.judge(manifest, **parts, **settings)
    assert [finding.status for finding in report.findings] == ["error", "error"]
    assert report.subject["unseen"].count("ValueError in broken") == 2
    assert SECRET not in json.dumps(report.to_json())
    with pytest.raises(ResourceError):
        stages.judge(replace(manifest, between=f"{__name__}:exhausted"), **parts, **settings)
