"""Optional packages: imported where they are used, and named with their install line where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from semblance.core.errors import UsageError


def need(module: str, *, extra: str, why: str) -> ModuleType:
    """Import `module`, or raise a UsageError that names the extra which installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError.of(
            f"{why} needs the package '{module.split('.')[0]}', which cannot be imported",
            rule=f"it comes with the optional extra [{extra}]",
            fix=f'pip install "semblance[{extra}]"',
        ) from error
