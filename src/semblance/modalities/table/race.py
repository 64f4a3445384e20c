"""Which generator for which table: a published table of rules, and a bounded race between two or three candidates.

The race never sees the holdout of the run. It splits the training patients, lets every candidate learn one part for a
small share of the time, and judges what it makes against the other part in three ways:

- C2ST: the AUC of gradient boosting that tells made records from real ones; .5 is best (Lopez-Paz & Oquab 2017);
- TSTR: the AUC of gradient boosting that learns the target from made records and is tried on real ones;
- the membership gap: by how much more than half of the made records lie nearer to a record that was learned from than
  to one that was not.

A candidate's loss is (C2ST - .5) + (1 - TSTR), with the interval of both. Whoever has a gap that is surely above GAP
copies, and is out. Of the others the first one that the rule names wins, unless another is better by more than the
uncertainty of their difference.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import split_by_subject
from semblance.core.errors import ResourceError, SemblanceError
from semblance.core.estimate import Estimate, auc, difference, mean
from semblance.core.rng import root_of, stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.embed import embed, features

SHARE = 0.25
"""Of the time budget, for the whole race."""
ASIDE = 0.3
"""Of the race's patients, to judge by."""
FEWEST, MOST = 2_000, 12_000
"""Records that a race is about: SHARE of the table, within these bounds."""
FITTING = 0.7
"""Of a candidate's time, to learn; the rest is for drawing and judging."""
GAP, FOLDS, TREES = 0.05, 3, 60


@dataclass(frozen=True)
class Rule:
    """A case, by training records, learned columns and seconds (from, to but not including), and who runs for it.

    The first candidate is the default of the case: alone where it is the only one, and the winner of a tie.
    """

    records: tuple[float, float]
    columns: tuple[float, float]
    seconds: tuple[float, float]
    candidates: tuple[str, ...]
    why: str

    def fits(self, *, records: int, columns: int, seconds: float) -> bool:
        """Whether a table and a budget are this case."""
        given = (records, self.records), (columns, self.columns), (seconds, self.seconds)
        return all(low <= value < high for value, (low, high) in given)

    def row(self) -> tuple[str, str, str, str, str]:
        """As texts, for a screen."""
        bounds = (_spoken(bound) for bound in (self.records, self.columns, self.seconds))
        return (*bounds, ", ".join(self.candidates), self.why)  # type: ignore[return-value]


ANY = (0, math.inf)
# The first rule that fits counts. What the catalogue lacks does not run.
RULES = (
    Rule((0, 100), ANY, ANY, ("copula",), "so few records bear no more than correlations"),
    Rule(ANY, ANY, (0, 120), ("autoregressive",), "time for one"),
    Rule((100, 3_000), ANY, ANY, ("forest", "mixture", "autoregressive"), "trees are strong where records are few"),
    Rule((3_000, 30_000), (0, 50), ANY, ("autoregressive", "forest"), "trees cost seconds here, and minutes beyond"),
    Rule(ANY, (0, 200), ANY, ("autoregressive", "mixture"), "both learn every relation; a mixture has closed forms"),
    Rule(ANY, ANY, ANY, ("autoregressive",), "wide tables: the network alone grows gently with columns"),
)


def _spoken(bound: tuple[float, float]) -> str:
    low, high = bound
    if math.isinf(high):
        return "any" if low == 0 else f"from {low:,.0f}"
    return f"below {high:,.0f}" if low == 0 else f"{low:,.0f} to {high:,.0f}"


def rule_for(*, records: int, columns: int, seconds: float) -> Rule:
    """The case of a table and a budget."""
    return next(rule for rule in RULES if rule.fits(records=records, columns=columns, seconds=seconds))


