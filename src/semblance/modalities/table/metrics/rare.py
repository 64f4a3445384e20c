"""Rare categories: whether the few patients with a rare diagnosis or origin keep their share of the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import measures, patient_blocks, patient_rows, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.cells import RARE
from semblance.modalities.table.data import Table
from semblance.modalities.table.grid import codes, counts
from semblance.modalities.table.metrics.places import places
from semblance.modalities.table.metrics.samples import Measured, leaving_out, samples, told, too_few

SHARE = 0.01
EXPECTED = 1.0  # records of a category in the samples compared
LEAST = 5  # rare categories, of which a mean says something
WORST = 20
PARTS: tuple[Part, ...] = ("synthetic", "holdout", "floor")


@measures("rare.categories")
def categories(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over train's rare categories of min(1, synthetic share / train share); 1 is best.

    Rare: in less than 1% of train records, though at least 11 patients hold it. A small sample misses rare categories
    by chance, so synthetic and, for the control, holdout are cut to equal size; a category of which such a sample would
    not have one record on average is left out. `detail["kept"]` is the share of categories that the synthetic records,
    not cut, have at all.
    """
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    every = [group for column in evidence.train.schema.learned if (group := _rare(evidence, column)) is not None]
    if not every:
        return (_finding(status="not_applicable", reason="no category is rare and yet held by 11 patients"),)
    size = min(len(samples(evidence)[part].table) for part in PARTS[:2])
    groups = [group for group in (one.expected(size) for one in every) if len(group.names)]
    if sum(len(group.names) for group in groups) < LEAST:
        reason = f"samples of this size are expected to hold fewer than {LEAST} rare categories"
        return (_finding(status="insufficient", reason=reason),)
    drawn = {part: _draw(evidence, part, size) for part in PARTS if part in samples(evidence)}
    if min(one.patients for one in drawn.values()) < 2:
        return (_finding(status="insufficient", reason="samples of equal size are of one patient only"),)
    kept = {part: [group.kept(evidence, one) for group in groups] for part, one in drawn.items()}
    made = {part: _estimate(drawn[part], np.concatenate(kept[part])) for part in drawn}
    return (_finding(**slots(made, control="holdout"), detail=_detail(evidence, groups, drawn, kept)),)


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How much of its real share a rare category keeps on average (1 all of it, 0 it is gone); "
        "real records stay below 1 too, by chance."
    )
    return Finding("rare.categories", "Rare categories", "rare", better="higher", meaning=meaning, **fields)


@dataclass(frozen=True)
class _Draw:
    """Rows of a part's sample, the jackknife's block of each (n,), how many blocks there are, and patients."""

    part: Part
    rows: np.ndarray
    block: np.ndarray
    blocks: int
    patients: int


@dataclass(frozen=True)
class _Rare:
    """The rare categories of a column: names, positions among its places, shares (k, 1 + blocks) of train's records."""

    column: Column
    names: np.ndarray
    at: np.ndarray
    shares: np.ndarray

    def expected(self, size: int) -> _Rare:
        """Those of which `size` records have one on average."""
        enough = self.shares[:, 0] * size >= EXPECTED
        return _Rare(self.column, self.names[enough], self.at[enough], self.shares[enough])

    def kept(self, evidence: Measured, draw: _Draw) -> np.ndarray:
        """(k, 1 + blocks) min(1, share in the draw / share in train)."""
        found = places(evidence, self.column)
        held = _shares(found.at[draw.part][draw.rows], draw.block, found.size, draw.blocks)[self.at]
        ratio = np.ones_like(self.shares)
        np.divide(held, self.shares, out=ratio, where=self.shares > 0)
        return np.minimum(ratio, 1)

    def present(self, evidence: Measured) -> np.ndarray:
        """(k,) whether any synthetic record has the category."""
        found = places(evidence, self.column)
        there: np.ndarray = np.bincount(found.at["synthetic"], minlength=found.size)[self.at] > 0
        return there


def _shares(code: np.ndarray, block: np.ndarray, size: int, blocks: int) -> np.ndarray:
    """(size, 1 + blocks) share of each code: of all records, then without each block."""
    count = leaving_out(np.bincount(block * size + code, minlength=size * blocks).reshape(blocks, size).T)
    shares: np.ndarray = count / count.sum(axis=0)
    return shares


def _rare(evidence: Measured, column: Column) -> _Rare | None:
    """The rare categories of a column, on all of train."""
    train = evidence.train
    if column.continuous:
        return None
    held = counts(train.frame[column.name])
    few = np.flatnonzero((held >= RARE) & (held < SHARE * len(train)))
    if not len(few):
        return None
    # Train's names come first among the places, in the same order, so that positions here are positions there.
    code = codes(train.frame[column.name], held.index, other=-1, missing=len(held))
    blocks = samples(evidence)["train"].blocks
    person, block = evidence.once("persons of train", lambda: _persons(train, blocks, seed=evidence.seed))
    few = few[_holders(code, person, few) >= RARE]
    shares = _shares(code, block, len(held) + 1, blocks)[few]
    return _Rare(column, np.asarray(held.index[few], dtype=object), few, shares) if len(few) else None


def _persons(train: Table, blocks: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) patients numbered from 0, (n,) blocks."""
    person = np.unique(train.subjects, return_inverse=True)[1].astype(np.int64)
    return person, patient_blocks(train.subjects, blocks, rng=stream(seed, "blocks", "all of train"))


def _holders(code: np.ndarray, person: np.ndarray, few: np.ndarray) -> np.ndarray:
    """(k,) how many persons hold each code of `few`, which rise."""
    rows = np.isin(code, few)
    pairs = np.sort(np.searchsorted(few, code[rows]) * (person.max() + 1) + person[rows])
    first = np.append(True, pairs[1:] != pairs[:-1])
    return np.bincount(pairs[first] // (person.max() + 1), minlength=len(few))


def _draw(evidence: Measured, part: Part, size: int) -> _Draw:
    """`size` records of a part's sample, patient by patient."""
    sample, rng = samples(evidence)[part], stream(evidence.seed, "rare", part)
    rows = patient_rows(sample.table.subjects, size, rng=rng)
    subjects = sample.table.subjects[rows]
    return _Draw(part, rows, patient_blocks(subjects, sample.blocks, rng=rng), sample.blocks, patients(subjects))


def _estimate(draw: _Draw, kept: np.ndarray) -> Estimate:
    mean = kept.mean(axis=0)
    return jackknife(float(mean[0]), mean[1:], n=draw.patients, within=(0.0, 1.0))


def _detail(
    evidence: Measured, groups: list[_Rare], drawn: dict[Part, _Draw], kept: dict[Part, list[np.ndarray]]
) -> dict[str, Any]:
    """Each column with how many rare categories it has, and the categories that lost most: 11 patients hold each."""
    names = [f"{group.column.name} = {name}" for group in groups for name in group.names]
    ratios = np.concatenate(kept["synthetic"])[:, 0]
    columns = [
        {
            "name": group.column.name,
            "categories": len(group.names),
            **told(*(_estimate(drawn[part], kept[part][i]) for part in PARTS[:2])),
        }
        for i, group in enumerate(groups)
    ]
    return {
        "columns": columns,
        "categories": len(names),
        "kept": float(np.concatenate([group.present(evidence) for group in groups]).mean()),
        "worst": [{"name": names[i], "value": float(ratios[i])} for i in np.argsort(ratios, kind="stable")[:WORST]],
    }
