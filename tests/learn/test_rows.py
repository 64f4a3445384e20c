import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.rows import Rows, held_out, kept_aside


def test_batches_are_the_records_of_the_index() -> None:
    rows = Rows(np.arange(12).reshape(6, 2), np.arange(6))
    assert rows.batch(np.array([4, 0])).tolist() == [[8, 9], [0, 1]]
    assert len(rows) == 6


def test_patients_are_kept_aside_whole() -> None:
    subjects = np.repeat(np.arange(300), 3)
    aside = kept_aside(subjects, share=0.1, rng=stream(0))
    assert aside.reshape(300, 3).all(1).sum() == aside.reshape(300, 3).any(1).sum() == 50
    assert kept_aside(np.arange(2000), share=0.1, rng=stream(0)).sum() == 200
    assert kept_aside(np.arange(100), share=0.05, rng=stream(0)).sum() == 20


def test_a_handful_of_patients_is_all_learned_from() -> None:
    assert not kept_aside(np.arange(19), share=0.5, rng=stream(0)).any()


def test_the_loss_aside_is_a_mean_over_records_under_the_same_noise_at_every_look() -> None:
    def noisy(records: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        return records[:, 0] + torch.rand(len(records), generator=noise)

    aside = torch.arange(10.0)[:, None]
    looks = [held_out(aside, noisy, part=4) for _ in range(2)]
    assert looks[0] == looks[1]
    assert held_out(aside, lambda records, noise: records[:, 0], part=4) == 4.5
    assert held_out(None, noisy, part=4) is None
