"""Peers' answers on small inputs, for our tests: python -m bench.oracles

Inputs come from a seed; a peer answers in its own environment; both go into tests/oracles/PEER.json. Where a peer is
right, our numbers must agree. Under "wrong" stand answers of its known errors: there ours must not agree.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from bench.boards import ROOT
from semblance.core.rng import stream

ENVIRONMENTS = {
    "sdmetrics": "sdmetrics_report",
    "anonymeter": "anonymeter_attacks",
    "prdc": "anonymeter_attacks",
    "opacus": "tabular_argn",
}
N = 60
DECIMALS = 4


def sdmetrics(rng: np.random.Generator) -> dict[str, Any]:
    """Pairs of real and synthetic columns; `wrong` are cases in which its edges or ties mislead."""
    x, y = rng.normal(size=(2, N))
    names = np.array(["a", "b", "c", "d"])
    first, second = (names[rng.choice(4, N, p=p)] for p in ([0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]))
    both = [np.stack([z, c * z + rng.normal(size=N)], axis=1) for z, c in ((x, 1.0), (y, -0.5))]
    joint = [np.stack([one, np.where(rng.random(N) < p, one, "a")], axis=1) for one, p in ((first, 0.9), (second, 0.2))]
    return {
        "numbers": {
            "shifted": _sides(x, y + 0.7),
            "with ties": _sides(x.round(), y.round()),
            "same": _sides(x, x),
            "apart": _sides(x, y + 100),
        },
        "categories": {"mixed": _sides(first, second), "absent": _sides(first, np.where(second == "d", "a", second))},
        "correlations": {"two numbers": _sides(*both)},
        "tables": {"two categories": _sides(*joint)},
        "wrong": {
            "own edges": {**_sides(x, 100 * x + 5000), "group": names[(x > 0).astype(int)].tolist()},
            "ties": _sides(x, x),
            "subsampled": {**_sides(x, x), "holdout": _listed(rng.normal(size=N)), "rows": N // 10},
        },
    }


def anonymeter(rng: np.random.Generator) -> dict[str, Any]:
    """Counts of successes; `wrong` are guesses that it takes for right and distances of missing values."""
    shares = [[100, 0], [100, 7], [500, 250], [2000, 1999], [50, 50]]
    return {
        "rates": [{"n": n, "hits": hits} for n, hits in shares],
        "residuals": [{"n": 10**6, "hits": 300_000, "control": c} for c in (100_000, 290_000, 300_000, 320_000)],
        "wrong": {
            "guesses": {"guess": [-5.0, -0.1, -1000.0], "secret": [100.0, 3.0, 1000.0]},
            "missing": {"a": [None, 0.5], "b": [None, 0.5]},
        },
    }


def prdc(rng: np.random.Generator) -> dict[str, Any]:
    """Two clouds in three dimensions."""
    real = rng.normal(size=(N, 3))
    made = {"near": (0.3, 0.8), "wide": (0.0, 2.0), "collapsed": (0.0, 0.1), "far": (9.0, 1.0)}
    return {
        "clouds": {name: _sides(real, shift + scale * rng.normal(size=(N, 3))) for name, (shift, scale) in made.items()}
    }


def opacus(rng: np.random.Generator) -> dict[str, Any]:
    """Noise on several counts: standard deviation and how many, one after the other; steps of training: noise, rate and
    how many."""
    cases = {
        "columns of Adult": ([[32.0, 15]], 1e-5),
        "columns and pairs": ([[32.0, 15], [45.0, 91]], 1e-5),
        "much": ([[10.0, 20]], 1e-6),
        "a small delta": ([[100.0, 100]], 1e-9),
        "little noise": ([[5.0, 3]], 1e-5),
    }
    trained = {
        "MNIST": ([1.1, 256 / 60_000, 14_062], 1e-5),
        "a table": ([2.0, 0.02, 500], 1e-5),
        "few patients": ([4.0, 0.25, 60], 1e-4),
        "much noise": ([8.0, 0.1, 300], 1e-6),
        "little noise": ([0.8, 0.01, 100], 1e-5),
    }
    return {
        "gaussian": {name: {"noises": noises, "delta": delta} for name, (noises, delta) in cases.items()},
        "steps": {name: {"steps": steps, "delta": delta} for name, (steps, delta) in trained.items()},
    }


PEERS = {"sdmetrics": sdmetrics, "anonymeter": anonymeter, "prdc": prdc, "opacus": opacus}


def _sides(real: np.ndarray, synthetic: np.ndarray) -> dict[str, list[Any]]:
    return {"real": _listed(real), "synthetic": _listed(synthetic)}


def _listed(values: np.ndarray) -> list[Any]:
    plain: list[Any] = (values.round(DECIMALS) if values.dtype.kind == "f" else values).tolist()
    return plain


def answered(name: str, cases: dict[str, Any]) -> dict[str, Any]:
    """The same cases with the peer's answers in them, and its version."""
    python = ROOT / ".bench" / ENVIRONMENTS[name] / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"no environment for '{ENVIRONMENTS[name]}': make peers")
    script = ROOT / "bench" / "peers" / f"{name}_answers.py"
    ran = subprocess.run([python, script], input=json.dumps(cases), capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{name}: {ran.stderr.strip().splitlines()[-1]}")
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def main() -> None:
    """Write one file for each peer."""
    parser = argparse.ArgumentParser(prog="python -m bench.oracles", description=__doc__)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "oracles")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.peers:
        said = answered(name, PEERS[name](stream(0, "oracle", name)))
        (args.out / f"{name}.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
