"""The bench of private generators: codes for peers, the error within groups, the command and the picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from bench import private, results, scores
from bench.discrete import CELLS, EXACT, Discrete
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, from_frame
from semblance.modalities.table.domain import read_declared
from tests.conftest import ROOT

DECLARED = {
    "columns": {
        "age": {"kind": "integer", "min": 0, "max": 99},
        "gain": {"kind": "integer", "min": 0, "max": 100_000},
        "dose": {"kind": "numeric", "min": 0.0, "max": 10.0},
        "sex": {"categories": ["f", "m"]},
        "y": {"categories": ["no", "yes"]},
    }
}


@pytest.fixture()
def table(tmp_path: Path) -> Table:
    """A thousand records with missing values, under a declared schema."""
    rng, n = stream(0, "private bench test"), 1_000
    frame = pd.DataFrame(
        {
            "age": rng.integers(0, 100, size=n),
            "gain": rng.integers(0, 100_001, size=n) * rng.integers(0, 2, size=n),
            "dose": rng.uniform(0, 10, size=n).round(2),
            "sex": rng.choice(["f", "m"], size=n),
            "y": rng.choice(["no", "yes"], size=n),
        }
    )
    frame.loc[:49, ["gain", "sex"]] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    return read_declared([tmp_path / "t.csv"], ReadOptions(None, "y", DECLARED, None, 5))[0]


# Codes


def test_codes_come_back_as_values_of_the_same_cell(table):
    codes = Discrete.of(table.schema)
    coded = codes.coded(table)
    back = codes.decoded(coded, rng=stream(0, "cells"))
    pd.testing.assert_frame_equal(codes.coded(back), coded)
    assert list(back.frame["age"]) == list(table.frame["age"])
    assert list(back.frame["sex"].isna()) == list(table.frame["sex"].isna())


def test_the_domain_is_small_and_public(table):
    codes = Discrete.of(table.schema)
    sizes = list(codes.sizes.values())
    assert sizes[0] == EXACT + 1 and sizes[3:] == [3, 3] and max(sizes[1:3]) <= CELLS + 1
    coded = codes.coded(table)
    assert all(coded[name].between(0, size - 1).all() for name, size in codes.sizes.items())
    assert set(coded.loc[:49, "c1"]) == {codes.missing["c1"]} and set(coded.loc[:49, "c3"]) == {codes.missing["c3"]}
    assert Discrete.of(table.take(np.arange(3)).schema).sizes == codes.sizes


def test_the_lower_bound_has_a_cell_of_its_own(table):
    codes = Discrete.of(table.schema)
    zero = (table.frame["gain"] == 0).to_numpy()
    assert zero.any() and (codes.coded(table)["c1"] == 1).to_numpy()[zero].all()
    assert not (codes.coded(table)["c1"] == 1).to_numpy()[(table.frame["gain"] > 0).to_numpy()].any()


def test_values_are_drawn_evenly_within_their_cell(table):
    codes = Discrete.of(table.schema)
    one = pd.DataFrame({name: np.full(20_000, size - 1) for name, size in codes.sizes.items()})
    drawn = codes.decoded(one, rng=stream(0, "cells")).frame["dose"].to_numpy()
    assert drawn.mean() == pytest.approx((drawn.min() + drawn.max()) / 2, rel=0.01) and drawn.max() <= 10


# The error within groups


def test_the_error_within_groups_is_the_difference_of_their_shares():
    def grouped(shares: dict[str, float], n: int = 200) -> Table:
        frame = pd.DataFrame({"sex": np.repeat([*shares], n), "y": "no"})
        for group, share in shares.items():
            frame.loc[frame.index[frame["sex"] == group][: round(share * n)], "y"] = "yes"
        return from_frame(frame, ReadOptions(target="y"))[0]

    real = grouped({"f": 0.5, "m": 0.2})
    assert scores.subgroups(real, real, ["sex"]) == 0
    assert scores.subgroups(real, grouped({"f": 0.4, "m": 0.5}), ["sex"]) == pytest.approx(0.2)
    assert scores.subgroups(real, grouped({"f": 0.5}), ["sex"]) == pytest.approx(0.5)


# The command and its pages


@pytest.mark.parametrize("name", private.BOARDS)
def test_boards_are_declared(name, shared_data):
    board = private.BOARDS[name]
    table = board.load()
    assert len(table) == (board.rows or {"adult": 32_561, "diabetes130": 71_518}[name])
    assert len(np.unique(table.subjects)) == len(table)  # a record is a patient, for peers as well
    assert table.schema.where("target").name == board.target
    assert set(board.protected) <= set(table.frame) and all(c.bound == "declared" for c in table.schema.learned)


def test_a_peer_without_its_environment_is_told(table):
    budget = private.Budget.of(table, 1.0)
    assert budget.delta == pytest.approx(1_000**-1.1)
    if not (private.environment(private.PEERS["dpmm_mst"]) / "bin" / "python").exists():
        done = private.attempt("dpmm_mst", table, budget, seed=0, limits=private.Limits(60, 4))
        assert done.outcome == "failed" and "private-peers" in done.said


@pytest.mark.slow
def test_ours_pays_from_a_ledger_of_its_own(table):
    pytest.importorskip("opendp")
    done = private.attempt("pairwise", table, private.Budget.of(table, 10), seed=0, limits=private.Limits(300, 8))
    assert done.outcome == "finished" and len(done.synthetic) == len(table)


def test_contenders_are_named_one_by_one_or_by_side():
    assert private.contenders(["real", "pairwise"]) == [
        *results.PRIVATE_CONTROLS,
        *private.NAKED,
        "pairwise",
    ]
    assert private.contenders(["ours", "peers"]) == [*private.OURS, *private.PEERS]


@pytest.mark.parametrize("peer", private.PEERS.values(), ids=private.PEERS)
def test_a_peer_has_a_script_and_packages(peer):
    folder = ROOT / "bench" / "peers"
    assert (folder / peer.script).exists() and peer.package in (folder / f"{peer.environment}.txt").read_text()


def book() -> results.Book:
    def row(name: str, pair: float) -> results.Row:
        return results.Row(name, (results.Try("finished", values={"pair": pair, "tstr_gb": 1 - pair}),), {})

    late = results.Row("late", (results.Try("not finished", 700.0),), {})
    return {
        f"adult {epsilon:g}": results.Section("Adult", rows={r.name: r for r in (*rows, late)})
        for epsilon, rows in {
            10.0: [row("pairwise", 0.1), row(results.REAL, 0.05)],
            0.1: [row("pairwise", 0.3), row("peer", 0.4)],
        }.items()
    }


def test_a_curve_goes_from_the_least_epsilon_to_the_largest():
    found = {curve.name: curve.points for curve in private.curves(book(), "adult", "pair")}
    assert found == {"pairwise": ((0.1, 0.3), (10.0, 0.1)), "peer": ((0.1, 0.4),)}
    assert private.curves(book(), "adult-10k", "pair") == []


def test_the_picture_has_a_curve_for_each_generator_in_both_panels():
    drawn = ElementTree.fromstring(private.plot(book()))
    assert sum(one.tag.endswith("polyline") for one in drawn.iter()) == 4
    assert sum(one.tag.endswith("circle") for one in drawn.iter()) == 6


def test_the_page_goes_from_the_least_epsilon_to_the_largest(tmp_path):
    made = dict.fromkeys(("command", "commit", "versions", "machine"), "x")
    held = {
        name: results.Section(name, rows={key: results.Row(key, row.tries, made) for key, row in section.rows.items()})
        for name, section in book().items()
    }
    private.write(held, tmp_path / "private.md")
    text = (tmp_path / "private.md").read_text()
    assert text.index("## adult 0.1") < text.index("## adult 10")
    assert "not finished in 700 s" in text and (tmp_path / "private.svg").exists()
