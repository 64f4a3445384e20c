"""Noise from the operating system's randomness. No seed reaches it: whoever knows the noise knows the data."""

from __future__ import annotations

import math
import os
import secrets

import numpy as np

from semblance.core.need import need

FAR = 10.0
"""Standard deviations beyond a point of which the noise holds next to nothing of what it has above that point."""
ROUNDED = 1e-9
"""Relative error that such a sum has at most."""


def system() -> np.random.Generator:
    """Randomness that nobody can repeat, for what is drawn beside a record: who is chosen, in which order."""
    return np.random.default_rng(secrets.randbits(128))


def noised(counts: np.ndarray, *, sigma: float) -> np.ndarray:
    """Integer counts plus exact discrete Gaussian noise (Canonne, Kamath & Steinke 2020), by OpenDP's sampler."""
    dp = need("opendp.prelude", extra="private", why="noise for differential privacy")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    measure = dp.m.make_gaussian(*space, scale=float(sigma))
    flat = np.asarray(counts, dtype=np.int64).ravel()
    return np.array(measure(flat.tolist()), dtype=np.int64).reshape(np.shape(counts))


def moved(cells: int, deviation: float) -> float:
    """The expected total variation that normal noise of such a deviation makes in so many shares."""
    return cells * deviation * math.sqrt(2 / math.pi) / 2


def tails(most: int, *, sigma: float) -> np.ndarray:
    """(most + 1,) the probabilities that discrete Gaussian noise is 0, 1, ... or more, rounded up.

    They are sums of its probability mass, which is exp(-x^2 / 2 sigma^2) on the whole numbers x but for a constant.
    """
    reach = most + math.ceil(FAR * sigma) + 1
    mass = np.exp(-((np.arange(reach + 1) / sigma) ** 2) / 2)
    found: np.ndarray = np.cumsum(mass[::-1])[::-1][: most + 1] / (2 * mass.sum() - mass[0]) * (1 + ROUNDED)
    return found


def threshold(*, sigma: float, delta: float) -> int:
    """The least whole number that the noisy count of one lone patient reaches with a probability of at most `delta`.

    Noise with a hard threshold keeps (epsilon, delta) over an unbounded domain (Korolova et al., WWW 2009;
    Desfontaines, Voss, Gipson & Mandayam, PoPETs 2022). Google's library takes the quantile of normal noise, this is
    the discrete one; it is found, since no tail is above exp(-x^2 / 2 sigma^2) (Canonne, Kamath & Steinke 2020).
    """
    most = math.ceil(sigma * math.sqrt(2 * math.log(1 / delta))) + 1
    return 1 + int(np.argmax(tails(most, sigma=sigma) <= delta))


def common(counts: np.ndarray, *, sigma: float, delta: float) -> np.ndarray:
    """(k,) noisy counts of values that patients hold, each patient one of them; 0 for those that are not to be told.

    What nobody holds gets no noise, since nobody knows what there might be: it is never told, and a value of one lone
    patient is with a probability of at most `delta` (`threshold`).
    """
    held, found = np.flatnonzero(counts > 0), np.zeros(len(counts), dtype=np.int64)
    noisy = noised(counts[held], sigma=sigma)
    found[held] = np.where(noisy >= threshold(sigma=sigma, delta=delta), noisy, 0)
    return found


def chosen(subjects: np.ndarray, *, most: int) -> np.ndarray:
    """(n,) bool: at most `most` records of each patient, chosen at random."""
    order = system().permutation(len(subjects))
    ranked = order[np.argsort(subjects[order], kind="stable")]
    owner = subjects[ranked]
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]])) if len(owner) else np.zeros(0, int)
    place = np.arange(len(owner)) - np.repeat(starts, np.diff(np.append(starts, len(owner))))
    kept = np.zeros(len(subjects), dtype=bool)
    kept[ranked[place < most]] = True
    return kept


def seated(subjects: np.ndarray, *, seats: int) -> np.ndarray:
    """(seats,) in an order of chance, the row of one record of each patient, and -1 for the seats that stay empty.

    Of more patients than seats, chance leaves some out. So their number is public, and one patient more or less changes
    what one of them holds.
    """
    rows = np.flatnonzero(chosen(subjects, most=1))
    empty = np.full(max(seats - len(rows), 0), -1, dtype=np.int64)
    return system().permutation(np.concatenate([rows, empty]))[:seats]


def tossed(subjects: np.ndarray, *, share: float) -> np.ndarray:
    """(n,) bool: for every patient a coin that falls on True with probability `share`; the same for all its records."""
    _, owner = np.unique(subjects, return_inverse=True)
    found: np.ndarray = (system().random(int(owner.max(initial=-1)) + 1) < share)[owner]
    return found


def normal(count: int) -> np.ndarray:
    """(count,) float32 standard normal numbers by Box & Muller (1958), their distance from 0 from 53 random bits.

    They are floating-point numbers, which are not quite Gaussian: their last bits may tell what they were added to
    (Mironov, CCS 2012). Where they hide something, that is an assumption to be stated.
    """
    half = (count + 1) // 2
    radius = np.sqrt(-2 * np.log(_uniform(half))).astype(np.float32)
    turn = (2 * np.pi * _uniform(half)).astype(np.float32)
    return np.concatenate([radius * np.cos(turn), radius * np.sin(turn)])[:count]


def _uniform(count: int) -> np.ndarray:
    """(count,) numbers in (0, 1), never at an end."""
    found: np.ndarray = ((words(count) >> np.uint64(11)) + 0.5) * 2.0**-53
    return found


def words(count: int) -> np.ndarray:
    """(count,) 64 random bits each."""
    return np.frombuffer(os.urandom(8 * count), dtype=np.uint64)


def sampled(count: int, *, rate: float) -> np.ndarray:
    """Which of `count` are in a Poisson sample: each by a coin of its own that falls on yes with probability `rate`."""
    if rate >= 1:
        return np.arange(count)
    return np.flatnonzero(words(count) < np.uint64(rate * 2.0**64))
