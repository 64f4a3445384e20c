import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.variational import Variational
from semblance.learn.packed import Layout

LAYOUT = Layout(np.array([True, False, False]), np.array([2, 3]), owner=np.array([-1]), first=np.array([0]))


def test_looking_rows_up_equals_a_linear_layer_over_one_hots() -> None:
    net = Variational(LAYOUT, widths=(8, 8), latent=3)
    net.start(np.zeros(5, dtype=np.float32), rng=stream(0))
    numbers, rows = torch.tensor([[0.7]]), torch.tensor([[1, 3]])
    one_hot = torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0]])
    hidden = net.numbers(numbers) + one_hot @ net.rows
    mean, log_variance = net.deep(torch.relu(hidden)).chunk(2, 1)
    assert torch.allclose(net.encode(numbers, rows)[0], mean)
    assert torch.allclose(net.encode(numbers, rows)[1], log_variance)


def test_choices_start_at_their_shares() -> None:
    net = Variational(LAYOUT, widths=(8, 8), latent=3)
    net.start(np.log([0.9, 0.1, 0.2, 0.3, 0.5]).astype(np.float32), rng=stream(0))
    shares = net.decode(torch.zeros(1, 3))[1][:, :2].softmax(1)
    assert shares[0, 0] > 0.8
