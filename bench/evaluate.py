"""The judge beside its peers on the same files: python -m bench.evaluate --board diabetes130 --tier standard

Train, holdout and a synthetic set stand in three Parquet files. Our judges and every part of every peer judge them, one
after the other, each in a process and an environment of its own, within limits of time and memory. For what a peer
shares with us, the judges that owe the same findings run alone as well, so that like is timed beside like.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import psutil

from bench.boards import BOARDS, ROOT
from bench.contenders import attempt, installed
from bench.results import facts
from bench.simulated import simulated
from bench.watch import Limits, Outcome, watched
from semblance.core.dataset import split_by_subject
from semblance.core.rng import stream
from semblance.modalities.table.data import Table

SIMULATED = {f"simulated-{rows // 1000}k": rows for rows in (10_000, 30_000, 100_000)}
COLUMNS = 50
HOLDOUT = 0.2
OURS = "semblance"
COLUMN_BY_COLUMN, PAIRWISE = "fidelity.shape", "fidelity.pairs"


@dataclass(frozen=True)
class Peer:
    """One part of a peer, its packages, and the findings of ours (ids, with * for any) that measure the same."""

    name: str
    part: str
    packages: tuple[str, ...]
    findings: tuple[str, ...]


def _synthcity(part: str, *findings: str) -> Peer:
    return Peer("synthcity_metrics", part, ("synthcity", "torch"), findings)


CLOSEST = "privacy.distance"
PEERS = (
    Peer("sdmetrics_report", "quality", ("sdmetrics",), (COLUMN_BY_COLUMN, PAIRWISE)),
    Peer("sdmetrics_report", "distances", ("sdmetrics",), (CLOSEST,)),
    Peer(
        "mostlyai_qa",
        "report",
        ("mostlyai-qa", "torch"),
        (COLUMN_BY_COLUMN, PAIRWISE, "fidelity.triples", "fidelity.c2st", "privacy.copies", CLOSEST),
    ),
    _synthcity("ks_test", COLUMN_BY_COLUMN),
    _synthcity("jensenshannon_dist", "fidelity.hellinger"),
    _synthcity("wasserstein_dist", "fidelity.sliced"),
    _synthcity("max_mean_discrepancy", "fidelity.mmd"),
    _synthcity("prdc", "fidelity.density", "fidelity.coverage"),
    _synthcity("alpha_precision", "fidelity.precision", "fidelity.recall", "privacy.authenticity"),
    _synthcity("detection_xgb", "fidelity.c2st"),
    _synthcity("linear_model", "utility.tstr*"),
    _synthcity("xgb", "utility.tstr*"),
    _synthcity("common_rows_proportion", "privacy.copies"),
    _synthcity("identifiability_score", CLOSEST),
    _synthcity("DomiasMIA_KDE", "privacy.membership"),
    Peer("anonymeter_attacks", "singling_out", ("anonymeter",), ("privacy.singling_out",)),
    Peer("anonymeter_attacks", "linkability", ("anonymeter",), ("privacy.linkability",)),
    Peer("anonymeter_attacks", "inference", ("anonymeter",), ("privacy.inference",)),
)


@dataclass(frozen=True)
class Timing:
    """What one call took: seconds of the judgement itself and the peak memory (GiB) of its process and workers."""

    outcome: Outcome
    seconds: float
    memory: float
    steps: tuple[tuple[str, float], ...] = ()
    said: str = ""


@dataclass(frozen=True)
class Files:
    """The three files in a folder, as a job names them."""

    folder: Path
    job: dict[str, Any]


def load(board: str) -> Table:
    """A board of bench.boards, or simulated records with so many of them in train."""
    if board in SIMULATED:
        return simulated(rows=round(SIMULATED[board] / (1 - HOLDOUT)), columns=COLUMNS)
    return BOARDS[board].load()


def prepared(board: str, folder: Path, *, synthetic: Path | None, generator: str, seed: int, tier: str) -> Files:
    """Split by patient, make the synthetic set (or take a saved one), and write all three."""
    table = load(board)
    train, holdout = split_by_subject(table, holdout=HOLDOUT, rng=stream(seed, "split"))
    if synthetic is None:
        made = attempt(generator, train, seed=seed, time_budget=20).synthetic.to_pandas()
    else:
        made = pd.read_parquet(synthetic) if synthetic.suffix == ".parquet" else pd.read_csv(synthetic)
    frames = {"train": train.to_pandas(), "holdout": holdout.to_pandas(offset=len(table)), "synthetic": made}
    for name, frame in frames.items():
        _plain(frame).to_parquet(folder / f"{name}.parquet")
    roles = {column.role: column.name for column in table.schema}
    said = {part: str(folder / f"{part}.parquet") for part in frames}
    columns = [column.name for column in table.schema.learned]
    wants = {"columns": columns, "target": roles.get("target"), "subject": roles.get("subject")}
    return Files(folder, {**said, **wants, "seed": seed, "tier": tier})


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as text, which every peer reads."""
    return frame.astype({name: object for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)})


