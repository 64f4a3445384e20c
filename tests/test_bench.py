"""The bench's own parts: a peer is called and read back, and a result file says how it came about."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from bench import contenders, evaluate, judged, ours, results, scale, scores, tables
from bench.boards import SMALL
from bench.evaluate import PEERS, Timing
from bench.evaluate import Row as Beside
from bench.simulated import simulated
from bench.watch import Limits, watched
from semblance import catalog
from semblance.core.judge import patients
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat, from_frame
from tests.conftest import ROOT

PEERS_FOLDER = ROOT / "bench" / "peers"
COPYCAT = """
from exchange import serve
serve(lambda train, job: lambda n: train.sample(n, replace=True, random_state=job["seed"]))
"""
SLEEPER = """
import time
from exchange import serve
serve(lambda train, job: time.sleep(60))
"""


def frame(**columns: list) -> Table:
    """A table with target y."""
    return from_frame(pd.DataFrame(columns), ReadOptions(target="y"))[0]


def noisy(n: int, *, seed: int) -> Table:
    rng = stream(seed, "bench test")
    x = rng.normal(size=n).round(3)
    return frame(x=list(x), z=list(rng.normal(size=n).round(3)), y=list(np.where(x > 0, "high", "low")))


# Peers


@pytest.fixture()
def peer(tmp_path, monkeypatch):
    """Adds a peer with this script, in an environment that is ours."""
    python = tmp_path / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(PEERS_FOLDER))

    def add(name: str, code: str) -> None:
        script = tmp_path / f"{name}.py"
        script.write_text(code)
        told = contenders.Peer(name, str(python.parents[1]), str(script), "", "numpy")
        monkeypatch.setitem(contenders.PEERS, name, told)

    return add


@pytest.mark.slow
def test_a_peer_is_one_file_that_reads_and_writes_parquet(peer):
    peer("copycat", COPYCAT)
    train = noisy(200, seed=0)
    done = contenders.attempt("copycat", train, seed=0, time_budget=1, rows=70)
    assert done.outcome == "finished" and len(done.synthetic) == 70 and done.peak > 0
    assert done.synthetic.schema == train.schema and set(done.synthetic.frame["x"]) <= set(train.frame["x"])


@pytest.mark.slow
def test_a_peer_that_does_not_answer_in_time_is_told(peer):
    peer("sleeper", SLEEPER)
    terms = tables.Terms(time_budget=0.5, patience=2.5, memory=4, seeds=3, start=3)
    row = tables.row("sleeper", noisy(50, seed=0), terms)
    assert [one.outcome for one in row.tries] == ["not finished"] and row.tries[0].seconds > 0
    text = results.table(results.Section("Toy", rows={row.name: row}))[-1]
    assert "| not finished in " in text and text.count("|") == results.table(results.Section("Toy"))[0].count("|")


def test_a_contender_that_finishes_too_late_did_not_finish():
    terms = tables.Terms(time_budget=10, patience=2.5, memory=4, seeds=1)
    assert terms.limits.seconds > 25
    done = contenders.Attempt("finished", 20, 4.9, 1.0, noisy(10, seed=0))
    late = contenders.Attempt("finished", 20, 5.1, 1.0, noisy(10, seed=0))
    assert terms.kept(done) == done
    assert terms.kept(late).outcome == "not finished" and terms.kept(late).fit == pytest.approx(25.1)


def test_a_peer_without_its_environment_and_one_that_breaks_are_told(peer, monkeypatch):
    peer("broken", "raise ValueError('it broke')")
    told = contenders.attempt("broken", noisy(20, seed=0), seed=0, time_budget=1)
    assert told.outcome == "failed" and "it broke" in told.said
    monkeypatch.setitem(contenders.PEERS, "absent", contenders.Peer("absent", "no such", "absent.py", "", "numpy"))
    told = contenders.attempt("absent", noisy(20, seed=0), seed=0, time_budget=1)
    with pytest.raises(RuntimeError, match="make peers"):
        told.synthetic  # noqa: B018


def test_every_peer_has_its_script_and_its_packages():
    for one in contenders.PEERS.values():
        assert (PEERS_FOLDER / one.script).is_file() and (PEERS_FOLDER / f"{one.environment}.txt").is_file()


@pytest.fixture()
def exchange(monkeypatch):
    monkeypatch.syspath_prepend(PEERS_FOLDER)
    return importlib.import_module("exchange")


@pytest.mark.parametrize(
    "before, epoch, most, wanted", [(2, 0.5, 300, 46), (2, 0.5, 10, 10), (0, 30, 300, 1), (20, 10, 300, 1)]
)
def test_a_peer_without_a_clock_learns_for_as_many_epochs_as_time_allows(exchange, before, epoch, most, wanted):
    assert exchange.affordable(lambda epochs: before + epoch * epochs, most, time_budget=25) == wanted


def test_a_peer_that_takes_no_missing_values_gets_them_filled(exchange):
    train = pd.DataFrame({"x": [1.0, 3.0, None], "k": [1, 2, 3], "c": ["a", None, "b"], "b": [True, False, True]})
    filled = exchange.filled(train)
    assert filled["x"].tolist() == [1, 3, 2] and not filled.isna().any(axis=None) and list(filled) == list(train)
    made = exchange.restored(filled.assign(k=[1.4, 2.0, 3.2]), train)
    assert made["k"].tolist() == [1, 2, 3] and made["b"].tolist() == [True, False, True]
    assert made["c"].isna().tolist() == [False, True, False]


@pytest.mark.slow
def test_a_generator_of_ours_makes_the_same_records_in_a_process_of_its_own():
    train = simulated(rows=300, columns=6)
    done = contenders.attempt("marginals", train, seed=3, time_budget=5)
    model = catalog.modality("table").generator("marginals")().fit(train, rng=stream(3, "fit"))
    here = concat(list(model.sample(len(train), rng=stream(3, "sample"))))
    pd.testing.assert_frame_equal(done.synthetic.frame, here.frame)
    assert contenders.attempt("marginals", train, seed=3, time_budget=5, kept=False).made is None


# Definitions


def test_columns_differ_by_kolmogorov_smirnov_or_total_variation():
    assert scores.ks(np.array([0, 1]), np.array([0, 1])) == 0
    assert scores.ks(np.array([0, 1]), np.array([5, 6])) == 1
    assert scores.ks(np.array([1, 2, 3, 4]), np.array([1, 2])) == 0.5
    assert scores.tv(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])) == 0.25
    real = frame(x=[0.5, 1.5, 2.5, 3.5], y=["a", "a", "b", "b"])
    made = frame(x=[0.5, 1.5, None, None], y=["a", "c", "c", "c"])
    assert scores.shape(real, real) == 0
    assert scores.shape(real, made) == pytest.approx((0.5 + 0.75) / 2)


def test_pairs_see_what_columns_do_not():
    a, b = ["p", "p", "q", "q"] * 2, ["p", "q", "p", "q"] * 2
    together, apart = frame(x=a, y=a), frame(x=a, y=b)
    assert scores.shape(together, apart) == 0
    assert scores.pair(together, together, apart) == 0.5


def test_numbers_are_binned_by_the_quantiles_of_train():
    train = frame(x=[i / 7 for i in range(100)], y=["a", "b"] * 50)
    top = frame(x=[98 / 7] * 100, y=["a", "b"] * 50)
    assert scores.pair(train, train, top) == pytest.approx(0.9)


@pytest.mark.slow
def test_a_classifier_tells_what_is_not_real():
    train, holdout = noisy(600, seed=0), noisy(300, seed=1)
    far = frame(x=[9.5, 8.5] * 150, z=[0.5] * 300, y=["high"] * 300)
    fresh = scores.c2st(train, holdout, noisy(300, seed=2), seed=0)
    assert 0.5 <= fresh < 0.6 and scores.c2st(train, holdout, far, seed=0) > 0.99


def test_what_models_learn_from_records_is_scored_on_holdout():
    train, holdout = noisy(400, seed=0), noisy(200, seed=1)
    turned = train.frame["y"].map({"high": "low", "low": "high"})
    swapped = Table(train.schema, train.frame.assign(y=turned), train.subjects)
    one = train.take((train.frame["y"] == "high").to_numpy())
    assert min(scores.tstr(train, holdout, train, seed=0).values()) > 0.99
    assert max(scores.tstr(train, holdout, swapped, seed=0).values()) < 0.01
    assert scores.tstr(train, holdout, one, seed=0) == {"gb": 0.5, "lr": 0.5}


def test_a_number_as_target_is_scored_by_r2():
    x = [i / 100 for i in range(400)]
    table = frame(x=x, y=[3 * value + 1.5 for value in x])
    assert contenders.regression(table) and not contenders.regression(noisy(50, seed=0))
    assert min(scores.tstr(table, table, table, seed=0).values()) > 0.98


def test_several_classes_are_scored_one_against_the_rest():
    truth, shares = np.array(["a", "b", "c"]), np.array([[0.8, 0.2], [0.1, 0.9], [0.5, 0.5]])
    assert scores.auc(truth, shares, np.array(["a", "b"])) == pytest.approx((1 + 1 + 0.5) / 3)


def test_the_gap_is_the_difference_of_two_shares_with_its_interval():
    gap = scores.nearer(np.array([1.0, 3.0]), np.array([2.0, 4.0]))
    assert gap.value == pytest.approx(0.5) and gap.margin == pytest.approx(2 * 1.959964 * np.sqrt(0.125), rel=1e-5)
    assert scores.nearer(np.zeros(5), np.ones(5)) == scores.Gap(1.0, 0.0)
    assert scores.nearer(np.ones(5), np.ones(9)).value == 0


def test_a_copycat_is_nearer_to_train_and_real_records_are_not():
    train, holdout = noisy(600, seed=0), noisy(300, seed=1)
    copied = scores.membership(train, holdout, train, seed=0)
    noise = scores.floor(train, holdout, seed=0)
    assert copied.value > 0.9 and abs(noise.value) < 2 * noise.margin and noise.margin < 0.25


# Result files


def row(name: str, *c2st: float, outcome: str = "finished", **more: float) -> results.Row:
    tries = [results.Try(outcome, 62.4, {"c2st": value, **more} if outcome == "finished" else {}) for value in c2st]
    return results.Row(name, tuple(tries), dict.fromkeys(("command", "commit", "versions", "machine"), f"of {name}"))


def test_seeds_are_summed_up_by_their_median():
    assert row("a", 0.6, 0.9, 0.7).middle("c2st") == 0.7
    assert row("a", 0.6).middle("shape") is None
    assert row("a", 0.6, outcome="not finished").middle("c2st") is None


def test_a_rerun_of_one_contender_leaves_the_others(tmp_path):
    path = tmp_path / "deep" / "tables.json"
    for name, found in (("adult", row("a", 0.9)), ("adult", row("b", 0.7)), ("flchain", row("a", 0.6))):
        results.put(path, name, results.Section(name.title(), rows={found.name: found}))
    book = results.put(path, "adult", results.Section("Adult", rows={"a": row("a", 0.5, 0.5)}))
    assert book == results.opened(path) and list(book) == ["adult", "flchain"]
    assert book["adult"].rows == {"a": row("a", 0.5, 0.5), "b": row("b", 0.7)}


def test_the_page_says_how_every_row_came_about(tmp_path):
    held = (row(results.REAL, 0.5), row("a", 0.9), row("b", 0.7), row("c", 0.0, outcome="ran out of memory"))
    book = {"toy": results.Section("Toy", rows={one.name: one for one in held})}
    text = results.told(book, "# Title\n")
    lines = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")][2:]
    assert lines == [results.REAL, "b", "a", "c"] and "ran out of memory in 62 s" in text
    assert all(f"- {one.name}: `of {one.name}`" in text for one in held)
    assert set(results.made("tables")) == {"command", "commit", "versions", "machine"}


def test_ranks_are_means_over_tables_and_the_unfinished_are_last():
    good = {"shape": 0.1, "pair": 0.1, "tstr_gb": 0.9, "tstr_lr": 0.8}
    poor = {"shape": 0.2, "pair": 0.2, "tstr_gb": 0.7, "tstr_lr": 0.7}
    rows = [row("good", 0.6, **good), row("poor", 0.7, **poor), row("late", 0, outcome="not finished")]
    one = results.Section("One", "Group", {r.name: r for r in [*rows, row(results.REAL, 0.5, **good)]})
    two = results.Section("Two", "Group", {r.name: r for r in [*rows, row("only here", 0.5, **good)]})
    lines = results.ranks([one, two])
    assert lines[-3:] == [
        "| good | 1.0 | 1.0 | 1.0 | 1.0 | 1.0 |",
        "| poor | 2.0 | 2.0 | 2.0 | 2.0 | 2.0 |",
        "| late | 3.0 | 3.0 | 3.0 | 3.0 | 3.0 |",
    ]


def test_contenders_are_named_one_by_one_or_by_side():
    assert tables.contenders(["real", "marginals", "real"]) == [*results.CONTROLS, "marginals"]
    assert set(tables.contenders(["ours", "peers"])) == {*catalog.modality("table").generators, *contenders.PEERS}


@pytest.mark.parametrize("name", SMALL)
def test_small_boards_have_a_target(name, shared_data):
    table = SMALL[name].load()
    assert 100 < len(table) < 3_000 and table.schema.where("target") is not None
    assert contenders.regression(table) == (name == "diabetes")


# Scale


def test_growth_is_the_slope_on_logarithmic_axes():
    small, large = (scale.Point(rows, "finished", fit, 1.0, 9.0) for rows, fit in ((100, 2.0), (10_000, 20.0)))
    assert scale.power(small, large) == pytest.approx(0.5)


def test_the_plot_has_a_line_for_each_generator_and_the_page_its_numbers(tmp_path):
    ended = scale.Point(9_000, "not finished", 99.0, 1.0, 0.0)
    points = [scale.Point(rows, "finished", rows / 100, 0.5, 1e5) for rows in (1_000, 3_000)]
    scale.kept(tmp_path / "scale.json", "a", points)
    curves = scale.kept(tmp_path / "scale.json", "b", [*points, ended])
    drawn = ElementTree.fromstring(scale.plot(curves))
    assert sum(one.tag.endswith("polyline") for one in drawn.iter()) == 4
    assert sum(one.tag.endswith("circle") for one in drawn.iter()) == 8
    text = scale.told(curves)
    assert "| a | 3,000 | 30.0 | 1.00 | 0.50 | 100,000 |" in text
    assert "| b | 9,000 | not finished after 99 s | | 1.00 | |" in text


# Judges


def said(code: str, *, seconds: float = 30, memory: float = 2) -> evaluate.Outcome:
    return watched([sys.executable, "-c", code], limits=Limits(seconds, memory), folder=ROOT).outcome


def test_a_command_that_takes_too_much_is_ended_and_told():
    assert said("pass") == "finished"
    assert said("1 / 0") == "failed"
    assert said("import time; time.sleep(60)", seconds=0.3) == "not finished"
    assert said("raise MemoryError") == "ran out of memory"
    assert said("x = bytearray(300 * 2**20); import time; time.sleep(60)", memory=0.2) == "ran out of memory"


def test_memory_is_that_of_the_command_and_its_workers():
    worker = "x = b'1' * 2**28; import time; time.sleep(1)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])"
    ran = watched([sys.executable, "-c", code], limits=Limits(30, 2), folder=ROOT)
    assert ran.outcome == "finished" and ran.peak > 0.2 and ran.seconds > 1


def test_a_judge_of_a_peer_is_one_file_that_reads_parquet_and_writes_json(tmp_path):
    judge = 'serve({"mean": lambda frames, job: {name: float(frame["x"].mean()) for name, frame in frames.items()}})'
    (tmp_path / "toy.py").write_text((ROOT / "bench/peers/judging.py").read_text() + judge)
    for part, value in {"train": 1, "holdout": 2, "synthetic": 3}.items():
        pd.DataFrame({"x": [value], "key": [7]}).to_parquet(tmp_path / f"{part}.parquet")
    job = {part: str(tmp_path / f"{part}.parquet") for part in ("train", "holdout", "synthetic")}
    job |= {"columns": ["x"], "part": "mean", "out": str(tmp_path / "answer.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))
    subprocess.run([sys.executable, tmp_path / "toy.py", tmp_path / "job.json"], check=True)
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["found"] == {"train": 1, "holdout": 2, "synthetic": 3} and answer["seconds"] >= 0


def test_every_judge_of_a_peer_has_its_script_and_its_packages():
    for name in {peer.name for peer in PEERS}:
        assert all((ROOT / "bench" / "peers" / f"{name}.{kind}").is_file() for kind in ("py", "txt"))


def test_our_judges_are_found_by_what_they_owe():
    manifest = catalog.modality("table")
    found = [name.rpartition(":")[2] for name in ours.matching(manifest, ["fidelity.shape", "privacy.membership"])]
    assert "shape" in found and "nearest_difference" in found and "pairs" not in found
    assert len(ours.matching(manifest, ["*"])) > len(found)


@pytest.mark.parametrize(
    "theirs, cell",
    [
        (Timing("finished", 8.0, 1.0), "| 4.0 |"),
        (Timing("not finished", 60.0, 1.0), "| > 30.0 |"),
        (Timing("ran out of memory", 3.0, 20.0), "ran out of memory after 3 s"),
        (Timing("failed", 3.0, 20.0, said="ValueError: a | b"), "failed (ValueError: a / b) after 3 s"),
    ],
)
def test_a_peer_stands_beside_the_judges_that_measure_the_same(theirs, cell):
    mine = Timing("finished", 2.0, 0.5, steps=(("floor", 0.1), ("shape", 1.9)))
    line = evaluate.table([Beside(PEERS[0], theirs, mine)])[-1]
    assert cell in line and "| shape | 2.0 | 0.5 |" in line
    assert line.count("|") == evaluate.table([])[0].count("|")


def test_a_board_is_replaced_in_the_result_file_and_the_others_stay(tmp_path):
    path = tmp_path / "deep" / "evaluate.md"
    evaluate.write(path, "one", ["first"])
    evaluate.write(path, "two", ["second"])
    evaluate.write(path, "one", ["third"])
    text = path.read_text()
    assert "first" not in text and text.index("third") < text.index("second")
    assert text.count("## one") == text.count("## two") == text.count("# The judge") == 1


def test_simulated_records_are_the_same_for_the_same_seed():
    a, b, other = (simulated(rows=300, columns=12, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(a.frame, b.frame)
    assert len(a) == 300 and len(a.schema.learned) == 12 and not a.frame.equals(other.frame)
    assert {column.continuous for column in a.schema} == {True, False}


@pytest.fixture(scope="module")
def parts() -> judged.Parts:
    return judged.Parts.of(simulated(rows=800, columns=6), protected="x01", seed=0)


def test_patients_are_dealt_once(parts):
    sizes = [len(part) for part in (parts.train, parts.holdout, parts.fresh)]
    assert sizes == [400, 200, 200] and patients(parts.train.subjects) == 400


def test_known_answers_hold_no_small_cell(parts):
    real, kept = parts.fresh.to_pandas(), judged.known(parts.fresh, parts)
    held = parts.train.to_pandas()["x03"].value_counts()
    assert set(kept["x03"].dropna()) <= set(held.index[held >= judged.RARE])
    assert len(real) // 2 < len(kept) < len(real)


def test_spoilt_records_are_spoilt_as_they_say(parts):
    made = {name: make(parts, stream(0, name)) for name, make in judged.REAL.items()}
    real, train = judged.known(parts.fresh, parts), judged.known(parts.train, parts)
    pd.testing.assert_frame_equal(made["fresh patients"], real)
    assert len(made["copycat"]) == len(train) and (made["copycat"]["x01"] == train["x01"]).all()
    assert np.corrcoef(made["copycat"]["x00"], train["x00"])[0, 1] > 0.9
    assert len(made["collapsed"].drop_duplicates()) <= len(parts.fresh) * judged.KEPT < len(made["collapsed"])
    assert gap(made["biased"]) > gap(real) + 0.1


def gap(frame: pd.DataFrame) -> float:
    group = frame["x01"] == frame["x01"].mode()[0]
    return abs(frame.loc[group, "outcome"].astype(int).mean() - frame.loc[~group, "outcome"].astype(int).mean())
