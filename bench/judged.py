"""Known answers and other tools' records through `semblance evaluate`: python -m bench.judged --boards flchain adult

Patients are dealt into train (half), holdout (a quarter) and fresh (a quarter). The fresh ones are the synthetic set
that must be released; spoilt real records must be refused, each for its own reason; generators learn from train.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.boards import BOARDS, ROOT
from bench.contenders import attempt
from bench.results import facts
from semblance.core.dataset import split_by_subject
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.embed import embed

PROFILES = {"flchain": "controlled", "adult": "public", "diabetes130": "public"}
PROTECTED = {"flchain": "sex", "adult": "sex", "diabetes130": "gender"}
OURS = ("marginals", "autoregressive")
PEERS = ("sdv_ctgan", "tabular_argn")
RARE = 11
NOISE = 0.02  # of a column's standard deviation
MODES = 3
KEPT = 0.1  # share of the records that a collapsed generator still makes
TURNED = 0.3  # share of the outcomes that a biased generator turns


@dataclass(frozen=True)
class Parts:
    """Three groups of patients, and which column says their sex."""

    train: Table
    holdout: Table
    fresh: Table
    protected: str

    @classmethod
    def of(cls, table: Table, *, protected: str, seed: int) -> Parts:
        """Deal the patients; none stands in two parts."""
        train, rest = split_by_subject(table, holdout=0.5, rng=stream(seed, "split"))
        holdout, fresh = split_by_subject(rest, holdout=0.5, rng=stream(seed, "split again"))
        return cls(train, holdout, fresh, protected)


Make = Callable[[Parts, np.random.Generator], pd.DataFrame]


def known(table: Table, parts: Parts) -> pd.DataFrame:
    """The records without those whose category fewer than RARE train patients have: no small cell decides a verdict."""
    frame, train = table.to_pandas(), parts.train.to_pandas()
    kept = np.ones(len(frame), dtype=bool)
    for column in table.schema.learned:
        if not column.continuous:
            held = pd.Series(parts.train.subjects).groupby(train[column.name].astype(object).to_numpy()).nunique()
            kept &= ~frame[column.name].notna() | frame[column.name].isin(held.index[held >= RARE])
    return frame[kept].reset_index(drop=True)


def fresh(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Real patients whom no part of the judgement has seen."""
    return known(parts.fresh, parts)


