"""Which marks are beats, and which texts are states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from semblance.modalities.signal.data import Marks
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found

BEATS = tuple("NLRBAaJSVrFejnE/fQ?")
"""The symbols of beats of https://physionet.org/physiobank/annotations."""


def without_remarks(found: Sequence[Found], said: Said) -> tuple[list[Found], list[str]]:
    """The recordings without the states that are remarks, and a note.

    Where a file's texts are free, one that stands a single time in the whole set may say anything of anybody; it is a
    state only if it is declared.
    """
    free = [one for one in found if one.remarks]
    count = Counter(text for one in free for text in one.recording.states.symbol)
    remarks = {text for text, times in count.items() if times == 1 and text and text not in said.states}
    if not remarks:
        return list(found), []
    note = f"{len(remarks)} annotations are left out: their text stands a single time (declare it: [signal] states)"
    return [_without(one, remarks) if one.remarks else one for one in found], [note]


def _without(one: Found, remarks: set[str]) -> Found:
    states = one.recording.states
    symbol = np.array(["" if text in remarks else text for text in states.symbol], dtype=object)
    return replace(one, recording=replace(one.recording, states=without_repeats(Marks(states.at, symbol))))


def without_repeats(marks: Marks) -> Marks:
    """The same without marks that change nothing: a state that is in force already, or none where none was."""
    before = np.concatenate([[""], marks.symbol[:-1]]) if len(marks) else marks.symbol
    return marks.take(marks.symbol != before)


def marks_of_samples(labels: np.ndarray) -> Marks:
    """The states of a text for every sample: a mark where it changes, none before the first that is not empty."""
    labels = np.asarray(labels).astype(str)
    at = np.concatenate([[0], np.flatnonzero(labels[1:] != labels[:-1]) + 1]) if len(labels) else np.empty(0, int)
    return without_repeats(Marks(at.astype(np.int64), labels[at].astype(object)))


def samples_of_marks(marks: Marks, length: int) -> np.ndarray:
    """(length,) text: the state of every sample."""
    return marks.state_at(np.arange(length)).astype(str)


def marks_of_pairs(pairs: Sequence[tuple[int, str]]) -> Marks:
    """Marks of sample numbers in order, each with its symbol."""
    at, symbol = np.array([at for at, _ in pairs], dtype=np.int64), np.empty(len(pairs), dtype=object)
    symbol[:] = [text for _, text in pairs]
    return Marks(at, symbol)


def marks_of_spans(spans: Sequence[tuple[int, int, str]], length: int) -> Marks:
    """States of spans (first sample, end, text) in order: where none follows at once, no state is in force."""
    made: list[tuple[int, str]] = []
    for i, (start, end, text) in enumerate(spans):
        made.append((start, text))
        following = spans[i + 1][0] if i + 1 < len(spans) else length
        made += [(end, "")] if end < following else []
    return without_repeats(marks_of_pairs(made))
