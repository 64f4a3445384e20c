"""The ledger: paid before counting, never overspent, by two runs at once neither, and nobody rewrites it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from semblance.core.errors import DataError, PrivacyError, ResourceError, UsageError
from semblance.core.promise import Noise
from semblance.privacy.cohorts import alone, measured
from semblance.privacy.ledger import Ledger, check_budget
from tests import warm
from tests.privacy.test_accountant import gaussian_epsilon

CODES, SIZES, SUBJECTS = np.arange(60).reshape(-1, 1) % 3, np.array([3]), np.arange(60) // 2


def opened(folder: Path, *, epsilon: float = 1.0, cohort: str = "icu-2024") -> Ledger:
    return Ledger.open(folder, cohort=cohort, epsilon=epsilon, delta=1e-6)


def test_what_is_measured_is_paid_for(tmp_path):
    ledger = opened(tmp_path)
    assert ledger.guarantee().epsilon == 0
    (counts,) = ledger.noisy_counts(CODES, SIZES, [(0,)], SUBJECTS, sigma=30.0, note="ages")
    assert counts.shape == (3,)
    assert ledger.spent() == (Noise(30.0, 1, 1),)
    assert 0 < ledger.guarantee().epsilon < 1
    assert ledger.guarantee(1e-9).epsilon > ledger.guarantee().epsilon


def test_a_patient_counts_once_and_a_joint_has_its_shape(tmp_path):
    codes = np.column_stack([np.arange(3000) % 3, np.arange(3000) % 4])
    ledger = opened(tmp_path, epsilon=1e6)
    one, joint = ledger.noisy_counts(codes, np.array([3, 4]), [(0,), (0, 1)], np.arange(3000) // 3, sigma=0.5, note="x")
    assert joint.shape == (3, 4)
    assert abs(one.sum() - 1000) < 10 and abs(joint.sum() - 1000) < 20
    assert np.abs(joint.sum(1) - one).max() < 20  # the same records stand in both


def test_a_second_run_goes_on_with_what_the_first_has_left(tmp_path):
    noises = opened(tmp_path).affordable([(1, 4)])
    first = opened(tmp_path)
    first.reserve(Noise(noises[0].sigma * 1.5, 1, 4), note="first")
    second = opened(tmp_path)
    assert second.spent() == first.spent()
    assert second.affordable([(1, 4)])[0].sigma > noises[0].sigma
    said = r"'again' asks for epsilon ([\d.]+) of cohort 'icu-2024', which has ([\d.]+) left(?s:.*) ([\d.]+) is spent"
    with pytest.raises(PrivacyError, match=said) as told:
        second.reserve(Noise(noises[0].sigma, 1, 4), note="again")
    asked, left, spent = map(float, re.search(said, str(told.value)).groups())
    assert left == pytest.approx(second.left(), rel=1e-3)
    assert spent == pytest.approx(first.guarantee().epsilon, rel=1e-3)
    assert 1 - spent < left < asked <= 1
    assert second.spent() == first.spent()
    assert opened(tmp_path, cohort="another").spent() == ()


def test_what_is_affordable_can_be_paid_and_then_nothing_else(tmp_path):
    ledger = opened(tmp_path)
    for noise in ledger.affordable([(0.3, 5), (0.7, 10)]):
        ledger.reserve(noise, note="a part")
    assert 0.99 < ledger.guarantee().epsilon <= 1
    with pytest.raises(PrivacyError):
        ledger.reserve(Noise(50.0), note="one more")
    assert ledger.left() == 0
    with pytest.raises(PrivacyError, match="nothing is left"):
        ledger.affordable([(1, 1)])


def test_thresholds_take_their_part_of_delta_and_what_is_left_can_still_be_paid(tmp_path):
    ledger, kept = opened(tmp_path), 5e-7
    first = ledger.affordable([(0.1, 4), (0.9, 1)], kept=kept)[0]
    ledger.reserve(Noise(first.sigma, 1, 4, kept), note="schema")
    assert ledger.guarantee(kept).epsilon == float("inf")
    for noise in ledger.affordable([(0.2, 3), (0.8, 3)]):
        ledger.reserve(noise, note="a part")
    assert 0.99 < ledger.guarantee().epsilon <= 1
    with pytest.raises(PrivacyError, match="nothing is left"):
        opened(tmp_path, cohort="another").affordable([(1, 1)], kept=1e-6)


@pytest.mark.parametrize("cells", [2, 500])
def test_cells_that_share_no_patient_cost_one_release_and_tables_add_up(tmp_path, cells):
    """Parallel composition: a patient is in one cell of a partition, so all cells cost what one does. Sequential: k
    tables of the same patients cost one of noise smaller by the square root of k."""
    codes, who, sizes = np.arange(1000).reshape(-1, 1) % cells, np.arange(1000), np.array([cells])
    parallel, sequential = opened(tmp_path, cohort="parallel"), opened(tmp_path, cohort="sequential")
    parallel.noisy_counts(codes, sizes, [(0,)], who, sigma=20.0, note="all cells")
    sequential.noisy_counts(codes, sizes, [(0,)] * 4, who, sigma=40.0, note="four tables")
    for ledger in (parallel, sequential):
        assert ledger.guarantee().epsilon == pytest.approx(gaussian_epsilon(20.0, 1e-6), rel=0.01)


@pytest.mark.parametrize("clip", [2, 3])
def test_one_patient_moves_each_table_by_as_many_records_as_were_paid_for(tmp_path, clip):
    """With next to no noise a count is what was counted."""
    # More codes than a patient has records that count: whichever are drawn, some code is not moved.
    rich, codes = opened(tmp_path, epsilon=1e6), np.column_stack([np.arange(60) % 4, np.arange(60) % 5])
    who, subsets = np.minimum(np.arange(60), 50), [(0,), (1,), (0, 1)]  # the last patient has ten records
    both = [
        rich.noisy_counts(codes[rows], np.array([4, 5]), subsets, who[rows], sigma=0.1, note="x", clip=clip)
        for rows in (who >= 0, who < 50)
    ]
    for with_patient, without in zip(*both, strict=True):
        moved = with_patient - without
        assert moved.sum() == clip and moved.min() == 0


def test_a_crash_while_counting_is_spent(tmp_path):
    ledger = opened(tmp_path)
    with pytest.raises(ValueError):
        ledger.noisy_counts(CODES + 7, SIZES, [(0,)], SUBJECTS, sigma=30.0, note="codes outside")
    assert ledger.spent() == (Noise(30.0, 1, 1),)


def test_a_budget_is_for_good_and_all_that_is_wrong_is_refused(tmp_path):
    opened(tmp_path, epsilon=3.0)
    opened(tmp_path).reserve(Noise(60.0), note="from here on it is for good")
    with pytest.raises(UsageError, match="opened with epsilon 1"):
        opened(tmp_path, epsilon=2.0)
    for wrong in ({"cohort": "../x"}, {"cohort": ""}, {"epsilon": 0.0}, {"epsilon": float("inf")}):
        with pytest.raises(UsageError):
            opened(tmp_path, **wrong)
    with pytest.raises(UsageError):
        Ledger.open(tmp_path, cohort="x", epsilon=1, delta=0)


def test_a_delta_that_lets_a_patient_be_published_is_none(tmp_path):
    """At a delta of 1/n a mechanism may publish one patient of n at random and keeps its promise."""
    for delta, patients, told in (
        (0.4, None, "at most 0.01"),
        (0.011, None, "at most 0.01"),
        (0.01, 100, "below 1/n_public"),
        (0.4, 1000, "delta=0.0001"),
    ):
        with pytest.raises(UsageError, match=told):
            check_budget("icu", 1.0, delta, n_public=patients)
    check_budget("icu", 1.0, 0.01, n_public=99)
    check_budget("icu", 1.0, 0.01)
    with pytest.raises(UsageError, match="delta"):
        Ledger.open(tmp_path, cohort="x", epsilon=1.0, delta=0.4)
    assert not list(tmp_path.iterdir())


def test_an_epsilon_that_leaves_nothing_is_refused_with_all_else_that_is_wrong():
    with pytest.raises(UsageError) as told:
        check_budget("../x", 0.009, 0.5)
    assert len(told.value.problems) == 3
    assert any("at least 0.01" in problem.rule for problem in told.value.problems)
    check_budget("x", 0.01, 1e-6)


def test_a_line_that_was_changed_removed_or_added_is_found(tmp_path):
    ledger = opened(tmp_path)
    ledger.reserve(Noise(60.0), note="one")
    ledger.reserve(Noise(70.0), note="two")
    lines = ledger.path.read_text().splitlines(keepends=True)
    cheaper = json.loads(lines[1])
    cheaper["noise"][0]["sigma"] = 6000.0
    for changed in (
        [lines[0], json.dumps(cheaper) + "\n", lines[2]],
        [lines[0], lines[2]],
        [*lines, lines[2]],
        lines[1:],
    ):
        ledger.path.write_text("".join(changed))
        with pytest.raises(DataError, match="not what was written"):
            opened(tmp_path)
    ledger.path.write_text("".join(lines))
    assert [noise.sigma for noise in opened(tmp_path).spent()] == [60.0, 70.0]


def test_a_line_cut_off_by_a_crash_was_never_measured(tmp_path):
    ledger = opened(tmp_path)
    ledger.reserve(Noise(60.0), note="one")
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole + b'{"note": "two", "noi')
    assert opened(tmp_path).spent() == (Noise(60.0),)
    opened(tmp_path).reserve(Noise(61.0), note="three")
    assert [noise.sigma for noise in opened(tmp_path).spent()] == [60.0, 61.0]


def test_two_runs_at_once_do_not_spend_the_same_budget(tmp_path):
    sigma = opened(tmp_path).affordable([(1, 1)])[0].sigma * 1.2  # one fits, two do not
    code = """
