"""What a run tells while it runs. The pipeline only emits events; screens draw them or print them as JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from semblance.core.modality import Profile


@dataclass(frozen=True)
class Profiled:
    """The reader has looked at the input: what stands in it, and what will be done with every field."""

    profile: Profile
    title: str


@dataclass(frozen=True)
class Started:
    """Stage `name` begins: number `index` of `total`."""

    name: str
    index: int
    total: int


@dataclass(frozen=True)
class Progressed:
    """Stage `name` has done `step` of `steps` (0: unknown). `loss` and `held_out` while a network learns."""

    name: str
    step: int
    steps: int
    label: str = ""
    loss: float | None = None
    held_out: float | None = None


@dataclass(frozen=True)
class Finished:
    """Stage `name` is done after `seconds`; `reused` where an earlier run had already finished it."""

    name: str
    seconds: float
    reused: bool
    detail: str = ""


@dataclass(frozen=True)
class Noted:
    """A sentence for the person."""

    text: str


Event = Profiled | Started | Progressed | Finished | Noted
Show = Callable[[Event], Any]


def quiet(event: Event) -> None:
    """Show nothing."""