@dataclass(frozen=True)
class Runner:
    """One candidate after its race: its judgements, or why it did not arrive."""

    name: str
    seconds: float
    c2st: Estimate | None = None
    tstr: Estimate | None = None
    gap: Estimate | None = None
    failed: str = ""

    @property
    def loss(self) -> Estimate:
        """(C2ST - .5) + (1 - TSTR) with its interval; without a target the first part alone."""
        assert self.c2st is not None
        c2st = _moved(self.c2st, lambda x: max(x - 0.5, 0.0))
        return c2st if self.tstr is None else difference(c2st, _moved(self.tstr, lambda x: x - 1))

    @property
    def copies(self) -> bool:
        """Whether it surely makes records too near to those that it learned from."""
        return self.gap is not None and self.gap.low > GAP

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, without what was not measured."""
        said: dict[str, Any] = {"name": self.name, "seconds": round(self.seconds, 1)}
        if self.failed:
            return {**said, "failed": self.failed}
        told = {"c2st": self.c2st, "tstr": self.tstr, "gap": self.gap, "loss": self.loss}
        return said | {k: {p: round(x, 4) for p, x in v.plain().items()} for k, v in told.items() if v is not None}


def _moved(estimate: Estimate, move: Callable[[float], float]) -> Estimate:
    return Estimate(move(estimate.value), move(estimate.low), move(estimate.high), estimate.level, estimate.n)


def decide(runners: Sequence[Runner]) -> tuple[str, str]:
    """The winner's name, and why in one sentence. The first runner is the default."""
    default = runners[0]
    fair = [runner for runner in runners if not runner.failed and not runner.copies]
    if not fair:
        return default.name, "nobody arrived without copying: the default of the case"
    if default not in fair:
        best = min(fair, key=lambda runner: runner.loss.value)
        return best.name, f"{default.name} {default.failed or 'copies records'}, and {best.name} has the least loss"
    ahead = {runner.name: difference(default.loss, runner.loss) for runner in fair[1:]}
    sure = [runner for runner in fair[1:] if ahead[runner.name].low > 0]
    if not sure:
        return default.name, f"nobody is better than {default.name}, the default of the case, beyond the uncertainty"
    best = min(sure, key=lambda runner: runner.loss.value)
    return best.name, f"its loss is lower than that of {default.name} by {ahead[best.name]}"


def race(
    candidates: Mapping[str, Any], train: Table, *, seconds: float, rng: np.random.Generator
) -> tuple[Runner, ...]:
    """Let every spec of `candidates` learn a part of `train` and judge it. `seconds` are for all of them together."""
    seed = root_of(rng)
    part = _fewer(train, rng=stream(seed, "fewer"))
    learned, aside = split_by_subject(part, holdout=ASIDE, rng=stream(seed, "split"))
    judge, each = Judge(learned, aside, seed), seconds / len(candidates)
    return tuple(_run(name, spec, judge, seconds=each) for name, spec in candidates.items())


def _fewer(train: Table, *, rng: np.random.Generator) -> Table:
    """The records of random patients: SHARE of them, within bounds."""
    wanted = min(max(math.ceil(SHARE * len(train)), FEWEST), MOST)
    if len(train) <= wanted:
        return train
    patients, code, counts = np.unique(train.subjects, return_inverse=True, return_counts=True)
    order = rng.permutation(len(patients))
    kept = np.zeros(len(patients), dtype=bool)
    kept[order[: np.searchsorted(np.cumsum(counts[order]), wanted) + 1]] = True
    return train.take(kept[code])


def _run(name: str, spec: Any, judge: Judge, *, seconds: float) -> Runner:
    begun, rng = time.monotonic(), stream(judge.seed, "run", name)
    try:
        plan = spec.plan(judge.learned, rng=rng, time_budget=FITTING * seconds)
        model = spec.fit(judge.learned, rng=rng, plan=plan)
        made = concat(list(model.sample(len(judge.learned), rng=rng)))
    except ResourceError:
        raise
    except SemblanceError:
        return Runner(name, time.monotonic() - begun, failed="did not arrive")
    return judge(name, made, begun=begun)


