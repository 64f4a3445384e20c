import torch

from semblance.learn.rules import Plain


def test_the_gradient_is_that_of_the_mean_and_its_norm_is_clipped() -> None:
    w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Plain(clip=1e9).backward(w.sum() * torch.tensor([2.0, 4.0]), [w])
    assert w.grad is not None
    assert w.grad.tolist() == [3.0, 3.0]
    w.grad = None
    Plain(clip=1.0).backward(w.sum() * torch.tensor([2.0, 4.0]), [w])
    assert abs(float(w.grad.norm()) - 1.0) < 1e-4
