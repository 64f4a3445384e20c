"""What is drawn, brought to the spread of what was learned.

A network that does not know all about records takes them for nearer to what is usual than they are, and each step of a
sample goes by that: drawn numbers vary less than learned ones, by as much as is not known (Ning et al., Elucidating the
Exposure Bias in Diffusion Models, ICLR 2024), however many steps there are. How much less is seen once, after training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

FEW, PATIENTS, HALF = 100, 5, 0.5
"""Different records, and patients, of a class below which it is spread as all are, and the share of its records above
which those of one patient would tell how far it is spread."""
MOST = 1.5
"""The largest gain, and the inverse of the least."""
FLAT = 1e-6
"""The least spread that is divided by."""


class Spread(nn.Module):
    """(n, numbers) drawn -> the same, farther from what a linear function says of those of their class and facts.

    `means` (classes + 1, numbers), the last of all, and `slopes` (facts, numbers) are that function, and `gains`
    (classes + 1, numbers) how much farther: one of each number, times one of each class, and the more of its records
    there are the nearer to those of its own numbers. Until it is fitted nothing changes, nor where all are few, nor for
    a class that nothing was drawn of.
    """

    means: torch.Tensor
    slopes: torch.Tensor
    gains: torch.Tensor

    def __init__(self, numbers: int, facts: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(classes + 1, numbers))
        self.register_buffer("slopes", torch.zeros(facts, numbers))
        self.register_buffer("gains", torch.ones(classes + 1, numbers))

    def forward(self, drawn: torch.Tensor, facts: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Of (n, numbers), beside (n, facts) and (n,) classes; the class `classes` is none."""
        usual = self.means[labels] + facts @ self.slopes
        return usual + self.gains[labels] * (drawn - usual)

    def fit(
        self, drawn: np.ndarray, learned: np.ndarray, facts: np.ndarray, labels: np.ndarray, subjects: np.ndarray
    ) -> None:
        """Of (n, numbers) drawn and learned numbers of the same (n, facts) and (n,) classes, of (n,) patients."""
        if not _enough(learned, subjects):
            return
        classes = len(self.means) - 1
        told = np.concatenate([labels[:, None] == np.arange(classes), facts], 1).astype(float)
        ways = [np.linalg.lstsq(told, rows.astype(float), rcond=None)[0] for rows in (drawn, learned)]
        left = [rows - told @ way for rows, way in zip((drawn, learned), ways, strict=True)]
        gains = np.tile(_ratio(*(np.square(rows).mean(0) for rows in left)), (classes + 1, 1))
        for kind in range(classes):
            of = labels == kind
            if not of.any():
                gains[kind] = 1.0
            elif _enough(learned[of], subjects[of]):
                one, other = (np.square(rows[of]) for rows in (gains[kind] * left[0], left[1]))
                alike, own, share = _ratio(one.mean(), other.mean()), _ratio(one.mean(0), other.mean(0)), of.mean()
                gains[kind] *= alike ** (1 - share) * own**share
        means = np.concatenate([ways[0][:classes], drawn.mean(0, keepdims=True) - facts.mean(0) @ ways[0][classes:]])
        for mine, found in ((self.means, means), (self.slopes, ways[0][classes:]), (self.gains, gains)):
            mine.copy_(torch.from_numpy(np.float32(found)))


def _enough(learned: np.ndarray, subjects: np.ndarray) -> bool:
    """Whether (n, numbers) records of (n,) patients tell of more than of one of these; some may be there repeatedly."""
    count = np.unique(subjects, return_counts=True)[1]
    told = len(count) >= PATIENTS and count.max() <= HALF * count.sum()
    return told and len(np.unique(learned, axis=0)) >= FEW


def _ratio(drawn: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """By how much the spread of these mean squares differs; 1 where nothing is drawn, or learned, but one number."""
    some = (drawn > FLAT**2) & (learned > FLAT**2)
    ratio: np.ndarray = np.where(some, np.sqrt(learned / np.where(some, drawn, 1.0)), 1.0).clip(1 / MOST, MOST)
    return ratio