import multiprocessing, sys
from semblance.core.errors import PrivacyError
from semblance.core.promise import Noise
from semblance.privacy.ledger import Ledger

def run(begin, said):
    begin.wait()
    ledger = Ledger.open(sys.argv[1], cohort="icu-2024", epsilon=1.0, delta=1e-6)
    try:
        ledger.reserve(Noise(float(sys.argv[2])), note="mine")
        said.put("paid")
    except PrivacyError:
        said.put("refused")

fork = multiprocessing.get_context("fork")
begin, said = fork.Barrier(3), fork.SimpleQueue()
runs = [fork.Process(target=run, args=(begin, said)) for _ in range(3)]
for one in runs:
    one.start()
for one in runs:
    one.join()
print(*sorted(said.get() for _ in runs))
"""
    told = warm.run(["-c", code, tmp_path, repr(sigma)], env=warm.environment(), timeout=120)
    assert told.stdout.split() == ["paid", "refused", "refused"], told.stderr


def test_a_ledger_that_cannot_be_written_stops_everything(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="nothing was measured"):
        opened(tmp_path / "file")


def test_answers_use_up_what_is_left_and_none_come_after(tmp_path):
    ledger = opened(tmp_path)
    ledger.reserve(Noise(80.0), note="counts")
    answers = ledger.affordable_answers()
    ledger.reserve(answers, note="answers")
    assert 0 < answers.epsilon < 1 and 0.95 < ledger.guarantee().epsilon <= 1
    assert opened(tmp_path).spent()[-1] == answers
    with pytest.raises(PrivacyError, match="nothing is left"):
        ledger.affordable_answers()


def test_each_payment_becomes_one_thing_and_its_receipt_is_its_own(tmp_path):
    ledger = opened(tmp_path)
    first, second = (ledger.reserve(Noise(90.0), note="training") for _ in range(2))
    assert first != second
    ledger.refuse_other(first, None)
    ledger.settle(first, "aa")
    before = ledger.path.read_bytes()
    opened(tmp_path).settle(first, "aa")  # said once more after a crash, it is the same
    assert ledger.path.read_bytes() == before
    for other in ("bb", None):
        with pytest.raises(PrivacyError, match="finished a second time"):
            ledger.refuse_other(first, other)
    with pytest.raises(PrivacyError, match="finished a second time"):
        opened(tmp_path).settle(first, "bb")
    ledger.settle(second, "bb")
    assert ledger.spent() == (Noise(90.0), Noise(90.0))
    # What no payment's receipt is: nothing, another ledger's, the line that opened it, that of a result.
    lines = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    elsewhere = opened(tmp_path, cohort="another").reserve(Noise(90.0), note="training")
    for foreign in ("", elsewhere, lines[0]["hash"], lines[-1]["hash"]):
        with pytest.raises(PrivacyError, match="not in the ledger"):
            ledger.settle(foreign, "cc")


def test_what_is_left_can_be_spent_and_is_all(tmp_path):
    ledger = opened(tmp_path)
    assert ledger.left() == pytest.approx(1, rel=5e-3)
    ledger.reserve(Noise(8.0), note="some")
    ledger.reserve(*ledger.affordable([(1, 1)]), note="the rest, which costs what was left")
    assert ledger.guarantee().epsilon == pytest.approx(1, rel=5e-3)


def test_one_file_does_not_spend_two_budgets(tmp_path):
    """Neither under another id nor under the same one spelt otherwise; other patients have a budget of their own."""
    first = opened(tmp_path, cohort="clinic-A")
    first.bind(["aa", "bb"])
    second = opened(tmp_path, cohort="clinic-a2")
    with pytest.raises(UsageError, match="are those of cohort 'clinic-A'") as told:
        second.bind(["cc", "bb"])
    assert 'id = "clinic-A"' in told.value.problems[0].fix
    second.bind(["cc"])
    for spelt in ("clinic-a", "CLINIC.A", "clinica"):
        with pytest.raises(UsageError, match='id = "clinic-A"'):
            opened(tmp_path, cohort=spelt)
    assert sorted(path.stem for path in tmp_path.glob("*.jsonl")) == ["clinic-A", "clinic-a2"]
    before = first.path.read_bytes()
    opened(tmp_path, cohort="clinic-A").bind(["bb", "aa"])  # the same once more is nothing new
    assert first.path.read_bytes() == before


def test_other_files_of_the_same_cohort_spend_from_what_is_left(tmp_path):
    ledger = opened(tmp_path)
    assert not ledger.bind(["aa"])
    ledger.reserve(*ledger.affordable([(1, 1)]), note="all")
    again = opened(tmp_path)
    assert [again.bind([file]) for file in ("aa", "bb", "bb", "aa")] == [False, True, False, False]
    assert again.left() < 0.1


def test_while_a_file_is_given_to_a_cohort_no_other_can_be_given_it(tmp_path):
    first, second = opened(tmp_path, cohort="first"), opened(tmp_path, cohort="second")
    told = []

    def run() -> None:
        try:
            second.bind(["aa"])
        except UsageError as error:
            told.append(str(error))

    other = Thread(target=run)
    with alone(tmp_path):  # as `first.bind` holds it while it looks and writes
        other.start()
        other.join(0.3)
        assert other.is_alive() and measured(second.path) == []
        with first.path.open("ab") as file:
            file.write(b'{"data": ["aa"]}\n')
    other.join(60)
    assert len(told) == 1 and "are those of cohort 'first'" in told[0]


def test_histograms_are_those_of_the_records(tmp_path: Path) -> None:
    rng, sizes = np.random.default_rng(5), np.array([2, 3, 4])
    codes = rng.integers(0, sizes, (500, 3))
    rich = Ledger.open(tmp_path, cohort="rich", epsilon=1e6, delta=1e-6)
    subsets = [(2,), (0, 1), (0, 2), (1, 2), (0, 1, 2), (2, 0)]
    found = rich.noisy_counts(codes, sizes, subsets, np.arange(500), sigma=0.05, note="x")
    for subset, counts in zip(subsets, found, strict=True):
        cells = np.ravel_multi_index(codes[:, subset].T, sizes[list(subset)])
        assert (counts.ravel() == np.bincount(cells, minlength=counts.size)).all()
    with pytest.raises(ValueError, match="beyond"):
        rich.noisy_counts(codes + np.array([0, 0, 1]), sizes, [(1, 2)], np.arange(500), sigma=0.05, note="x")
