"""What a result depends on besides data and options: our own source, the libraries, and the number of threads."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from threadpoolctl import threadpool_limits

import semblance
from semblance.core.errors import DataError, UsageError, reason
from semblance.core.files import sha256_of

_limits: threadpool_limits | None = None  # kept: the limits hold until another call
LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "torch")


def code_digest() -> str:
    """sha256 over every source file of the package."""
    root, total = Path(semblance.__file__).parent, hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".toml", ".j2")):
        total.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def versions() -> dict[str, str]:
    """Versions of semblance, Python and the libraries that are installed."""
    found = {"semblance": semblance.__version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def fingerprint(path: str) -> str:
    """sha256 of an input file (of the zip, for `FILE.zip::member`), of a folder of the names and hashes of its files.

    Raises UsageError where there is none and DataError where it cannot be read.
    """
    file = Path(path if Path(path).exists() else path.partition("::")[0])
    if not file.exists():
        raise UsageError.of(f"no file '{file}'", rule="an input exists", fix="check the spelling and the folder")
    if file.is_dir():
        inside = sorted(one for one in file.rglob("*") if one.is_file())
        named = [f"{one.relative_to(file).as_posix()} {fingerprint(str(one))}" for one in inside]
        return hashlib.sha256("\n".join(named).encode()).hexdigest()
    try:
        return sha256_of(file)
    except OSError as error:
        raise DataError.of(
            f"'{file.name}' cannot be read ({reason(error)})",
            rule="an input is a file that may be read",
            fix="check the permissions",
        ) from error


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_threads(count: int) -> None:
    """Let numeric libraries use `count` threads: those not loaded yet through the environment, the others directly.

    Threads that wait shall sleep, not spin: on a machine with other work, spinning made training five times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)
    global _limits
    _limits = threadpool_limits(count)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
