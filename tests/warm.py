"""Python programs in forks of an interpreter that has already imported what they need.

A new interpreter spends 4 to 6 seconds on importing torch, pandas and scikit-learn, and most tests of the command line
and of the pages ask only what a program does after that. So each test process starts one warm interpreter; a program
runs in a fork of it, with memory, folder, environment and streams of its own, and ends as in an interpreter of its own.

Forks share what an interpreter settles at its start, above all the order of hashes: tests that compare the bytes of two
runs have one of them in a second warm interpreter, of another order (`other`). Tests that send signals, limit resources
or measure start-up use `subprocess`.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).resolve().parents[1] / "src"
# What semblance imports inside functions, or has others import. None may start threads (a fork would lack them)
# or keep randomness of its own (forks would share it), as OpenDP does.
LATE = (
    *("lightgbm", "pyarrow.csv", "pyarrow.feather", "pyarrow.parquet", "pydantic.type_adapter", "scipy.optimize"),
    "dp_accounting.pld.privacy_loss_distribution",
    *("torch._dynamo", "torch.fx.experimental.symbolic_shapes"),  # imported by the first optimizer of a process
)


def environment(**more: str) -> dict[str, str]:
    """The environment of a person without a terminal."""
    told = {"PYTHONPATH": str(SOURCE), "COLUMNS": "80", "NO_COLOR": "", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **told, **more}


def run(
    words: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    other: bool = False,
    until: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """`subprocess.run([sys.executable, *words], capture_output=True, text=True)`, in a fork of the warm interpreter.

    `words` begin with -m MODULE, -c CODE, or a file. PYTHON... variables in `env` say nothing to a fork. It is a fork
    of the `other` interpreter where that is asked for, and is killed as soon as the pattern `until` is in its stderr.
    """
    warm, words = _interpreter(other), [str(word) for word in words]
    assert warm.stdin is not None and warm.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        streams = [os.devnull, f"{folder}/out", f"{folder}/err"]
        program = [words, str(cwd or Path.cwd()), dict(os.environ if env is None else env), streams]
        Path(streams[2]).touch()
        print(json.dumps([program, timeout, until]), file=warm.stdin, flush=True)
        code = json.loads(warm.stdout.readline())
        out, err = (Path(name).read_text() for name in streams[1:])
    if code is None:
        raise subprocess.TimeoutExpired(words, timeout or 0, out, err)
    return subprocess.CompletedProcess(words, code, out, err)


@cache
def _interpreter(other: bool) -> subprocess.Popen[str]:
    """The warm interpreters of this test process, each with an order of hashes; they end when their stdin does."""
    words, pipe = [sys.executable, "-P", __file__], subprocess.PIPE
    env = environment(OMP_NUM_THREADS="1", PYTHONHASHSEED="random")
    warm = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=env)
    atexit.register(warm.communicate)
    return warm


def _warm_up() -> None:
    """Import semblance but for the module that is run; what is not installed is left to the program to miss."""
    import numpy as np
    import pyarrow as pa

    import semblance
    from semblance.app.html import templates
    from semblance.modalities.table.dates import find_dating

    found = [module.name for module in pkgutil.walk_packages(semblance.__path__, "semblance.")]
    for name in (*found, *LATE):
        if name != "semblance.__main__":
            with suppress(ImportError):
                importlib.import_module(name)
    find_dating(pa.array(["2020-01-31"]), counts=np.ones(1))  # compiles the patterns of all formats
    for name in templates().list_templates(["j2"]):
        templates().get_template(name)


def _serve() -> None:
    """Answer each program with its exit code, or with null where it was killed for taking too long."""
    gc.freeze()  # the forks need not look for garbage among what was imported
    for line in sys.stdin:
        asked, timeout, until = json.loads(line)
        program = multiprocessing.get_context("fork").Process(target=_become, args=asked)
        program.start()
        if until is not None:
            while program.is_alive() and not re.search(until, Path(asked[-1][2]).read_text()):
                program.join(0.01)
            program.kill()
        program.join(timeout)
        if late := program.is_alive():
            program.kill()
            program.join()
        print(json.dumps(None if late else program.exitcode), flush=True)


def _become(words: list[str], cwd: str, env: dict[str, str], streams: list[str]) -> None:
    """Be `python WORDS`."""
    for number, name in enumerate(streams):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    kind, rest = (words[0], words[1:]) if words[0] in ("-c", "-m") else ("", words)
    sys.path.insert(0, "" if kind else str(Path(rest[0]).parent))
    sys.argv = ["-c", *rest[1:]] if kind == "-c" else rest
    if kind == "-m":
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), vars(main))
    else:
        runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    _warm_up()
    _serve()
    os._exit(0)  # taking down all that was imported takes seconds, and leaves nothing behind
