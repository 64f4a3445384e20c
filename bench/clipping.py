"""The sum of clipped gradients, ours beside Opacus and torch.func: python -m bench.clipping

The same network, records, torch and thread for all, each in a process of its own. Writes results/clipping.md.
"""

from __future__ import annotations

import json
import subprocess
import sys

import torch
from torch import nn
from torch.nn import functional

from bench.boards import ROOT
from bench.contenders import PEERS, environment, installed
from bench.peers.clipped import NETWORKS, RECORDS, TURNS, length, timed
from bench.results import facts
from semblance.core.files import write_text
from semblance.learn.gradients import Gradients

OURS, PLAIN = "ours", "gradient of the mean, no privacy"
OPACUS = {"Opacus, hooks": "opacus", "Opacus, ghost clipping": "ghost"}
WAYS = {PLAIN: "plain", "torch.func, vmap of grad": "functional", **OPACUS}
HEAD = """# Gradients of single records, clipped and summed

What a step of DP-SGD costs before its noise: {records} records, median of {turns} turns, seconds of one processor.
Length: that of the sum, which all that clip must agree on.

{facts}

| way | network | milliseconds | times the plain one | length |
|---|---|---:|---:|---:|
"""


def ours(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Lengths and sums from what went into each layer and what came back."""
    held = list(net.parameters())
    found = Gradients.of(
        lambda: functional.mse_loss(net(x), y, reduction="none").flatten(1).mean(1), held, records=len(x), times=1
    )
    return length(found.sums((1 / found.lengths()).clamp(max=1)))


def main() -> None:
    """Run all, write."""
    opacus = PEERS["tabular_argn"]
    lines = []
    for network in NETWORKS:
        found = {OURS: timed(network, ours)}
        for name, way in WAYS.items():
            python = environment(opacus) / "bin" / "python" if name in OPACUS else sys.executable
            command = [python, ROOT / "bench" / "peers" / "clipped.py", network, way]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            found[name] = json.loads(ran.stdout.splitlines()[-1])
        plain = found[PLAIN]["seconds"]
        for name, told in sorted(found.items(), key=lambda one: one[1]["seconds"]):
            seconds, size = told["seconds"], "" if name == PLAIN else f"{told['length']:.4f}"
            lines.append(f"| {name} | {network} | {1000 * seconds:.1f} | {seconds / plain:.1f} | {size} |")
            print(lines[-1], flush=True)
    notes = [f"- Opacus {installed(environment(opacus), 'opacus')}"]
    said = "\n".join(facts("clipping", notes))
    text = HEAD.format(records=RECORDS, turns=TURNS, facts=said) + "\n".join(lines) + "\n"
    write_text(ROOT / "bench" / "results" / "clipping.md", text)


if __name__ == "__main__":
    main()
