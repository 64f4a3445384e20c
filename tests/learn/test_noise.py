import torch

from semblance.core.rng import stream
from semblance.learn.noise import noise_of


def test_the_same_stream_gives_the_same_noise_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    one, two, other = (torch.randn(4, generator=noise_of(stream(seed))) for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())
