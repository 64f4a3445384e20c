from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import uniform_filter

from semblance.core.rng import stream
from semblance.learn.components import Components
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.stationary import Likelier, Texture
from tests.learn.learned import learned

SHAPE = (2, 8, 8)


def textures(n: int) -> np.ndarray:
    """Smooth noise, alike everywhere, whose two channels go together."""
    white = stream(n, "white").normal(size=(n, 1, 8, 8))
    smooth = 3 * uniform_filter(white, (1, 1, 3, 3), mode="reflect")
    other = 0.1 * stream(n, "other").normal(size=(n, 2, 8, 8))
    return (np.concatenate([smooth, 0.5 * smooth], 1) + other + 1).reshape(n, -1).astype(np.float32)


def test_a_record_is_taken_for_what_the_exact_posterior_says():
    rows = textures(4_000)
    net = Texture(SHAPE)
    net.be(rows)
    turn = torch.full((50, 1), 0.7)
    noisy = np.cos(0.7) * textures(50) + np.sin(0.7) * stream(0, "noise").normal(size=(50, 128))
    noisy = noisy.astype(np.float32)
    found = net(torch.from_numpy(noisy), turn).numpy()
    record = np.cos(0.7) * noisy + np.sin(0.7) * found
    mean, cover = rows.mean(0), np.cov(rows.T)
    pull = np.cos(0.7) * cover @ np.linalg.inv(np.cos(0.7) ** 2 * cover + np.sin(0.7) ** 2 * np.eye(128))
    exact = mean + (noisy - np.cos(0.7) * mean) @ pull.T
    assert np.abs(record - exact).mean() < 0.1 * np.abs(exact - mean).mean()


def test_the_likelier_gaussian_is_taken():
    alike = textures(60)
    apart = (stream(0, "one").normal(size=(60, 1)) * np.linspace(0, 2, 128) ** 4).astype(np.float32)
    for rows, textured in ((alike, 1.0), (apart + 0.01 * alike, 0.0)):
        found = Components.fit(learned(rows), most=4, rare=1, rng=stream(0, "components"))
        net = Likelier(Parts(128, 0, 1), SHAPE, 4)
        net.weigh(found, rows)
        assert float(net.textured) == textured
        again = Likelier(Parts(128, 0, 1), SHAPE, 4)
        again.load_state_dict(net.state_dict())
        x, turn, labels = torch.from_numpy(rows[:5]), torch.full((5, 1), 0.5), torch.zeros(5, dtype=torch.int64)
        assert torch.equal(net(x, turn, labels), again(x, turn, labels))
        assert net.most > 1
