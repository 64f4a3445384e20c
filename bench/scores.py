"""What a set of synthetic records is worth: the definitions of bench/results/tables.md, on plain arrays.

They are the field's usual ones and deliberately not the package's own judges, which have intervals and controls.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import pairwise_distances_argmin_min, r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bench.contenders import regression
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.embed import embed

BINS = 10
FOLDS = 3
NATIVE = 254  # the most categories that histogram boosting takes as categories; wider columns are ordered by frequency
LEAF = 20  # its fewest records in a leaf
GROUP = 100  # the fewest holdout records of a group that counts
ATTACKED = 5_000  # patients of train and of holdout
LEVEL = 0.95


# Columns and pairs


def shape(holdout: Table, synthetic: Table) -> float:
    """Mean over columns of KS (numbers, a missing one below all others) or TV (categories, missing as one)."""
    pairs = ((holdout.frame[name], synthetic.frame[name]) for name in holdout.frame)
    return float(np.mean([tv(*_codes(a, b)) if _named(a) else ks(_numbers(a), _numbers(b)) for a, b in pairs]))


def ks(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two distribution functions."""
    points = np.union1d(a, b)
    below = [np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (a, b)]
    return float(np.max(np.abs(below[0] - below[1])))


def tv(a: np.ndarray, b: np.ndarray) -> float:
    """Total variation of the shares of codes."""
    size = int(max(a.max(), b.max())) + 1
    shares = [np.bincount(side, minlength=size) / len(side) for side in (a, b)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def pair(train: Table, holdout: Table, synthetic: Table) -> float:
    """Mean TV over all pairs of columns; numbers in BINS bins of the quantiles of train, missing as a value."""
    columns = [_cells(*(part.frame[name] for part in (train, holdout, synthetic))) for name in train.frame]
    gaps = []
    for (a, b), (c, d) in combinations(columns, 2):
        size = int(max(c.max(), d.max())) + 1
        gaps.append(tv(a * size + c, b * size + d))
    return float(np.mean(gaps))


def _cells(train: pd.Series, holdout: pd.Series, synthetic: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    if _named(train):
        return _codes(holdout, synthetic)
    known = train.dropna().to_numpy()
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else known
    return _binned(holdout, edges), _binned(synthetic, edges)


def _binned(values: pd.Series, edges: np.ndarray) -> np.ndarray:
    """(n,) int64: 0 for missing, then the bins in order."""
    return np.where(values.isna(), 0, 1 + np.searchsorted(edges, values, side="right"))


def _named(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _numbers(values: pd.Series) -> np.ndarray:
    return values.fillna(-np.inf).to_numpy(dtype=float)


def _codes(a: pd.Series, b: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Codes by name, the same on both sides; 0 for missing."""
    names = pd.Index(sorted({*a.dropna(), *b.dropna()}))
    return names.get_indexer(a.astype(object)) + 1, names.get_indexer(b.astype(object)) + 1


# Telling synthetic from real


def c2st(train: Table, holdout: Table, synthetic: Table, *, seed: int) -> float:
    """AUC, never below .5, of boosting that tells synthetic from holdout; FOLDS folds, equal sizes."""
    rng, n = stream(seed, "bench", "c2st"), min(len(holdout), len(synthetic))
    parts = [part.take(np.sort(rng.permutation(len(part))[:n])) for part in (holdout, synthetic)]
    grid = Grid.of(train)
    x, y = np.concatenate([grid.coded(part) for part in parts]), np.repeat([0, 1], n)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    told = cross_val_predict(grid.classifier(len(x), seed=seed), x, y, cv=folds, method="predict_proba")[:, 1]
    return max(0.5, float(roc_auc_score(y, told)))


@dataclass(frozen=True)
class Grid:
    """Tables as numbers for boosting: categories by their rank in train; those that are taken as categories."""

    names: Mapping[str, pd.Index]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, train: Table, *, without: str | None = None) -> Grid:
        """The columns of train, but for one."""
        columns = tuple(name for name in train.frame if name != without)
        named = [name for name in columns if _named(train.frame[name])]
        return cls({name: pd.Index(train.frame[name].value_counts().index.astype(str)) for name in named}, columns)

    def coded(self, table: Table) -> np.ndarray:
        """(n, columns) float64, NaN for missing; categories that train does not know share a code."""
        return np.column_stack([self._column(table.frame[name]) for name in self.columns])

    def _column(self, values: pd.Series) -> np.ndarray:
        if values.name not in self.names:
            return values.to_numpy(dtype=float)
        names = self.names[str(values.name)]
        places = names.get_indexer(values.astype(object)).astype(float)
        places[places < 0] = len(names)
        return np.where(values.isna(), np.nan, places)

    @property
    def native(self) -> list[bool]:
        """Which columns are few enough categories."""
        return [name in self.names and len(self.names[name]) < NATIVE for name in self.columns]

    def classifier(self, n: int, *, seed: int) -> HistGradientBoostingClassifier:
        """With its defaults, but for smaller leaves where there are few records."""
        return HistGradientBoostingClassifier(
            categorical_features=self.native, min_samples_leaf=_leaf(n), random_state=seed
        )

    def regressor(self, n: int, *, seed: int) -> HistGradientBoostingRegressor:
        """The same for a number."""
        return HistGradientBoostingRegressor(
            categorical_features=self.native, min_samples_leaf=_leaf(n), random_state=seed
        )


def _leaf(n: int) -> int:
    return min(LEAF, max(2, n // LEAF))


# Learning from synthetic records


@dataclass(frozen=True)
class Lesson:
    """What a model learns (n records, answers) and what it is asked (m records, true answers)."""

    x: Any
    y: np.ndarray
    asked: Any
    truth: np.ndarray

    def score(self, model: Any) -> float:
        """AUC of a classifier, R2 of a regressor; chance where there is nothing to tell apart."""
        number = not hasattr(model, "predict_proba")
        if len(np.unique(self.y)) < 2:
            return 0.0 if number else 0.5
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # steps are capped: the last ones move no rank
            model.fit(self.x, self.y)
        if number:
            return float(r2_score(self.truth, model.predict(self.asked)))
        return auc(self.truth, model.predict_proba(self.asked), model.classes_)


def tstr(train: Table, holdout: Table, synthetic: Table, *, seed: int) -> dict[str, float]:
    """AUC (of a number: R2) on holdout of boosting and of a linear model that learned the synthetic records."""
    target = next(column.name for column in train.schema if column.role == "target")
    learned, asked = (part.take(part.frame[target].notna().to_numpy()) for part in (synthetic, holdout))
    number, grid = regression(train), Grid.of(train, without=target)
    y, truth = (_answers(part.frame[target], number=number) for part in (learned, asked))
    boosted = (grid.regressor if number else grid.classifier)(len(learned), seed=seed)
    coded = Lesson(grid.coded(learned), y, grid.coded(asked), truth)
    framed = Lesson(learned.frame[list(grid.columns)], y, asked.frame[list(grid.columns)], truth)
    return {"gb": coded.score(boosted), "lr": framed.score(_linear(grid, number=number))}


def auc(truth: np.ndarray, shares: np.ndarray, classes: np.ndarray) -> float:
    """AUC of (n, classes) probabilities; with several classes the mean of one against the rest. A class that the model
    never saw has probability 0."""
    place = {name: i for i, name in enumerate(classes)}
    held = np.unique(truth)
    of = {name: shares[:, place[name]] if name in place else np.zeros(len(truth)) for name in held}
    each = [float(roc_auc_score(truth == name, of[name])) for name in held] if len(held) > 1 else [0.5]
    return each[-1] if len(each) == 2 else float(np.mean(each))


def _answers(values: pd.Series, *, number: bool) -> np.ndarray:
    return values.to_numpy(dtype=float) if number else values.astype(str).to_numpy()


def _linear(grid: Grid, *, number: bool) -> Any:
    """Logistic (for a number: ridge) regression on scaled numbers with flags for missing, and one-hot categories."""
    numbers, named = [name for name in grid.columns if name not in grid.names], list(grid.names)
    known = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    seen = make_column_transformer(
        (make_pipeline(known, StandardScaler()), numbers), (OneHotEncoder(handle_unknown="ignore"), named)
    )
    return make_pipeline(seen, Ridge() if number else LogisticRegression(max_iter=300))


# Groups


def subgroups(holdout: Table, synthetic: Table, protected: Sequence[str]) -> float:
    """Mean over the groups of the protected columns of the TV between P(target | group) in synthetic and in holdout.

    Of two classes it is the difference of their shares. Groups with fewer than GROUP holdout records are left out, and
    one that no synthetic record is of counts 1.
    """
    target = next(column.name for column in holdout.schema if column.role == "target")
    gaps = []
    for name in protected:
        counts = holdout.frame[name].value_counts()
        for group in counts.index[counts >= GROUP]:
            sides = [part.frame.loc[part.frame[name] == group, target] for part in (holdout, synthetic)]
            gaps.append(tv(*_codes(*sides)) if len(sides[1]) else 1.0)
    return float(np.mean(gaps))


# Membership


@dataclass(frozen=True)
class Gap:
    """How much more often a train patient's record is nearer to the synthetic ones than a holdout patient's (0: no
    more often; 1: always), and half the width of its interval."""

    value: float
    margin: float


def membership(train: Table, holdout: Table, synthetic: Table, *, seed: int, most: int = ATTACKED) -> Gap:
    """The cheapest attack: the distance to the nearest synthetic record. One record of each patient, and of so many
    patients a side."""
    rng = stream(seed, "bench", "membership")
    records = embed(synthetic, train)
    near = []
    for part in (train, holdout):
        rows = _one_each(part.subjects, rng)[:most]
        near.append(pairwise_distances_argmin_min(embed(part.take(rows), train), records)[1])
    return nearer(*near)


def floor(train: Table, holdout: Table, *, seed: int, most: int = ATTACKED) -> Gap:
    """The same between real records: half of the train patients stand for synthetic ones, the others are attacked."""
    patients = np.unique(train.subjects)
    half = stream(seed, "bench", "floor").permutation(patients)[: len(patients) // 2]
    aside = np.isin(train.subjects, half)
    return membership(train.take(~aside), holdout, train.take(aside), seed=seed, most=most)


def nearer(members: np.ndarray, others: np.ndarray) -> Gap:
    """P(member nearer) - P(other nearer), with DeLong's interval (DeLong, DeLong and Clarke-Pearson 1988)."""
    m, n = len(members), len(others)
    ranks = rankdata(np.concatenate([members, others]))
    own = [rankdata(side) for side in (members, others)]
    above = [1 - (ranks[:m] - own[0]) / n, (ranks[m:] - own[1]) / m]
    spread = np.var(above[0], ddof=1) / m + np.var(above[1], ddof=1) / n
    return Gap(2 * float(above[0].mean()) - 1, 2 * float(norm.ppf((1 + LEVEL) / 2) * np.sqrt(spread)))


def _one_each(subjects: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One record of each patient, patients and records in a random order."""
    order = rng.permutation(len(subjects))
    _, first = np.unique(subjects[order], return_index=True)
    rows: np.ndarray = rng.permutation(order[first])
    return rows