@dataclass(frozen=True)
class Judge:
    """Compares what was made with the part that was learned from and with the part that was not."""

    learned: Table
    aside: Table
    seed: int

    def __call__(self, name: str, made: Table, *, begun: float) -> Runner:
        """The candidate with its judgements; `begun` is when it started, in seconds of time.monotonic."""
        told = self.c2st(made), self.tstr(made), self.gap(made)
        return Runner(name, time.monotonic() - begun, *told)

    def c2st(self, made: Table) -> Estimate:
        """The AUC of telling made from real, every record scored by a classifier that has not seen it."""
        n = min(len(made), len(self.aside))
        real, other = features(self.aside, self.learned), features(made, self.learned)
        x, y = np.concatenate([real.x, other.x[:n]]), np.repeat([1, 0], [len(real.x), n])
        rng = stream(self.seed, "folds")
        patient = np.unique(self.aside.subjects, return_inverse=True)[1]
        fold = np.append(rng.permutation(patient.max() + 1)[patient], rng.permutation(n)) % FOLDS
        scores = np.zeros(len(x))
        for k in range(FOLDS):
            scores[fold == k] = self._scores(x[fold != k], y[fold != k], x[fold == k], real.categorical)
        return auc(scores[y == 1], scores[y == 0], positive_clusters=self.aside.subjects)

    def tstr(self, made: Table) -> Estimate | None:
        """The AUC on real records of what learned the target from made ones; None where that says nothing.

        The target is made two classes: the commonest value and all others, or above and below the median.
        """
        learned, real, other = (features(table, self.learned) for table in (self.learned, self.aside, made))
        j = learned.target
        if j is None:
            return None
        limit = 0.5 if learned.categorical[j] else float(np.nanmedian(learned.x[:, j]))
        known = [~np.isnan(part.x[:, j]) for part in (other, real)]
        (x, y), (tried, truth) = (
            (np.delete(part.x, j, axis=1)[rows], part.x[rows, j] > limit)
            for part, rows in zip((other, real), known, strict=True)
        )
        if truth.all() or not truth.any() or not x.shape[1]:
            return None
        scores = self._scores(x, y, tried, np.delete(real.categorical, j))
        patients = self.aside.subjects[known[1]]
        return auc(
            scores[truth],
            scores[~truth],
            positive_clusters=patients[truth],
            negative_clusters=patients[~truth],
        )

    def gap(self, made: Table) -> Estimate:
        """The share of made records that lie nearer to one of `learned` than to one of as many others, minus half."""
        n = min(len(self.learned), len(self.aside), len(made))
        rng = stream(self.seed, "gap")
        seen, unseen = (table.take(rng.permutation(len(table))[:n]) for table in (self.learned, self.aside))
        drawn = embed(made.take(np.arange(n)), self.learned)
        nearest = [_nearest(drawn, embed(table, self.learned)) for table in (seen, unseen)]
        return mean((nearest[0] < nearest[1]) + 0.5 * (nearest[0] == nearest[1]) - 0.5)

    def _scores(self, x: np.ndarray, y: np.ndarray, tried: np.ndarray, categorical: np.ndarray) -> np.ndarray:
        """The probability of class 1 for each row that is tried, by gradient boosting."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        if y.all() or not y.any():
            return np.zeros(len(tried))
        told = dict(max_iter=TREES, max_leaf_nodes=15, early_stopping=False, random_state=self.seed % 2**31)
        trees = HistGradientBoostingClassifier(categorical_features=categorical, **told).fit(x, y)
        scores: np.ndarray = trees.predict_proba(tried)[:, 1]
        return scores


def _nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) the distance of each point to its nearest other."""
    from sklearn.neighbors import NearestNeighbors

    distance: np.ndarray = NearestNeighbors(n_neighbors=1).fit(others).kneighbors(points)[0][:, 0]
    return distance
