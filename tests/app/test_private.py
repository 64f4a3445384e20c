"""What a private run settles before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semblance.app import private
from semblance.app.exports.guarantee import guarantee_page
from semblance.app.options import SynthOptions
from semblance.core.errors import PrivacyError, UsageError
from semblance.core.promise import Guarantee, Noise, Steps
from semblance.core.schema import OTHER, Column, Schema
from semblance.modalities.table.generators.local import Local
from semblance.modalities.table.generators.pairwise import Pairwise

DECLARED: dict[str, Any] = {"cohort": {"id": "icu", "n_public": 10_000}}


def options(**more: Any) -> SynthOptions:
    return SynthOptions(**{"paths": ("x.csv",), "run": Path("R"), "epsilon": 1.0, "declared": DECLARED, **more})


def schema(columns: int, n_public: int | None = 10_000) -> Schema:
    listed = (Column(f"c{i}", "categorical", categories=tuple("abcdefghij"), bound="declared") for i in range(columns))
    return Schema(tuple(listed), "icu", n_public, public=True)


def test_delta_and_rows_come_from_what_is_public() -> None:
    settled = private.settled(options())
    assert settled.rows == 10_000 and settled.delta == pytest.approx(10_000**-1.1)
    asked = private.settled(options(rows=5, delta=1e-9))
    assert (asked.rows, asked.delta) == (5, 1e-9)


def test_everything_that_is_not_declared_is_told_at_once() -> None:
    with pytest.raises(UsageError) as told:
        private.settled(options(declared=None))
    assert [problem.fix.split()[0] for problem in told.value.problems] == ["in", "--rows", "--delta"]


@pytest.mark.parametrize("public", ["many", 0, -5, 1, True, 2.5])
def test_n_public_is_a_number_of_patients(public: Any) -> None:
    with pytest.raises(UsageError, match="n_public is no number of patients"):
        private.settled(options(declared={"cohort": {"id": "icu", "n_public": public}}))


@pytest.mark.parametrize("public", [2, 10, 60])
def test_a_number_of_patients_too_small_for_its_delta_is_refused(public: int) -> None:
    few: dict[str, Any] = {"declared": {"cohort": {"id": "icu", "n_public": public}}}
    with pytest.raises(UsageError, match=f"n_public = {public} gives it") as told:
        private.settled(options(**few))
    assert "--delta" in told.value.problems[0].fix
    assert private.settled(options(**few, delta=1e-3)).delta == 1e-3


@pytest.mark.parametrize("delta", [0.4, 0.005, 1e-4])
def test_a_delta_that_lets_one_patient_be_published_is_refused(delta: float) -> None:
    with pytest.raises(UsageError, match="n_public"):
        private.settled(options(delta=delta))


def test_a_number_of_patients_that_is_measured_gives_the_rows_and_no_delta() -> None:
    counted = {"cohort": {"id": "icu", "n_public": "measured"}}
    with pytest.raises(UsageError, match="delta is settled before anything is measured") as told:
        private.settled(options(declared=counted))
    assert len(told.value.problems) == 1
    assert private.settled(options(declared=counted, delta=1e-6)).rows is None


def test_what_the_schema_cost_is_part_of_the_guarantee(tmp_path: Path) -> None:
    asked, schema = private.settled(options(ledger=str(tmp_path))), Noise(99.0, 1, 3, 1e-9)
    kept = {"noise": [schema.to_json()], "told": {"patients": 9_876, "categories from": 60, "bounds from": 50}}
    measured = {"records": 9_990, "noise": [Noise(60.0, 1, 3).to_json()]}
    private.ledger_of(asked).reserve(Noise(60.0, 1, 3), note="columns")
    with pytest.raises(PrivacyError, match="does not hold"):
        private.promised(asked, measured, schema=kept)
    private.ledger_of(asked).reserve(schema, note="schema")
    told = private.promised(asked, measured, schema=kept)
    assert told["measured"] == {"records": 9_990, **kept["told"]}
    known = Schema((Column("d", "categorical", categories=("a", "b", OTHER), bound="measured"),), public=True)
    page = guarantee_page(told, schema=known, file="synthetic.csv")
    for said in ("| 3 categories, one of them for all others | measured |", "about 9,876", "about 60", "some 50"):
        assert said in page


def test_a_guarantee_is_made_of_the_ledger_that_paid(tmp_path: Path) -> None:
    asked = private.settled(options(ledger=str(tmp_path)))
    measured = {"records": 9_990, "noise": [Noise(50.0, 1, 3).to_json()]}
    with pytest.raises(PrivacyError, match="does not hold"):
        private.promised(asked, measured)
    assert not list(tmp_path.iterdir())
    ledger = private.ledger_of(asked)
    with pytest.raises(PrivacyError, match="does not hold"):
        private.promised(asked, measured)
    ledger.reserve(Noise(50.0, 1, 3), note="columns")
    told = private.promised(asked, measured)
    assert 0 < told["epsilon"] < 1 and told["noise"] == measured["noise"] and told["measured"] == {"records": 9_990}


def test_a_ledger_is_found_from_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert private.settled(options(ledger="ledgers")).ledger == str(tmp_path / "ledgers")
    monkeypatch.setenv("SEMBLANCE_LEDGER_DIR", str(tmp_path / "elsewhere"))
    assert private.ledger_path(private.settled(options())) == tmp_path / "elsewhere" / "icu.jsonl"


def test_the_first_screen_says_where_the_budget_stands(tmp_path: Path) -> None:
    asked, inputs = private.settled(options(ledger=str(tmp_path))), {"x.csv": "aa"}
    (said,) = private.standing(asked, inputs, resumed=False)
    assert said.startswith("cohort 'icu': new ledger of epsilon 1 ") and not list(tmp_path.iterdir())
    ledger = private.opened(asked, inputs)
    assert private.standing(asked, inputs, resumed=False)[0].startswith("cohort 'icu': spent 0 of epsilon 1 ")
    ledger.reserve(Noise(8.0), note="columns")
    (said,) = private.standing(asked, inputs, resumed=False)
    assert f"spent {ledger.guarantee().epsilon:.3g} of epsilon 1" in said and f"left {ledger.left():.3g}" in said
    assert "in other files before" in private.standing(asked, {"y.csv": "bb"}, resumed=True)[1]


def test_records_of_a_known_cohort_are_refused_under_another_id(tmp_path: Path) -> None:
    private.opened(private.settled(options(ledger=str(tmp_path))), {"x.csv": "aa"})
    other = private.settled(options(ledger=str(tmp_path), declared={"cohort": {"id": "ward", "n_public": 10_000}}))
    with pytest.raises(UsageError, match="are those of cohort 'icu'"):
        private.refuse_other_cohort(other, {"copy.csv": "aa"})
    private.refuse_other_cohort(other, {"x.csv": "bb"})


def test_two_members_of_a_zip_are_two_files() -> None:
    one, other, plain = (private.marks({path: "aa"}) for path in ("x.zip::a.csv", "x.zip::b.csv", "x.zip"))
    assert len({one, other, plain}) == 3 and plain == ("aa",)


def test_the_warning_grows_with_the_noise_and_ends_in_a_refusal() -> None:
    quiet, warned = (private.warned(private.settled(options(epsilon=e)), Pairwise(), schema(8)) for e in (10.0, 0.1))
    assert quiet is None and warned is not None and "--epsilon" in warned
    with pytest.raises(UsageError, match="noise alone moves"):
        private.warned(private.settled(options(epsilon=0.01)), Pairwise(), schema(8))
    assert private.warned(private.settled(options(rows=10**6, delta=1e-6)), Pairwise(), schema(8, None)) is None


def test_a_measured_number_of_patients_may_show_that_delta_is_too_large() -> None:
    counted = {"cohort": {"id": "icu", "n_public": "measured"}}
    asked = private.settled(options(declared=counted, delta=1e-3, epsilon=10.0))
    assert private.warned(asked, object(), schema(8, 999)) is None
    with pytest.raises(UsageError, match="n_public"):
        private.warned(asked, object(), schema(8, 1000))


def test_a_local_run_is_warned_and_refused_much_earlier() -> None:
    quiet, loud = private.settled(options(epsilon=10.0)), private.settled(options(epsilon=2.0))
    assert private.warned(quiet, Local(), schema(8)) is None and private.warned(loud, Pairwise(), schema(8)) is None
    told = private.warned(loud, Local(), schema(8))
    assert told is not None and "--epsilon" in told
    with pytest.raises(UsageError, match="noise alone moves"):
        private.warned(private.settled(options(epsilon=0.5)), Local(), schema(8))


def test_the_warning_is_about_what_is_left(tmp_path: Path) -> None:
    asked = private.settled(options(epsilon=2.0, ledger=str(tmp_path)))
    assert private.warned(asked, Pairwise(), schema(8)) is None and not list(tmp_path.iterdir())
    ledger = private.ledger_of(asked)
    ledger.reserve(*ledger.affordable([(0.99, 1), (0.01, 1)])[:1], note="another run")
    assert "after what is spent" in (private.warned(asked, Pairwise(), schema(8)) or "")
    ledger.reserve(*ledger.affordable([(1.0, 1)]), note="the rest")
    with pytest.raises(PrivacyError, match="nothing is left"):
        private.warned(asked, Pairwise(), schema(8))


@pytest.mark.parametrize(("patients", "floor"), [(1_000, 0.92), (10_000, 0.092), (49_000, 0.019)])
def test_the_noise_of_a_table_of_100_cells_is_as_published(patients: int, floor: float) -> None:
    """29 marginals at epsilon 1, delta 1e-5 and nine tenths of the budget; 8 columns have 28 pairs."""
    made = Pairwise(single=0.1).floor(schema(8), epsilon=1.0, delta=1e-5, records=patients)
    assert made == pytest.approx(floor, rel=0.05)


def test_the_page_says_what_is_promised_and_nothing_else() -> None:
    told = {
        **Guarantee(0.99, 1e-6).to_json(),
        "cohort": "icu",
        "budget": {"epsilon": 1.0, "delta": 1e-6},
        "noise": [{"sigma": 41.5, "sensitivity": 1, "count": 15}],
        "measured": {"records": 9_990, "pairs": 0.04, "pairs of noise alone": 0.05},
    }
    page = guarantee_page(told, schema=schema(2), file="synthetic.csv")
    for said in (str(Guarantee(0.99, 1e-6)), "41.5", "about 9,990", "`icu`", "10 categories", "73%"):
        assert said in page


def test_the_page_of_a_training_states_what_is_assumed_of_its_noise() -> None:
    counts = Noise(7.6, 1, 5).to_json()
    told = {
        **Guarantee(2.99, 1e-6).to_json(),
        "cohort": "icu",
        "budget": {"epsilon": 3.0, "delta": 1e-6},
        "noise": [counts, Steps(1.25, 0.05, 149).to_json()],
        "measured": {"records": 722},
    }
    page = guarantee_page(told, schema=schema(2), file="synthetic.csv")
    assert "149 steps of training" in page and "floating-point" in page
    assert "floating-point" not in guarantee_page({**told, "noise": [counts]}, schema=schema(2), file="synthetic.csv")


def test_a_generator_that_cannot_say_what_noise_will_cover_is_not_asked() -> None:
    assert private.warned(private.settled(options(epsilon=0.01)), object(), schema(8)) is None


def test_the_page_of_a_local_run_says_that_it_holds_for_whoever_sees_an_answer() -> None:
    told = {
        **Guarantee(4.0, 1e-6).to_json(),
        "cohort": "icu",
        "budget": {"epsilon": 4.0, "delta": 1e-6},
        "noise": [{"kind": "answers", "epsilon": 4.0, "count": 1}],
        "measured": {"reports": 10_000, "records": 9_990},
    }
    page = guarantee_page(told, schema=schema(2), file="synthetic.csv")
    for said in (
        "10,000 reports",
        "holds locally",
        "1 randomised answer of each patient, with epsilon 4",
        "about 9,990",
    ):
        assert said in page
