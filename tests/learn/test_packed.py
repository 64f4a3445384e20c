import numpy as np
import pytest
import torch

from semblance.learn.packed import Layout


def layout() -> Layout:
    """A number that is there where the choice beside it is 1 or 2, a choice of 3, and one of 2."""
    return Layout(np.array([True, False, False]), np.array([3, 2]), owner=np.array([0]), first=np.array([1]))


PACKED = torch.tensor([[0.5, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.5, 1.0, 0.0]])


def test_joining_undoes_splitting() -> None:
    numbers, rows = layout().split(PACKED)
    assert rows.tolist() == [[2, 4], [0, 3], [1, 3]]
    assert torch.equal(layout().join(numbers, rows), PACKED)


def test_a_number_is_there_where_its_choice_says() -> None:
    assert layout().present(layout().split(PACKED)[1]).tolist() == [[True], [False], [True]]


def test_surprise_is_the_cross_entropy_of_each_choice() -> None:
    logits, (_, rows) = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)), layout().split(PACKED)
    by_hand = torch.stack(
        [
            torch.nn.functional.cross_entropy(part, rows[:, j] - start, reduction="none")
            for j, (part, start) in enumerate([(logits[:, :3], 0), (logits[:, 3:], 3)])
        ],
        1,
    )
    assert torch.allclose(layout().surprise(logits, rows), by_hand, atol=1e-6)


def test_choices_are_drawn_with_their_shares() -> None:
    logits = torch.log(torch.tensor([0.2, 0.3, 0.5, 0.9, 0.1])).expand(20_000, -1)
    drawn = layout().draw(logits, 1, torch.Generator().manual_seed(0))
    assert (drawn == 4).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert set(drawn.tolist()) == {3, 4}


def test_shares_and_moments_are_those_of_the_records() -> None:
    shares = np.exp(layout().log_shares(PACKED.numpy()))
    assert shares == pytest.approx([1 / 3, 1 / 3, 1 / 3, 2 / 3, 1 / 3])
    mean, spread = layout().moments(PACKED.numpy())
    assert mean.item() == pytest.approx(-0.5)
    assert spread.item() == pytest.approx(1.0)