def of_ours(files: Files, findings: Sequence[str], *, limits: Limits) -> Timing:
    """Our judges that owe these findings ('*': the whole judgement)."""
    return _timed([sys.executable, "-m", "bench.ours"], files, {"findings": list(findings)}, limits, ROOT)


def of_peer(peer: Peer, files: Files, *, limits: Limits) -> Timing:
    """One part of a peer in its own environment."""
    python = ROOT / ".bench" / peer.name / "bin" / "python"
    if not python.exists():
        return Timing("failed", 0.0, 0.0, said="no environment: make peers")
    script = ROOT / "bench" / "peers" / f"{peer.name}.py"
    return _timed([python, script], files, {"part": peer.part}, limits, files.folder)


def _timed(command: list[str | Path], files: Files, wants: dict[str, Any], limits: Limits, folder: Path) -> Timing:
    out, job = files.folder / "answer.json", files.folder / "job.json"
    begun = out.with_suffix(".begun")
    for old in (out, begun):
        old.unlink(missing_ok=True)
    job.write_text(json.dumps({**files.job, **wants, "out": str(out)}))
    ran = watched([*command, job], limits=limits, folder=folder)
    if ran.outcome != "finished":
        seconds = time.time() - begun.stat().st_mtime if begun.exists() else ran.seconds
        return Timing(ran.outcome, seconds, ran.peak, said=ran.said)
    answer = json.loads(out.read_text())
    steps = tuple(answer.get("steps", {}).items())
    return Timing("finished", answer["seconds"], max(ran.peak, answer["peak"]), steps)


def middle(call: Callable[[], Timing], *, repeats: int) -> Timing:
    """The median of several tries; one that does not finish is not tried again."""
    tries: list[Timing] = []
    for _ in range(repeats):
        tries.append(call())
        if tries[-1].outcome != "finished":
            return tries[-1]
    steps = tuple((name, median(dict(t.steps)[name] for t in tries)) for name, _ in tries[0].steps)
    seconds, memory = median(t.seconds for t in tries), max(t.memory for t in tries)
    return replace(tries[0], seconds=seconds, memory=memory, steps=steps)


@dataclass(frozen=True)
class Row:
    """A part of a peer beside the judges of ours that measure the same; None where none of ours does yet."""

    peer: Peer
    theirs: Timing
    ours: Timing | None


def compared(peers: Sequence[Peer], files: Files, *, limits: Limits, repeats: int) -> Iterator[Row]:
    """Time every part, and ours beside it; the same judges of ours are timed once."""
    known: dict[tuple[str, ...], Timing | None] = {}
    for peer in peers:
        theirs = middle(lambda peer=peer: of_peer(peer, files, limits=limits), repeats=repeats)  # type: ignore[misc]
        if peer.findings not in known:
            known[peer.findings] = _beside(files, peer.findings, limits=limits, repeats=repeats)
        yield Row(peer, theirs, known[peer.findings])


def _beside(files: Files, findings: tuple[str, ...], *, limits: Limits, repeats: int) -> Timing | None:
    timing = middle(lambda: of_ours(files, findings, limits=limits), repeats=repeats)
    judges = [name for name, _ in timing.steps if name != "floor"]
    return timing if judges or timing.outcome != "finished" else None


def together(rows: Sequence[Row], files: Files, *, limits: Limits, repeats: int) -> Iterator[Row]:
    """For each peer with several parts: the parts that both sides have, and ours for all of them in one process."""
    for name in dict.fromkeys(row.peer.name for row in rows):
        shared = [row for row in rows if row.peer.name == name and row.ours is not None]
        if len(shared) < 2:
            continue
        findings = tuple(dict.fromkeys(one for row in shared for one in row.peer.findings))
        whole = replace(shared[0].peer, part="all of these", findings=findings)
        yield Row(whole, _sum([row.theirs for row in shared]), _beside(files, findings, limits=limits, repeats=repeats))


def _sum(timings: Sequence[Timing]) -> Timing:
    """Parts one after the other; where one did not finish, the sum is a lower bound."""
    ended: Outcome = next((t.outcome for t in timings if t.outcome != "finished"), "finished")
    return Timing(ended, sum(t.seconds for t in timings), max(t.memory for t in timings))


def table(rows: Sequence[Row]) -> list[str]:
    """Peers beside ours, as Markdown."""
    head = "| peer | part | s | GiB | judges of ours for the same | s | GiB | peer's time / ours |"
    return [head, "|---|---|---:|---:|---|---:|---:|---:|", *(_line(row) for row in rows)]


