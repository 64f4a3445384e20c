"""Survival generators beside their peers: python -m bench.survival --boards gbsg2 --contenders hazards autoregressive

Every contender learns 80% of the patients of each seed, in the same seconds, and draws as many. Each number stands
beside what two samples of real patients of this size differ by: the 95th percentile over pairs of bootstrap resamples.
Raw numbers go into results/survival.json, where a contender's row replaces its older one, and from there into
results/survival.md.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.boards import DATA, ROOT, Board
from bench.contenders import PEERS, Peer, attempt, environment, installed, ours
from bench.results import REAL, Book, Row, Section, Try, facts, made, put
from bench.watch import Limits
from semblance import catalog
from semblance.core.dataset import Evidence, split_by_subject
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.evaluate.utility.censored import concordance
from semblance.evaluate.utility.cox import cox, explained
from semblance.evaluate.utility.curves import Followed, gap
from semblance.evaluate.utility.records import Records, records
from semblance.evaluate.utility.study import Study, study_of
from semblance.evaluate.utility.terms import design
from semblance.modalities.table.data import Table, from_frame

GAN = "synthcity_survival_gan"
PEERS[GAN] = Peer("synthcity survival_gan", "synthcity", f"{GAN}.py", "", "synthcity")
PAIRS, LEVEL, HOLDOUT = 100, 0.95, 0.2
PATIENCE, START, MEMORY = 4.0, 90.0, 20.0
BUDGETS = {"flchain": 25.0, "gbsg2": 20.0, "whas500": 20.0, "actg175": 20.0}
LATER = ("pidnum", "offtrt", "cd420", "cd496", "r", "cd820")  # of ACTG175: not known when treatment begins
CONTENDERS = ["real", "hazards", "autoregressive", "copula", "marginals", GAN]
COLUMNS = (
    ("fit s", "fit", 1),
    ("sample s", "sample", 1),
    ("KM area", "area", 4),
    ("real", "area_real", 4),
    ("follow-up area", "followed", 4),
    ("real", "followed_real", 4),
    ("LR ratio", "ratio", 2),
    ("real, up to", "ratio_real", 2),
    ("C loss", "loss", 4),
    ("real", "loss_real", 4),
)
JUDGED = {"area": "area_real", "followed": "followed_real", "distance": "distance_real", "loss": "loss_real"}
NOTES = (
    "- medians over the seeds of random 80/20 splits by patient; as many synthetic records as the generator learned;",
    "  each number stands before the 95th percentile of what two real samples of this size differ by (bootstrap)",
    "- KM area: mean distance of the Kaplan-Meier curves of synthetic and learned records over the time in which 11",
    "  patients are followed; follow-up area: the same of the reverse curves, those of censoring",
    "- LR ratio: likelihood-ratio statistic of a Cox model in synthetic over learned records; 1 is best, and real",
    "  samples differ by so many times either way",
    "- C loss: concordance on holdout of a Cox model of the learned records, less that of one of the synthetic records",
    "- within: how many of these four are within the 95th percentile",
)


@dataclass(frozen=True)
class Scores:
    """What two sets of records differ by; `loss` is signed, the others are distances but for `ratio`."""

    area: float
    followed: float
    ratio: float
    loss: float

    @property
    def distance(self) -> float:
        """How far the ratio is from 1, either way."""
        return abs(math.log(self.ratio))


@dataclass(frozen=True)
class Court:
    """One split: the study that train defines, its records, and holdout."""

    study: Study
    train: Records
    holdout: Records

    @classmethod
    def of(cls, train: Table, holdout: Table) -> Court:
        """Read the follow-up and choose the terms on train."""
        evidence = Evidence(train, holdout, train, catalog.modality("table"))
        study = study_of(evidence)
        if not isinstance(study, Study):
            raise ValueError(study.reason)
        return cls(study, *(study.known(records(evidence, part)) for part in ("train", "holdout")))

    def read(self, train: Table, holdout: Table, synthetic: Table) -> Records:
        """Synthetic records as train codes them."""
        evidence = Evidence(train, holdout, synthetic, catalog.modality("table"))
        return self.study.known(records(evidence, "synthetic"))

    def scores(self, first: Records, second: Records) -> Scores:
        """What the second set says in the place of the first."""
        sides = [Followed.of(*self.study.followed(s), s.patient, rng=stream(0, "blocks")) for s in (first, second)]
        areas = [gap(*sides, until=self.study.until, reverse=reverse).area.value for reverse in (False, True)]
        strength = [max(explained(*self._terms(s)).value, 0.5 / max(len(s), 1)) for s in (first, second)]
        reached = [self._concordance(s) for s in (first, second)]
        return Scores(*areas, strength[1] / strength[0], reached[0] - reached[1])

    def chance(self, *, seed: int) -> Scores:
        """The 95th percentile of what two samples of as many real patients differ by, either way."""
        found = [self.scores(*(self.again(stream(seed, "again", k, side)) for side in (0, 1))) for k in range(PAIRS)]
        area, followed, distance, loss = (
            float(np.quantile(values, LEVEL))
            for values in np.array([(s.area, s.followed, s.distance, abs(s.loss)) for s in found]).T
        )
        return Scores(area, followed, math.exp(distance), loss)

    def again(self, rng: np.random.Generator) -> Records:
        """As many patients of train, drawn with replacement."""
        drawn = self.train.take(rng.integers(0, len(self.train), len(self.train)))
        return Records(drawn.x, np.arange(len(drawn)))

    def _terms(self, source: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return design(self.study.terms, source.x), *self.study.followed(source)

    def _concordance(self, source: Records) -> float:
        x, time, event = self._terms(source)
        held, then, died = self._terms(self.holdout)
        risk = cox(x, time, event).risk(held) if event.any() else np.zeros(len(held))
        return concordance(then, died, risk).value


# The boards, each with columns called time and event


def _cohort(name: str, time: str, event: str) -> Callable[[], pd.DataFrame]:
    def frame() -> pd.DataFrame:
        from sksurv import datasets

        covariates, outcome = getattr(datasets, f"load_{name}")()
        joined: pd.DataFrame = covariates.assign(event=outcome[event], time=outcome[time].astype(int))
        return joined.drop(columns="chapter", errors="ignore")  # FLChain's cause of death

    return frame


def _actg175() -> pd.DataFrame:
    whole = pd.read_csv(DATA / "tables" / "actg175" / "actg175.csv").drop(columns=list(LATER))
    return whole.rename(columns={"days": "time", "cens": "event"})


def _board(title: str, name: str, frame: Callable[[], pd.DataFrame], **roles: str) -> Board:
    said = {"time": "time", "event": "event", **roles}
    declared = {"columns": {column: {"role": role} for column, role in said.items()}}
    return Board(title, lambda: from_frame(frame(), ReadOptions(declared=declared))[0], BUDGETS[name])


BOARDS = {
    "flchain": _board("FLChain, death", "flchain", _cohort("flchain", "futime", "death")),
    "gbsg2": _board("GBSG2, recurrence of breast cancer", "gbsg2", _cohort("gbsg2", "time", "cens")),
    "whas500": _board("WHAS500, death after myocardial infarction", "whas500", _cohort("whas500", "lenfol", "fstat")),
    "actg175": _board("ACTG175, trial with four arms", "actg175", _actg175, arms="treatment"),
}


# The runs


@dataclass(frozen=True)
class Split:
    """The patients that one seed learns from and holds out, their court, and what chance does there."""

    seed: int
    train: Table
    holdout: Table
    court: Court
    chance: Scores

    @classmethod
    def of(cls, table: Table, seed: int) -> Split:
        """Deal the patients, and resample those that are learned from."""
        train, holdout = split_by_subject(table, holdout=HOLDOUT, rng=stream(seed, "split"))
        court = Court.of(train, holdout)
        return cls(seed, train, holdout, court, court.chance(seed=seed))


def row(name: str, splits: Sequence[Split], *, time_budget: float) -> Row:
    """A contender on all splits; where it does not finish one, no other is tried."""
    tries: list[Try] = []
    for split in splits:
        tries.append(tried(name, split, time_budget=time_budget))
        print(f"{name}, seed {split.seed}: {tries[-1]}", flush=True)
        if tries[-1].outcome != "finished":
            break
    return Row(_title(name), tuple(tries), made("survival"))


def tried(name: str, split: Split, *, time_budget: float) -> Try:
    """A contender on one split. The real one is a resample of what was learned."""
    court, took = split.court, {}
    if name == REAL:
        found = court.scores(court.train, court.again(stream(split.seed, "real")))
    else:
        limits = Limits(START + PATIENCE * time_budget, MEMORY)
        done = attempt(name, split.train, seed=split.seed, time_budget=time_budget, limits=limits)
        if done.made is None:
            return Try(done.outcome, done.fit, said=done.said)
        found = court.scores(court.train, court.read(split.train, split.holdout, done.made))
        took = {"fit": done.fit, "sample": done.sample}
    return Try("finished", values={**took, **_values(found), **_values(split.chance, "_real")})


def _values(scores: Scores, suffix: str = "") -> dict[str, float]:
    names = ("area", "followed", "ratio", "distance", "loss")
    return {name + suffix: getattr(scores, name) for name in names}


def _title(name: str) -> str:
    if name not in PEERS:
        return name
    return f"{PEERS[name].title} {installed(environment(PEERS[name]), PEERS[name].package)}"


# Markdown


def told(book: Book) -> str:
    """The page: what made it, and a table for each board."""
    lines = ["# Survival", "", *facts("survival", NOTES)]
    for section in book.values():
        seeds = max(len(one.tries) for one in section.rows.values())
        lines += ["", f"## {section.title}; {seeds} seed(s)", "", *_table(section.rows.values())]
    return "\n".join([*lines, ""])


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield f"| generator | {' | '.join(title for title, _, _ in COLUMNS)} | within |"
    yield f"|---|{'---:|' * (len(COLUMNS) + 1)}"
    for one in sorted(rows, key=lambda one: (one.name != REAL, -_within(one), one.name)):
        values = [(one.middle(key), digits) for _, key, digits in COLUMNS]
        cells = ["" if value is None else f"{value:.{digits}f}" for value, digits in values]
        if one.failed is not None:
            cells[0] = f"{one.failed.outcome}: {one.failed.said[:60]}".replace("|", "/")
        yield f"| {one.name} | {' | '.join(cells)} | {_within(one)} of {len(JUDGED)} |"


def _within(one: Row) -> int:
    pairs = [(one.middle(key), one.middle(limit)) for key, limit in JUDGED.items()]
    return sum(value is not None and limit is not None and value <= limit for value, limit in pairs)


def main() -> None:
    """The command line."""
    known = ["real", *ours(), *PEERS]
    parser = argparse.ArgumentParser(prog="python -m bench.survival", description=__doc__)
    parser.add_argument("--boards", nargs="+", default=list(BOARDS), choices=BOARDS)
    parser.add_argument("--contenders", nargs="+", default=CONTENDERS, choices=known)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--time-budget", type=float, help="seconds for fitting; the board's own when not given")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "survival.md")
    args = parser.parse_args()
    for name in args.boards:
        board = BOARDS[name]
        table, budget = board.load(), board.time_budget if args.time_budget is None else args.time_budget
        splits = [Split.of(table, seed) for seed in range(args.seeds)]
        heading = f"{board.title}: {len(table):,} patients, {budget:g} s"
        for contender in args.contenders:
            found = row(REAL if contender == "real" else contender, splits, time_budget=budget)
            book = put(args.out.with_suffix(".json"), f"{name} {budget:g}", Section(heading, "", {found.name: found}))
            args.out.write_text(told(book), encoding="utf-8")


if __name__ == "__main__":
    main()
