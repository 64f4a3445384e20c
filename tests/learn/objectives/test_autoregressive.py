import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.masked import MaskedNet
from semblance.learn.objectives.autoregressive import AnyOrder
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop


def any_order(sizes: list[int], *, ordered: float = 0.2) -> AnyOrder:
    net = MaskedNet(np.array(sizes), width=32, blocks=2)
    net.start(np.zeros(sum(sizes), dtype=np.float32), [np.full(n, np.nan) for n in sizes], rng=stream(0))
    return AnyOrder(net, np.arange(len(sizes))[::-1].copy(), ordered=ordered)


def test_the_loss_is_the_mean_cross_entropy_of_the_masked_columns() -> None:
    objective, codes = any_order([2, 3, 4]), torch.tensor([[1, 2, 3]])
    masked = torch.tensor([[True, False, True]])
    logits = objective.net(torch.tensor([[9, 4, 11]]))
    parts = ((0, 0, 2), (2, 5, 9))
    by_hand = torch.stack([torch.nn.functional.cross_entropy(logits[:, a:b], codes[:, j]) for j, a, b in parts])
    loss = objective._loss(objective.net, codes, masked).item()
    assert loss == pytest.approx(by_hand.sum().item() / 2, abs=1e-5)


def test_every_row_masks_something_and_the_number_is_uniform() -> None:
    masked = any_order([2] * 5).masks(20_000, torch.Generator().manual_seed(0)).sum(1)
    share = np.bincount(masked.numpy(), minlength=6) / 20_000
    assert share[0] == 0
    assert np.abs(share[1:] - 0.2).max() < 0.02


def test_ordered_rows_mask_a_suffix_of_the_sampling_order() -> None:
    objective = any_order([2] * 4, ordered=1.0)
    masked = objective.masks(500, torch.Generator().manual_seed(0)).numpy()[:, objective.order]
    assert (np.diff(masked.astype(int), axis=1) >= 0).all()


def test_a_joint_distribution_is_learned_and_sampled() -> None:
    joint = np.array([[0.3, 0.05, 0.05], [0.02, 0.08, 0.5]])
    flat = stream(1).choice(6, size=8000, p=joint.ravel())
    codes = torch.from_numpy(np.column_stack([flat // 3, flat % 3]))

    class Source:
        subjects = np.arange(8000)

        def batch(self, index: np.ndarray) -> torch.Tensor:
            return codes[torch.from_numpy(index)]

    objective = any_order([2, 3])
    for _ in train_loop(objective, Source(), Plain(), TrainPlan(steps=400, batch=128), rng=stream(2)):
        pass
    drawn = objective.sample(stream(3).random((20_000, 2)))
    share = np.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=6) / 20_000
    assert np.abs(share - joint.ravel()).sum() / 2 < 0.03


def test_a_record_does_not_depend_on_its_batch() -> None:
    objective, uniform = any_order([2, 3, 4]), stream(0).random((5000, 3))
    assert np.array_equal(objective.sample(uniform)[:100], objective.sample(uniform[:4096])[:100])


def test_calibration_gives_samples_the_asked_marginals() -> None:
    objective = any_order([2, 3, 4])
    asked = [np.array([0.9, 0.1]), np.array([0.2, 0.3, 0.5]), np.array([0.7, 0.1, 0.1, 0.1])]
    objective.calibrate(asked, stream(1).random((20_000, 3)))
    drawn = objective.sample(stream(2).random((50_000, 3)))
    for j, share in enumerate(asked):
        assert np.abs(np.bincount(drawn[:, j], minlength=len(share)) / 50_000 - share).max() < 0.01
