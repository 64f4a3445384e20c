"""The Python face refuses in words what it cannot do, and releases only what was judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chisquare

import semblance as sb
from semblance import catalog
from semblance.app.face import Fitted
from semblance.app.frames import from_pandas
from semblance.app.records import under
from semblance.core.errors import DataError, PrivacyError, UsageError
from semblance.core.model import Wanted
from semblance.core.report import Report
from tests.contracts.samples import patients
from tests.modalities.table.wanted.exact import cohort, exact


@pytest.fixture(scope="module")
def parts() -> Any:
    return sb.split(sb.read(patients(160, 0), subject="pid"), holdout=0.3)


@pytest.fixture(scope="module")
def model(parts: Any) -> Any:
    return sb.fit(parts[0], model="marginals")


@pytest.fixture(scope="module")
def made(model: Any) -> pd.DataFrame:
    frame: pd.DataFrame = model.sample(120)
    return frame


def judged(parts: Any, synthetic: Any, **options: Any) -> Report:
    return sb.evaluate(train=parts[0], holdout=parts[1], synthetic=synthetic, tier="fast", **options)


@pytest.fixture(scope="module")
def report(parts: Any, made: pd.DataFrame, model: Any) -> Report:
    return judged(parts, made, model=model)


def behind(report: Report) -> Any:
    assert report.decision is not None
    (check,) = [c for c in report.decision["checks"]["public"] if c["metric"] == "run.rare"]
    return check


def test_the_certified_group_is_the_one_that_the_model_kept(parts: Any, made: pd.DataFrame, model: Any) -> None:
    check = behind(judged(parts, made, model=model, profile="public"))
    assert (check["outcome"], check["number"]) == ("FAIL", 5)


def test_the_certified_group_of_a_foreign_set_is_measured(parts: Any) -> None:
    shown = parts[0].to_frame()
    labels = [c.name for c in parts[0].schema.learned if not c.continuous]
    least = min(shown[name].value_counts().min() for name in labels)  # one record per patient
    assert behind(judged(parts, shown, profile="public"))["number"] == least


def test_unknown_choices_are_told_together(parts: Any, made: pd.DataFrame) -> None:
    with pytest.raises(UsageError) as caught:
        sb.evaluate(train=parts[0], holdout=parts[1], synthetic=made, profile="publik", tier="nope")
    assert "publik" in str(caught.value) and "nope" in str(caught.value)


def test_a_holdout_of_training_patients_is_refused(parts: Any, made: pd.DataFrame) -> None:
    with pytest.raises(DataError):
        sb.evaluate(train=parts[0], holdout=parts[0], synthetic=made)


def test_every_part_is_told_at_once_and_no_value_is_quoted(parts: Any, made: pd.DataFrame) -> None:
    mixed = made.assign(age=[30, *["SECRET"] * (len(made) - 1)])
    twice = made.set_axis(["age" if name == "sex" else name for name in made], axis=1)
    with pytest.raises(DataError) as caught:
        judged(parts, mixed, further=[twice, made.drop(columns="age")])
    told = [(problem.column, problem.found.partition("(in ")[2]) for problem in caught.value.problems]
    assert told == [("age", "synthetic)"), ("age", "further-1)"), ("age", "further-2)")]
    assert "SECRET" not in str(caught.value)


def test_no_synthetic_records_are_a_wrong_call(parts: Any) -> None:
    with pytest.raises(UsageError, match="in synthetic"):
        judged(parts, None)


def test_one_further_set_may_stand_alone(parts: Any, made: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="synthetic and further-1 are the same"):
        judged(parts, made, further=made)


def test_the_holdout_is_not_judged_as_synthetic(parts: Any) -> None:
    with pytest.raises(DataError, match="holdout and synthetic are the same"):
        judged(parts, parts[1])


def test_no_records_are_an_empty_frame(model: Any, made: pd.DataFrame) -> None:
    empty = model.sample(0)
    assert len(empty) == 0 and list(empty.columns) == list(made.columns)
    with pytest.raises(UsageError):
        model.sample(-1)


def test_a_report_is_bound_to_the_records_that_it_judged(report: Report, made: pd.DataFrame, tmp_path: Path) -> None:
    for what in (made.iloc[:-1], made.assign(**{made.columns[0]: made.iloc[0, 0]}), 3, str(tmp_path / "none.csv")):
        with pytest.raises(UsageError):
            sb.release(report, synthetic=what, folder=tmp_path / "RUN")
    with pytest.raises(UsageError):
        sb.release(replace(report, decision=None), synthetic=made, folder=tmp_path / "RUN")
    assert list(tmp_path.iterdir()) == []
    outcome = sb.release(report, synthetic=made, folder=tmp_path / "RUN")
    assert pd.read_csv(outcome.run / "synthetic.csv").shape == made.shape
    assert [path.name for path in tmp_path.iterdir()] == ["RUN"]


def test_records_judged_as_a_file_are_released_as_that_file(parts: Any, made: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "made.parquet"
    made.to_parquet(file)
    outcome = sb.release(judged(parts, str(file)), synthetic=file, folder=tmp_path / "RUN")
    assert (outcome.run / "synthetic.parquet").read_bytes() == file.read_bytes()


def test_a_model_that_is_records_is_never_released(report: Report, made: pd.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("imblearn")
    kept = sb.fit(patients(60, 1), model="smote")
    outcome = sb.release(report, synthetic=made, folder=tmp_path / "RUN", model=kept)
    assert (outcome.run / "synthetic.csv").exists() and not (outcome.run / "model").exists()
    with pytest.raises(UsageError, match="never written"):
        kept.save(tmp_path / "model")


@pytest.mark.parametrize("taken", ["RUN", "RUN.work"])
def test_what_is_taken_stays_as_it_is(report: Report, made: pd.DataFrame, tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).mkdir()
    (tmp_path / taken / "kept").write_text("x")
    with pytest.raises(UsageError):
        sb.release(report, synthetic=made, folder=tmp_path / "RUN")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("kept")] == [f"{taken}/kept"]


def test_a_run_that_is_a_file_is_refused(report: Report, made: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "RUN").write_text("x")
    with pytest.raises(UsageError):
        sb.release(report, synthetic=made, folder=tmp_path / "RUN")


def test_a_column_that_nothing_judged_is_not_released(parts: Any, made: pd.DataFrame, tmp_path: Path) -> None:
    more = made.assign(surname="x")
    with pytest.raises(UsageError, match="surname"):
        sb.release(judged(parts, more), synthetic=more, folder=tmp_path / "RUN")


def test_a_plan_that_the_generator_does_not_read_is_refused() -> None:
    with pytest.raises(UsageError, match="stepps"):
        sb.fit(sb.read(patients(40, 1)), plan={"stepps": 9})


@pytest.fixture(scope="module")
def able() -> Fitted:
    """A model that draws what is wanted."""
    return Fitted(exact(n=1500, smoothing=0.01), catalog.modality("table"), {}, seed=3)


def test_records_are_sampled_as_wanted(able: Fitted) -> None:
    made = able.sample(200, given={"race": "A", "age": (60, 70)}, quota={"died": "balanced"})
    assert (made["race"] == "A").all() and made["age"].between(60, 70).all()
    assert (made["died"] == "yes").sum() == 100
    assert made.equals(able.sample(200, given={"race": "A", "age": (60, 70)}, quota={"died": "balanced"}))
    assert len(able.sample(0, given={"race": "A"})) == 0


def test_a_wish_that_means_nothing_is_refused_with_the_nearest_that_does(able: Fitted, model: Any) -> None:
    with pytest.raises(UsageError, match="did you mean 'given'"):
        able.sample(3, givn={"race": "A"})
    with pytest.raises(UsageError, match="samples with given values"):
        model.sample(3, given={"age": 60})


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_partial_records_are_completed_in_their_own_library(able: Fitted, library: str) -> None:
    pytest.importorskip(library)
    frame = cohort(60, 5)
    rows = np.arange(60) % 3 == 0
    frame["age"] = frame["age"].astype(float).where(~rows)
    frame["race"] = frame["race"].astype(object).where(~rows, None)
    frame["name"] = [f"R{i}" for i in range(60)]
    given = from_pandas(frame, library)
    made = able.complete(given)
    assert type(made) is type(given)
    back = made if library == "pandas" else made.to_pandas()
    assert not back.isna().any(axis=None)
    known = frame.notna()
    assert all((back.loc[known[n], n].astype(str) == frame.loc[known[n], n].astype(str)).all() for n in frame)


def test_what_was_read_is_completed_as_a_frame(able: Fitted) -> None:
    frame = cohort(60, 5)
    frame["race"] = frame["race"].astype(object).where(np.arange(60) % 3 > 0, None)
    made = able.complete(sb.read(frame, target="died"))
    assert not made.isna().any(axis=None) and made["age"].tolist() == frame["age"].tolist()


def test_an_empty_frame_is_complete(able: Fitted) -> None:
    empty = cohort(3, 5).iloc[:0]
    assert able.complete(empty).equals(empty)


def test_an_empty_frame_is_told_without_the_name_of_a_file() -> None:
    frame = cohort(60, 5)
    with pytest.raises(DataError, match="the frame has no rows"):
        under(frame.iloc[:0], sb.read(frame), held=True)


def test_a_generator_that_completes_nothing_says_so(model: Any) -> None:
    with pytest.raises(UsageError, match="samples with given values"):
        model.complete(patients(30, 0))


def test_a_report_says_what_was_asked_for(parts: Any, made: pd.DataFrame) -> None:
    wanted = Wanted(given={"sex": "F"})
    assert judged(parts, made, wanted=wanted).subject["wanted"] == {"given": {"sex": "F"}}
    assert "wanted" not in judged(parts, made).subject


DECLARED = """
[cohort]
id = "clinic"
n_public = 300
[columns.pid]
role = "subject"
[columns.age]
kind = "integer"
min = 18
max = 99
[columns.sex]
categories = ["F", "M"]
[columns.died]
role = "target"
categories = ["no", "yes"]
"""


@pytest.fixture
def promised(tmp_path: Path) -> tuple[Fitted, Any, Report]:
    """A model that learned under differential privacy, its records, and what was said of them."""
    rng = np.random.default_rng(0)
    age, sex, died = rng.integers(18, 99, 300), rng.choice(["F", "M"], 300), rng.choice(["no", "yes"], 300)
    frame = pd.DataFrame({"pid": [f"P{i}" for i in range(300)], "age": age, "sex": sex, "died": died})
    frame.to_csv(tmp_path / "clinic.csv", index=False)
    (tmp_path / "clinic.toml").write_text(DECLARED)
    data = sb.read(tmp_path / "clinic.csv", schema=tmp_path / "clinic.toml", private=True)
    train, holdout = sb.split(data)
    ledger = sb.Ledger.open(tmp_path / "ledgers", cohort="clinic", epsilon=1.0, delta=1e-4)
    model = sb.fit(train, ledger=ledger)
    made = model.sample(300)
    report = sb.evaluate(
        train=train, holdout=holdout, synthetic=made, tier="fast", schema=tmp_path / "clinic.toml", model=model
    )
    return model, made, report


def test_under_a_guarantee_the_guarantee_leaves_and_no_finding(promised: Any, tmp_path: Path) -> None:
    model, made, report = promised
    assert "differential privacy per patient" in report.subject["guarantee"]
    outcome = sb.release(report, synthetic=made, folder=tmp_path / "RUN", model=model)
    left = {path.name for path in (outcome.run / "public").iterdir() if "manifest" not in path.name}
    assert {"GUARANTEE.md", "guarantee.json", "schema.json", "synthetic.csv"} <= left
    assert not {name for name in left if name.startswith(("report", "card", "DATASHEET", "croissant", "MAPPING"))}
    claim = json.loads((outcome.run / "public" / "guarantee.json").read_text())
    assert 0 < claim["epsilon"] <= 1 and claim["cohort"] == "clinic"
    assert claim["epsilon"] == report.subject["promise"]["epsilon"]


def test_a_private_model_is_not_released_without_its_guarantee(promised: Any, tmp_path: Path) -> None:
    model, made, report = promised
    model.save(tmp_path / "kept")
    for whose in (None, sb.load(tmp_path / "kept")):
        with pytest.raises(UsageError, match="guarantee is not known"):
            sb.release(report, synthetic=made, folder=tmp_path / "RUN", model=whose)
    assert not (tmp_path / "RUN").exists()


def read_privately(folder: Path, patients: int) -> Any:
    ages = pd.DataFrame({"pid": [f"P{i}" for i in range(patients)], "age": np.arange(patients) + 20})
    ages.to_csv(folder / f"{patients}.csv", index=False)
    columns = {"pid": {"role": "subject"}, "age": {"kind": "integer", "min": 18, "max": 99}}
    declared = {"cohort": {"id": "icu", "n_public": 5}, "columns": columns}
    return sb.read(folder / f"{patients}.csv", schema=declared, private=True)


def test_a_patient_more_moves_nobody_to_the_other_side_of_private_data(tmp_path: Path) -> None:
    """How many of the first five are held out follows the same law with a sixth: that of five coins."""
    law = binom.pmf(np.arange(6), 5, 0.4)
    for size in (5, 6):
        data = read_privately(tmp_path, size)
        held = np.array([np.isin(data.records.subjects[:5], _held(data)).sum() for _ in range(400)])
        counts = np.bincount(held, minlength=6)
        assert chisquare(counts, 400 * law).pvalue > 1e-6


def _held(data: Any) -> Any:
    train, aside = sb.split(data, holdout=0.4, seed=0)
    assert not set(train.records.subjects) & set(aside.records.subjects)
    return aside.records.subjects


def test_a_share_that_is_none_is_refused_of_private_data_as_of_others(tmp_path: Path, parts: Any) -> None:
    for data in (read_privately(tmp_path, 5), parts[0]):
        with pytest.raises(UsageError, match="holdout"):
            sb.split(data, holdout=1.5)


def test_a_delta_of_one_in_so_many_patients_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    data = read_privately(tmp_path, 5)
    large = replace(data, records=replace(data.records, schema=replace(data.schema, n_public=2000)))
    ledger = sb.Ledger.open(tmp_path / "ledgers", cohort="icu", epsilon=1.0, delta=1e-3)
    with pytest.raises(UsageError, match="below 1/n_public"):
        sb.fit(large, ledger=ledger)
    assert ledger.spent() == ()


def test_private_records_are_paid_for_by_one_cohort_whatever_part_of_them_is_fitted(tmp_path: Path) -> None:
    data, other = read_privately(tmp_path, 5), read_privately(tmp_path, 5)
    other = replace(other, records=replace(other.records, schema=replace(other.schema, cohort="ward")))
    mine, second = (
        sb.Ledger.open(tmp_path / "ledgers", cohort=cohort, epsilon=1.0, delta=1e-3) for cohort in ("icu", "ward")
    )
    sb.fit(sb.split(data)[0], ledger=mine, steps=5, components=4)
    with pytest.raises(UsageError, match="are those of cohort 'icu'"):
        sb.fit(other.take(np.arange(3)), ledger=second)
    assert second.spent() == ()
    with pytest.warns(UserWarning, match="in other files before"), pytest.raises(PrivacyError):
        sb.fit(read_privately(tmp_path, 6), ledger=mine, steps=5, components=4)


@pytest.mark.parametrize(
    ("profile", "options", "fewest"),
    [("public", {"rare": 1}, 1), ("controlled", {"rare": 1}, 1), ("internal", {"rare": 1}, 1), ("controlled", {}, 2)],
)
def test_what_single_patients_stand_behind_is_never_released(
    tmp_path: Path, profile: str, options: dict[str, int], fewest: int
) -> None:
    """A demonstration on three patients, which the command line does not make; what is common to so few when they are
    read once counted as of as many as the generator asks for."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", images=rng.integers(0, 255, (36, 8, 8), dtype=np.uint8), patient=np.arange(36) % 3)
    asked: Any = {"image": {"steps": ["match"]}}
    data = sb.read(tmp_path / "x.npz", modality="image", schema=asked, rare=fewest)
    train, holdout = sb.split(data)
    model = sb.fit(train, model="floor", **options)
    shown = model.sample(10)
    model.save(tmp_path / "model")
    for known in (model, sb.load(tmp_path / "model")):
        told = judged((train, holdout), shown, model=known, profile=profile)
        assert told.decision is not None
        assert (told.decision["verdict"], told.decision["granted"], told.decision["exit_code"]) == ("REFUSED", None, 5)
        assert (behind(told)["outcome"], behind(told)["number"]) == ("FAIL", fewest)
        ended = sb.release(told, synthetic=shown, folder=tmp_path / str(id(known)), model=known)
        assert ended.exit_code == 5 and not (ended.run / "public").exists()


def test_beats_that_too_few_patients_have_are_told_where_they_are_not_learned() -> None:
    from semblance.app.records import Data
    from semblance.core.modality import Profile
    from tests.modalities.signal.simulated import recordings

    real = recordings(8, 3)
    data = Data(real, Profile(len(real), len(real), ()), catalog.modality("signal"))
    told = r"beats of F are not learned \(patients who have them: \d, and 5 are needed\)"
    with pytest.warns(UserWarning, match=told):
        model = sb.fit(data, model="floor")
    report = sb.evaluate(train=data, synthetic=model.sample(3), model=model, tier="fast")
    assert set(report.subject["unlearned"]) == {"beats of " + kind for kind in "SVF"} - {
        "beats of " + kind for kind in model.model.recorder.story.kinds
    }
