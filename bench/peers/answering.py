"""How a peer answers the cases of bench/oracles.py: JSON on stdin, the same JSON with its answers on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any


def serve(package: str, answer: Callable[[dict[str, Any]], None]) -> None:
    """Let `answer` write the answers into the cases. What the peer prints goes to stderr."""
    cases = json.load(sys.stdin)
    with redirect_stdout(sys.stderr):
        answer(cases)
    json.dump({"peer": f"{package} {version(package)}", **cases}, sys.stdout)