def copycat(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Training records with a little noise on every number."""
    frame = known(parts.train, parts)
    for column in parts.train.schema.learned:
        if column.continuous and pd.api.types.is_numeric_dtype(frame[column.name]):
            values = frame[column.name]
            noisy = values + rng.normal(0, NOISE * float(values.std()), len(frame))
            frame[column.name] = (noisy.round() if column.kind == "integer" else noisy).astype(values.dtype)
    return frame


def collapsed(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Only records near a few real ones, again and again."""
    where = embed(parts.fresh, parts.train)
    anchors = where[rng.choice(len(where), MODES, replace=False)]
    apart = np.min([np.square(where - anchor).sum(axis=1) for anchor in anchors], axis=0)
    near = np.argsort(apart, kind="stable")[: max(MODES, int(KEPT * len(where)))]
    return known(parts.fresh.take(rng.choice(near, len(where))), parts)


def biased(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Real patients, but the outcome that a group has more often than the others is given to more of them."""
    frame = known(parts.fresh, parts)
    outcome = next(column.name for column in parts.train.schema if column.role == "target")
    group = frame[parts.protected] == frame[parts.protected].mode()[0]
    common, rare = frame[outcome].value_counts().index[:2]
    more = (frame.loc[group, outcome] == common).mean() >= (frame.loc[~group, outcome] == common).mean()
    turned = rng.random(len(frame)) < TURNED
    frame.loc[turned & group, outcome] = common if more else rare
    frame.loc[turned & ~group, outcome] = rare if more else common
    return frame


REAL: Mapping[str, Make] = {"fresh patients": fresh, "copycat": copycat, "collapsed": collapsed, "biased": biased}


def learned(name: str, parts: Parts, *, seed: int, time_budget: float) -> pd.DataFrame:
    """Records of a generator that has learned from train: of the catalogue, or a peer in its own environment."""
    return attempt(name, parts.train, seed=seed, time_budget=time_budget).synthetic.to_pandas()


def judged(board: str, folder: Path, synthetic: str, table: Table, *, tier: str, profile: str) -> dict[str, Any]:
    """What `semblance evaluate --json` says, with the seconds that it took."""
    named = {column.role: column.name for column in table.schema}
    words = [f"--{part}={folder / f'{part}.csv'}" for part in ("train", "holdout")]
    words += [f"--synthetic={folder / f'{synthetic}.csv'}", f"--output={folder / f'run-{synthetic}'}"]
    words += [f"--{role}={named[role]}" for role in ("target", "subject") if role in named]
    for old in folder.glob(f"run-{synthetic}*"):
        shutil.rmtree(old)
    begun = time.perf_counter()
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "semblance",
            "evaluate",
            *words,
            "--tier",
            tier,
            "--profile",
            profile,
            "--holds-records",
            "no",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SEMBLANCE_KEY_DIR": str(folder / "key")},
    )
    said = _said(ran)
    return {**said, "seconds": time.perf_counter() - begun}


def _said(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The command's JSON; for one that came to no verdict its exit code and its last words."""
    try:
        said: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        said = {}
    if "verdict" in said:
        return said
    words = (ran.stderr or ran.stdout).split()
    return {"verdict": f"none (exit {ran.returncode})", "reasons": [" ".join(words)[-200:]]}


def run(board: str, names: list[str], folder: Path, *, seed: int, time_budget: float, tier: str) -> list[str]:
    """One line of the table for each set."""
    table = BOARDS[board].load()
    parts = Parts.of(table, protected=PROTECTED[board], seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    _write(parts.train.to_pandas(), folder / "train.csv")
    _write(parts.holdout.to_pandas(offset=len(table)), folder / "holdout.csv")
    lines = []
    for name in names:
        path = folder / f"{name.replace(' ', '-')}.csv"
        if not path.exists():
            rng = stream(seed, "judged", name)
            made = REAL[name](parts, rng) if name in REAL else learned(name, parts, seed=seed, time_budget=time_budget)
            _write(made, path)
        said = judged(board, folder, path.stem, table, tier=tier, profile=PROFILES[board])
        lines.append(_line(name, said))
        print(lines[-1], flush=True)
    return lines


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


def _line(name: str, said: Mapping[str, Any]) -> str:
    reasons = "<br>".join(str(reason).replace("|", "\\|") for reason in said.get("reasons", ()))
    return f"| {name} | {said['verdict']} | {said['seconds']:.0f} | {reasons} |"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.judged", description=__doc__)
    parser.add_argument("--boards", nargs="+", choices=BOARDS, default=list(BOARDS))
    parser.add_argument("--sets", nargs="+", choices=[*REAL, *OURS, *PEERS], default=[*REAL, *OURS, *PEERS])
    parser.add_argument("--tier", choices=("fast", "standard", "audit"), default="standard")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-budget", type=float, default=180, help="seconds in which a generator may learn")
    parser.add_argument("--keep", type=Path, help="a folder for the sets; those that it holds are not made again")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "judged.md")
    args = parser.parse_args()
    text = ["# Known answers and other tools' records, judged by `semblance evaluate`", ""]
    text += facts("judged", _note(args))
    with tempfile.TemporaryDirectory() as scratch:
        root = args.keep if args.keep is not None else Path(scratch)
        for board in args.boards:
            lines = run(board, args.sets, root / board, seed=args.seed, time_budget=args.time_budget, tier=args.tier)
            text += ["", f"## {BOARDS[board].title}; asked for: {PROFILES[board]}", ""]
            text += ["| synthetic set | verdict | s | reasons |", "|---|---|---:|---|", *lines]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join([*text, ""]), encoding="utf-8")


def _note(args: argparse.Namespace) -> list[str]:
    what = {name: " ".join((make.__doc__ or "").split()) for name, make in REAL.items()}
    return [
        f"- tier {args.tier}, seed {args.seed}, {args.time_budget:g} s to learn; the seconds are those of the command",
        *(f"- {name}: {told[0].lower()}{told[1:]}" for name, told in what.items()),
    ]


if __name__ == "__main__":
    main()
