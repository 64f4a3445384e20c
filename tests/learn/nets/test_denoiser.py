import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.denoiser import Denoiser
from semblance.learn.packed import Layout

LAYOUT = Layout(np.array([True, False, False]), np.array([2, 3]), owner=np.array([-1]), first=np.array([0]))


def denoiser() -> Denoiser:
    net = Denoiser(LAYOUT, width=16, blocks=1)
    net.start(np.log([0.5, 0.5, 0.2, 0.3, 0.5]).astype(np.float32), rng=stream(0))
    return net


def test_outputs_are_numbers_and_logits_of_every_value() -> None:
    clean, logits = denoiser()(torch.zeros(4, 1), torch.tensor([[5, 6]] * 4), torch.zeros(4))
    assert clean.shape == (4, 1)
    assert logits.shape == (4, 5)


def test_the_first_weights_follow_from_the_seed_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state().clone()
    one, two = denoiser().state_dict(), denoiser().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(before, torch.get_rng_state())


def test_a_choice_and_the_noise_level_change_what_is_said() -> None:
    net, x = denoiser(), torch.zeros(1, 1)
    base = net(x, torch.tensor([[5, 6]]), torch.zeros(1))[1]
    assert not torch.allclose(base, net(x, torch.tensor([[0, 6]]), torch.zeros(1))[1])
    assert not torch.allclose(base, net(x, torch.tensor([[5, 6]]), torch.ones(1))[1])