def _line(row: Row) -> str:
    theirs, mine = row.theirs, row.ours
    done = theirs.outcome == "finished"
    seconds = f"{theirs.seconds:.1f}" if done else _told(theirs)
    start = f"| {row.peer.name} | {row.peer.part} | {seconds} | {theirs.memory:.1f} |"
    if mine is None:
        return f"{start} none | | | |"
    if mine.outcome != "finished":
        return f"{start} {', '.join(row.peer.findings)} | {_told(mine)} | {mine.memory:.1f} | |"
    names = ", ".join(name for name, _ in mine.steps if name != "floor")
    ratio = "" if theirs.outcome == "failed" else f"{'' if done else '> '}{theirs.seconds / mine.seconds:.1f}"
    return f"{start} {names} | {mine.seconds:.1f} | {mine.memory:.1f} | {ratio} |"


def _told(timing: Timing) -> str:
    why = f" ({timing.said[:80]})" if timing.outcome == "failed" and timing.said else ""
    return f"{timing.outcome}{why} after {timing.seconds:.0f} s".replace("|", "/")


def whole(timing: Timing) -> list[str]:
    """Our whole judgement, judge by judge."""
    told = f"{timing.seconds:.1f} s" if timing.outcome == "finished" else _told(timing)
    lines = ["", f"The whole judgement: {told}, {timing.memory:.1f} GiB.", "", "| judge | s |", "|---|---:|"]
    return lines + [f"| {name} | {seconds:.2f} |" for name, seconds in timing.steps]


def versions(peers: Sequence[Peer]) -> str:
    """The versions of the peers, as their environments have them."""
    told: list[str] = []
    for name, packages in dict.fromkeys((peer.name, peer.packages) for peer in peers):
        told += [f"{package} {installed(ROOT / '.bench' / name, package)}" for package in packages]
    return ", ".join(dict.fromkeys(told))


def run(args: argparse.Namespace, folder: Path) -> list[str]:
    """One board's part of the result file."""
    limits = Limits(args.minutes * 60, args.memory)
    files = prepared(
        args.board, folder, synthetic=args.synthetic, generator=args.generator, seed=args.seed, tier=args.tier
    )
    sizes = {part: len(pd.read_parquet(files.job[part])) for part in ("train", "holdout", "synthetic")}
    peers = [peer for peer in PEERS if peer.name in args.peers]
    mine = middle(lambda: of_ours(files, ["*"], limits=limits), repeats=args.repeats)
    print(f"{OURS}: {mine.outcome}, {mine.seconds:.1f} s, {mine.memory:.1f} GiB", flush=True)
    rows = []
    for row in compared(peers, files, limits=limits, repeats=args.repeats):
        rows.append(row)
        print(_line(row), flush=True)
    rows += together(rows, files, limits=limits, repeats=args.repeats)
    size = f"- records: {', '.join(f'{n:,} {part}' for part, n in sizes.items())}; {len(files.job['columns'])} columns"
    return [*_notes(args, peers, size), "", *table(rows), *whole(mine)]


def _notes(args: argparse.Namespace, peers: Sequence[Peer], size: str) -> list[str]:
    made = f"the '{args.generator}' generator's" if args.synthetic is None else "saved"
    return facts(
        "evaluate",
        [
            f"- peers: {versions(peers)}",
            f"{size}; the synthetic records are {made}",
            f"- tier {args.tier}, medians of {args.repeats} run(s), at most {args.minutes:g} min, {args.memory:g} GiB;",
            "  reading files and imports are not timed; memory is the process with its workers",
            "- our seconds hold the controls on real data, the floor and the intervals, which the peers do not compute",
        ],
    )


def write(path: Path, board: str, lines: Sequence[str]) -> str:
    """Put a board's part into the result file, in the place of an older one of the same board."""
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:] if path.exists() else []
    kept = {part.partition("\n")[0]: part for part in parts}
    kept[board] = "\n".join([board, "", *lines, ""])
    text = "\n## ".join(["# The judge beside its peers\n", *(part.rstrip("\n") + "\n" for part in kept.values())])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return kept[board]


def main() -> None:
    """The command line."""
    names = tuple(dict.fromkeys(peer.name for peer in PEERS))
    most = psutil.virtual_memory().total / 2**30
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate", description=__doc__)
    parser.add_argument("--board", choices=[*BOARDS, *SIMULATED], required=True)
    parser.add_argument("--tier", choices=("fast", "standard", "audit"), default="standard")
    parser.add_argument("--peers", nargs="*", default=names, choices=names)
    parser.add_argument("--generator", default="copula", help="the catalogue's generator that makes the synthetic set")
    parser.add_argument("--synthetic", type=Path, help="a saved synthetic set instead (CSV or Parquet)")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=15, help="the most time of one call")
    parser.add_argument("--memory", type=float, default=round(0.9 * most, 1), help="the most memory of one call, GiB")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "evaluate.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(write(args.out, args.board, run(args, Path(folder))))


if __name__ == "__main__":
    main()
