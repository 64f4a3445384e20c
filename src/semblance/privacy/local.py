"""Local differential privacy: a code is randomised at its source, and only what comes out is ever seen.

An answer is one of `size` codes, or that of nobody (-1), who is told from no code by more than the others are. Whatever
the code, no answer is more than e^epsilon times as likely as under another one. Few codes are answered by generalised
randomised response, many by optimised unary encoding (Wang, Blocki, Li & Jha, USENIX Security 2017), whichever has less
variance.

Randomness is the operating system's, and taken to be uniform bits. A coin compares 64 of them with a whole number, and
that number is rounded to the side on which the bound of e^epsilon holds, so it holds for the probabilities that are
realised and not only for those of the formula. How long an answer takes is not covered.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import cache

import numpy as np

from semblance.core.errors import UsageError
from semblance.privacy.noise import words

BITS = 64
DIGITS = 60
"""Decimal digits in which a probability is computed before it is rounded to BITS."""
BLOCK = 1 << 22
"""Coins that are tossed at once."""
LEAST, MOST = 1e-6, 1 << 24
"""The smallest epsilon and the most codes: beyond them coins of BITS bits are too coarse."""
LARGEST = 100.0
"""Larger epsilons count as this one: no coin of BITS bits could make use of them."""
NOBODY = -1


@dataclass(frozen=True)
class Randomiser(ABC):
    """Randomises codes in [0, size), or NOBODY, each on its own. Raises UsageError for a size or an epsilon that is
    none."""

    size: int
    epsilon: float

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST or not LEAST <= self.epsilon < math.inf:
            raise UsageError.of(
                f"an answer of {self.size} codes under epsilon {self.epsilon}",
                rule=f"codes are 1 to {MOST:,}, and epsilon is finite and at least {LEAST:g}",
                fix="correct it",
            )

    @property
    @abstractmethod
    def own(self) -> Fraction:
        """The probability, exactly, that the code of an answer is the true one."""

    @property
    @abstractmethod
    def other(self) -> Fraction:
        """The probability, exactly, that an answer holds one certain code that is not the true one."""

    @abstractmethod
    def answers(self, codes: np.ndarray) -> np.ndarray:
        """(n, size) bool: which codes the answer to each of (n,) codes holds. Nothing but this may leave the source."""

    @abstractmethod
    def likelihood(self, tally: np.ndarray, code: int, *, asked: int = 1) -> float:
        """The natural logarithm of how likely a tally (size,) of `asked` answers to one code is, in an order."""

    def tally(self, codes: np.ndarray) -> np.ndarray:
        """(size,) how many answers to (n,) codes hold each code; every one of them is randomised on its own."""
        rows = max(1, BLOCK // self.size)
        blocks = (self.answers(codes[start : start + rows]).sum(0) for start in range(0, len(codes), rows))
        return np.asarray(sum(blocks, np.zeros(self.size, dtype=np.int64)))

    def estimates(self, tally: np.ndarray, asked: int) -> np.ndarray:
        """(size,) unbiased estimates of how many of `asked` have each code; nobody has none."""
        own, other = float(self.own), float(self.other)
        found: np.ndarray = (tally - asked * other) / (own - other)
        return found

    def variance(self, asked: int, count: float = 0.0) -> float:
        """The variance of such an estimate where `count` of `asked` have the code (Wang et al. 2017, equation 4)."""
        own, other = float(self.own), float(self.other)
        spread = (asked - count) * other * (1 - other) + count * own * (1 - own)
        return spread / (own - other) ** 2


@dataclass(frozen=True)
class Unary(Randomiser):
    """Optimised unary encoding: a bit for each code. The true one is on with one half, any other with about
    1 / (e^epsilon + 1)."""

    @property
    def own(self) -> Fraction:
        """One half."""
        return Fraction(1, 2)

    @property
    def other(self) -> Fraction:
        """Rounded up: (1 - other) / other <= e^epsilon."""
        return Fraction(self._level, 1 << BITS)

    @property
    def _level(self) -> int:
        up, down = (Context(prec=DIGITS, rounding=way) for way in (ROUND_CEILING, ROUND_FLOOR))
        return _ceiling(up.divide(Decimal(1 << BITS), down.add(_power(self.epsilon), Decimal(1))))

    def answers(self, codes: np.ndarray) -> np.ndarray:
        """Each bit is a coin of its own."""
        found = _coins((len(codes), self.size)) < np.uint64(self._level)
        held = np.flatnonzero(codes != NOBODY)
        found[held, codes[held]] = _coins((len(held),)) < np.uint64(1 << (BITS - 1))
        return found

    def likelihood(self, tally: np.ndarray, code: int, *, asked: int = 1) -> float:
        """The product over bits."""
        on = np.full(self.size, float(self.other))
        if code != NOBODY:
            on[code] = 0.5
        return float(tally @ np.log(on) + (asked - tally) @ np.log(1 - on))


@dataclass(frozen=True)
class Response(Randomiser):
    """Generalised randomised response: the true code with about e^epsilon / (e^epsilon + size), or another one evenly.
    Nobody is one more code; an answer that holds none says so."""

    @property
    def own(self) -> Fraction:
        """Rounded down: own / other <= e^epsilon."""
        return Fraction(self._level, 1 << BITS)

    @property
    def other(self) -> Fraction:
        """What is left, in even parts."""
        return (1 - self.own) / self.size

    @property
    def _level(self) -> int:
        down, up = (Context(prec=DIGITS, rounding=way) for way in (ROUND_FLOOR, ROUND_CEILING))
        # 1 / (1 + size / e^epsilon)
        beside = up.add(up.divide(Decimal(self.size), _power(self.epsilon)), Decimal(1))
        return int(down.divide(Decimal(1 << BITS), beside))

    def answers(self, codes: np.ndarray) -> np.ndarray:
        """The true code or another one, as one that is on among those that are off."""
        true = np.where(codes == NOBODY, self.size, codes)
        other = _below(self.size, len(codes))
        other += other >= true
        said = np.where(_coins((len(codes),)) < np.uint64(self._level), true, other)
        return np.asarray(said[:, None] == np.arange(self.size))

    def likelihood(self, tally: np.ndarray, code: int, *, asked: int = 1) -> float:
        """The product over answers, that of nobody included."""
        said = np.append(tally, asked - tally.sum())
        chances = np.full(self.size + 1, float(self.other))
        chances[code] = float(self.own)  # nobody, -1, comes last
        return float(said @ np.log(chances))


def randomiser(size: int, epsilon: float) -> Randomiser:
    """The one with less variance for `size` codes: randomised response below 3 e^epsilon + 2 of them, nobody included.

    Raises UsageError for a size or an epsilon that is none.
    """
    found = Response(size, epsilon)
    return found if math.log(max(size + 1 - 2, 1) / 3) < epsilon else Unary(size, epsilon)


@cache
def _power(epsilon: float) -> Decimal:
    """A lower bound of e^epsilon, of the very float that epsilon is: `exp` is rounded correctly."""
    near = Context(prec=DIGITS)
    return near.next_minus(near.exp(Decimal(min(epsilon, LARGEST))))


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))


def _coins(shape: tuple[int, ...]) -> np.ndarray:
    """Whole numbers of 64 bits, evenly, from the operating system."""
    return words(math.prod(shape)).reshape(shape)


def _below(limit: int, count: int) -> np.ndarray:
    """(count,) whole numbers in [0, limit), exactly evenly: what would favour some of them is drawn again."""
    usable = (1 << BITS) - (1 << BITS) % limit
    found = _coins((count,)).copy()
    while usable < 1 << BITS and (again := np.flatnonzero(found >= np.uint64(usable))).size:
        found[again] = _coins((again.size,))
    return (found % np.uint64(limit)).astype(np.int64)
