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
    logits = objective.net(torch.tensor([[9, 4, 11]]), torch.tensor([[-1, 2, -1]]))
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
    real = np.column_stack([stream(4, j).choice(len(share), size=40_000, p=share) for j, share in enumerate(asked)])
    objective.calibrate(real, stream(1).random((20_000, 3)))
    drawn = objective.sample(stream(2).random((50_000, 3)))
    for j, share in enumerate(asked):
        assert np.abs(np.bincount(drawn[:, j], minlength=len(share)) / 50_000 - share).max() < 0.01


def linked() -> tuple[AnyOrder, np.ndarray]:
    """Two digits of one column and a third column; the fine digit depends on the coarse one alone."""
    coarse = stream(0).integers(0, 3, 30_000)
    fine = (coarse + stream(1).integers(0, 2, 30_000)) % 4
    other = (stream(2).random(30_000) < 0.2 + 0.3 * (coarse == 1)).astype(int)
    codes = np.column_stack([coarse, fine, other])
    net = MaskedNet(np.array([3, 4, 2]), width=16, blocks=1, links={1: (0,)})
    net.start(
        np.log([*[1 / 3] * 3, *[1 / 4] * 4, 0.7, 0.3]).astype(np.float32),
        [np.full(n, np.nan) for n in (3, 4, 2)],
        rng=stream(3),
    )
    net.start_links(codes)
    return AnyOrder(net, np.array([2, 0, 1]), ordered=0.5, after={1: (0,)}), codes


def test_a_link_says_before_training_what_two_columns_say_of_each_other() -> None:
    objective, codes = linked()
    share = objective.conditional(np.array([[1, -1, -1]]), 1)[0]
    real = np.bincount(codes[codes[:, 0] == 1, 1], minlength=4) / (codes[:, 0] == 1).sum()
    assert np.abs(share - real).max() < 0.1


def test_a_fine_digit_is_never_known_without_its_coarse_one() -> None:
    masked = linked()[0].masks(5_000, torch.Generator().manual_seed(0))
    assert not (masked[:, 0] & ~masked[:, 1]).any()


def test_what_is_known_is_kept_and_the_rest_follows_from_it() -> None:
    objective, codes = linked()

    class Source:
        subjects = np.arange(len(codes))

        def batch(self, index: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(codes[index])

    for _ in train_loop(objective, Source(), Plain(), TrainPlan(steps=300, batch=128), rng=stream(2)):
        pass
    known = np.tile([1, -1, -1], (20_000, 1))
    known[:10_000, 2] = 1
    drawn = objective.sample(stream(5).random((20_000, 3)), known)
    assert (drawn[:, 0] == 1).all()
    assert (drawn[:10_000, 2] == 1).all()
    assert abs(drawn[10_000:, 2].mean() - 0.5) < 0.05
    assert np.isin(drawn[:, 1], [1, 2]).mean() > 0.97


def test_links_are_calibrated_within_each_value_of_their_parents() -> None:
    objective, codes = linked()
    objective.calibrate(codes, stream(1).random((20_000, 3)))
    drawn = objective.sample(stream(2).random((50_000, 3)))
    real, made = (np.bincount(c[:, 0] * 4 + c[:, 1], minlength=12) / len(c) for c in (codes, drawn))
    assert np.abs(real - made).sum() / 2 < 0.02


def test_looking_once_at_records_that_are_alike_changes_nothing() -> None:
    objective, uniform = any_order([2, 3, 4]), stream(0).random((3000, 3))
    unknown = np.full((3000, 3), -1)
    assert np.array_equal(objective.sample(uniform), objective.sample(uniform, unknown))


def test_conditionals_are_those_of_the_samples() -> None:
    objective = any_order([2, 3, 4])
    share = objective.conditional(np.array([[-1, 2, -1]]), 0)[0]
    known = np.tile([-1, 2, 3], (40_000, 1))
    drawn = objective.sample(stream(1).random((40_000, 3)), known)[:, 0].mean()
    both = objective.conditional(np.array([[-1, 2, 3]]), 0)[0]
    assert share.sum() == pytest.approx(1)
    assert abs(drawn - both[1]) < 0.01
