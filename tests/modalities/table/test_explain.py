from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.explain import DRAWN, Graph, contributions, graph

SHARE = np.array([0.3, 0.7])
JOINT = np.zeros((2, 2, 2))  # a, b, c: c repeats a nine times out of ten, b is on its own
for a in range(2):
    for b in range(2):
        for c in range(2):
            JOINT[a, b, c] = SHARE[a] * 0.5 * (0.9 if a == c else 0.1)


@dataclass(frozen=True)
class Exact:
    """A joint table as a model."""

    chain: tuple[int, ...] = (0, 1, 2)

    @property
    def encoding(self) -> SimpleNamespace:
        return SimpleNamespace(fields=[SimpleNamespace(name=name) for name in "abc"])

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        rows = []
        for record in known:
            held = JOINT[tuple(slice(None) if v < 0 or j == column else slice(v, v + 1) for j, v in enumerate(record))]
            share = held.sum(tuple(j for j in range(3) if j != column))
            rows.append(share / share.sum())
        return np.array(rows)

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        return np.column_stack(np.unravel_index(rng.choice(8, size=n, p=JOINT.ravel()), (2, 2, 2)))


def test_the_say_of_a_column_is_how_much_likelier_it_makes_the_value() -> None:
    say = contributions(Exact(), np.array([[0, 1, 0], [0, 1, 1]]))
    likely = JOINT.sum((0, 1))
    assert say[0, 2, 0] == pytest.approx(np.log(0.9 / likely[0]))
    assert say[1, 2, 0] == pytest.approx(np.log(0.1 / likely[1]))


def test_a_column_on_its_own_has_no_say_and_later_ones_none_in_earlier() -> None:
    say = contributions(Exact(), Exact().draw(50, rng=stream(0)))
    assert np.abs(say[:, 2, 1]).max() < 1e-12
    assert np.abs(say[:, 0]).max() == 0
    assert np.abs(say[:, 1, 2]).max() == 0


def test_the_order_of_the_chain_decides_who_speaks() -> None:
    say = contributions(Exact(chain=(2, 0, 1)), np.array([[0, 0, 0]]))
    assert say[0, 0, 2] > 0
    assert say[0, 2, 0] == 0


def test_edges_are_conditional_mutual_information() -> None:
    found = Graph.of(Exact(), rng=stream(1))
    ((parent, child, weight),) = found.edges
    ac = JOINT.sum(1)
    information = (ac * np.log(ac / np.outer(ac.sum(1), ac.sum(0)))).sum()
    assert (parent, child) == (0, 2)
    assert weight == pytest.approx(information, abs=4 / np.sqrt(DRAWN))
    assert found.to_json()["names"] == ["a", "b", "c"]


def test_a_model_without_a_chain_has_no_graph() -> None:
    assert graph(object(), rng=stream(0)) is None
    assert graph(Exact(), rng=stream(0)) == Graph.of(Exact(), rng=stream(0)).to_json()
