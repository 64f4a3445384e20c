from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.drawn import Text
from semblance.learn.nets.conditioned import Conditioned, Parts
from semblance.learn.nets.text import TextReader
from semblance.learn.nets.unet import UNet
from semblance.learn.noise import noise_of
from semblance.learn.objectives.guided import Guided

CODES = torch.tensor([[1.0, 2, 3, 0], [3, 2, 1, 0], [1, 2, 3, 4], [0, 0, 0, 0]])


def reader() -> TextReader:
    made, noise = TextReader(Text(4, 5), 8), noise_of(stream(0, "weights"))
    with torch.no_grad():
        for weight in made.parameters():
            weight.normal_(0, 0.5, generator=noise)
    return made


def test_a_text_is_its_words_in_their_order_and_no_words_are_nothing():
    said = reader()(CODES)
    assert not torch.allclose(said[0], said[1], atol=1e-3) and not torch.allclose(said[0], said[2], atol=1e-3)
    assert not said[3].any() and torch.isfinite(said).all()


def test_what_follows_the_last_word_has_no_part_in_it():
    made = reader()
    said = made(CODES)
    with torch.no_grad():
        made.words[0] += 100
        made.places[3] += 100
    assert torch.allclose(made(CODES)[:2], said[:2], atol=1e-5)


def test_texts_without_words_leave_finite_slopes():
    made = reader()
    made(CODES).square().sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in made.parameters())


@pytest.mark.parametrize("kind", ["numbers", "pixels"])
def test_a_text_counts_for_nothing_where_nothing_is_known(kind):
    parts = Parts(16, 5, 2, text=Text(4, 5))
    net = Conditioned(parts, width=8, blocks=1) if kind == "numbers" else UNet(parts, (1, 4, 4), width=4, components=0)
    net.start(np.zeros((3, 5), np.float32), np.ones((3, 16), np.float32), rng=stream(0, "start"))
    noise = noise_of(stream(0, "weights"))
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(0, 0.3, generator=noise)
    given, x, level = torch.cat([torch.ones(4, 1), CODES], 1), torch.ones(4, 16), torch.full((4,), 0.5)
    known, unknown = (net(x, level, given, torch.full((4,), label)) for label in (0, 2))
    assert torch.allclose(unknown[0], unknown[1], atol=1e-5) and not torch.allclose(known[0], known[1], atol=1e-3)


def test_a_text_is_left_out_by_itself_as_often_as_all_is():
    parts = Parts(2, 4, 1, text=Text(4, 5))
    seen: list[torch.Tensor] = []

    class Seeing(Conditioned):
        def forward(self, x, level, given, labels):
            seen.append(torch.stack([given.any(1), labels < 1], 1))
            return super().forward(x, level, given, labels)

    net = Seeing(parts, width=8, blocks=1)
    net.start(np.ones((3, 4), np.float32), np.ones((3, 2), np.float32), rng=stream(0, "start"))
    rows = torch.from_numpy(parts.join(np.zeros((4000, 2)), np.ones((4000, 4)), np.zeros(4000)))
    Guided(net, drop=0.2).loss(rows, noise_of(stream(0, "noise")))
    there, known = seen[0].float().mean(0).tolist()
    assert abs(there - 0.8) < 0.03 and abs(known - 0.8) < 0.03
    assert abs(float(seen[0].all(1).float().mean()) - 0.64) < 0.03  # the one does not depend on the other
