"""Short texts of images: which words are learned, which texts new images have, and what a network is told of them.

A text is a few words in lower case, in their order. A word is learned where at least `rare` patients have it, so that a
name or a number of one patient is none; others are left out of a text as if they were not there. New images have texts
that, so read, at least `rare` patients of their label have; where theirs is rarer, they have none. Any text of learned
words may be asked for, also one that nobody has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import Problem
from semblance.learn.drawn import Text

LENGTH, MOST = 16, 256
"""Words of a text, and different words of all texts, at most; the most frequent ones."""
SMOOTH = 0.5
"""Images more, of each label, that have a word and that do not."""
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")


def words_of(text: Any) -> list[str]:
    """The words of a text, accents as single letters; none of a missing one."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower()) if isinstance(text, str) else []


@dataclass(frozen=True, eq=False)
class Prompts:
    """The `words` of the texts of the column `name`, and of each label (k,) the `texts` that new images have, with
    their `shares`; with what is left of 1 they have none. `told` (k, words) is the share of its images with a word,
    as if none had one that fewer than `rare` of its patients have."""

    name: str
    words: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    shares: tuple[tuple[float, ...], ...]
    told: np.ndarray

    @classmethod
    def fit(cls, column: pd.Series, classes: np.ndarray, kinds: int, subjects: np.ndarray, *, rare: int) -> Prompts:
        """Of the texts (n,) of images of these classes, `kinds` in all, and of these patients."""
        read = [words_of(text) for text in column.astype(object)]
        words = _common(pd.Series([sorted(set(one)) for one in read]).explode(), subjects, rare)[:MOST]
        blank = cls(str(column.name), tuple(words), (), (), np.zeros((kinds, len(words))))
        texts = pd.Series([blank.text(one) for one in read])
        has = np.zeros((len(texts), len(words) + 1), dtype=bool)
        np.put_along_axis(has, blank.codes(texts).astype(np.int64), True, 1)
        each = [_texts_of(texts[classes == k], subjects[classes == k], rare) for k in range(kinds)]
        told = [_shares(has[classes == k, 1:], subjects[classes == k], rare) for k in range(kinds)]
        kept, shares = tuple(one for one, _ in each), tuple(one for _, one in each)
        return cls(blank.name, blank.words, kept, shares, np.array(told).reshape(kinds, len(words)))

    @property
    def form(self) -> Text | None:
        """What a network reads; None where no word is learned."""
        return Text(LENGTH, len(self.words)) if self.words else None

    def text(self, words: Sequence[str]) -> str:
        """The first LENGTH learned words, in their order, as a text."""
        return " ".join([word for word in words if word in set(self.words)][:LENGTH])

    def codes(self, column: pd.Series) -> np.ndarray:
        """(n, LENGTH) float32 codes of the words of texts (n,), from 1, then 0; nothing where no word is learned."""
        codes = {word: i for i, word in enumerate(self.words, start=1)}
        made = np.zeros((len(column), LENGTH if self.words else 0), dtype=np.float32)
        for row, text in enumerate(column.astype(object)):
            known = [codes[word] for word in words_of(text) if word in codes][:LENGTH]
            made[row, : len(known)] = known
        return made

    def draw(self, classes: np.ndarray, *, rng: np.random.Generator) -> pd.Categorical:
        """(n,) texts of new images of these classes."""
        every, place = sorted({text for texts in self.texts for text in texts}), rng.random(len(classes))
        made = np.full(len(classes), None, dtype=object)
        for k, (texts, shares) in enumerate(zip(self.texts, self.shares, strict=True)):
            at = np.searchsorted(np.cumsum(shares), place, side="right")
            for row in np.flatnonzero((classes == k) & (at < len(texts))):
                made[row] = texts[at[row]]
        return pd.Categorical(made, categories=pd.Index(every, dtype="str"))

    def of(self, text: str, n: int) -> pd.Categorical:
        """(n,) times a text that is asked for."""
        return pd.Categorical([self.text(words_of(text))] * n)

    def likely(self, text: str, shares: np.ndarray) -> np.ndarray:
        """(k,) shares of labels among images of a text, by its words as if they came each by itself (naive Bayes)."""
        at = [self.words.index(word) for word in set(words_of(text)) if word in self.words]
        made: np.ndarray = np.asarray(shares) * self.told[:, at].prod(1)
        return made / made.sum()

    def strange(self, asked: Any) -> list[Problem]:
        """What is wrong with a text that is asked for."""
        if not isinstance(asked, str) or not words_of(asked):
            rule, fix = "one text of learned words", f'given={{"{self.name}": "{" ".join(self.words[:3])}"}}'
            return [Problem("no text", rule, fix, self.name)]
        lost, count = sorted(set(words_of(asked)) - set(self.words)), len(words_of(asked))
        rule, fix = "words that enough patients have, in lower case or not", f"of: {', '.join(self.words)}"
        found = [Problem(f"words that the model does not know: {', '.join(lost)}", rule, fix, self.name)]
        long = Problem(f"a text of {count} words", f"at most {LENGTH} are read", "shorten it", self.name)
        return (found if lost else []) + ([long] if count > LENGTH else [])

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        told = {"name": self.name, "words": list(self.words), "told": self.told.tolist()}
        return {**told, "texts": list(map(list, self.texts)), "shares": list(map(list, self.shares))}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Prompts:
        """The inverse of `to_json`."""
        texts, shares = (tuple(map(tuple, told[key])) for key in ("texts", "shares"))
        known = np.array(told["told"], dtype=float).reshape(len(texts), len(told["words"]))
        return cls(told["name"], tuple(told["words"]), texts, shares, known)


def _common(values: pd.Series, subjects: np.ndarray, rare: int) -> list[str]:
    """The values that at least `rare` patients have, those of most patients first; values are indexed by record."""
    known = values.dropna()
    count = pd.Series(subjects[known.index.to_numpy(dtype=int)]).groupby(known.to_numpy(dtype=object)).nunique()
    return [str(value) for value in count[count >= rare].sort_values(ascending=False, kind="stable").index]


def _texts_of(texts: pd.Series, subjects: np.ndarray, rare: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The texts that enough patients have, and their shares."""
    texts = texts.reset_index(drop=True)
    kept = tuple(text for text in _common(texts, subjects, rare) if text)
    return kept, tuple(float((texts == text).mean()) for text in kept)


def _shares(has: np.ndarray, subjects: np.ndarray, rare: int) -> np.ndarray:
    """(words,) the shares of images that have a word (n, words); of words of too few patients as if none had them."""
    enough = [len(np.unique(subjects[mine])) >= rare for mine in has.T]
    made: np.ndarray = (np.where(enough, has.sum(0), 0) + SMOOTH) / (len(has) + 2 * SMOOTH)
    return made
