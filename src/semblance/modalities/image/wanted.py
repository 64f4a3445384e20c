"""What is asked of new images: of their label and facts, and of the text that they are drawn for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from semblance.core.classes import Classes
from semblance.core.errors import Problem, UsageError
from semblance.core.model import Wanted
from semblance.modalities.image.facts import Facts
from semblance.modalities.image.prompts import Prompts


@dataclass(frozen=True)
class Asked:
    """`rest` is what is asked of labels, or of facts where there are any; `text` is the same for all images."""

    rest: Any = None
    text: str | None = None


def asked(known: Classes, facts: Facts | None, prompts: Prompts | None, wanted: Wanted | None) -> Asked:
    """What is wanted, in the terms of those who draw it. Labels that nobody asks for are those of images of the text.

    Raises UsageError with all that cannot be had.
    """
    drawer = known if facts is None else facts
    if wanted is None or prompts is None or prompts.name not in wanted.given:
        return Asked(drawer.asked(wanted))
    text = wanted.given[prompts.name]
    problems = prompts.strange(text)
    rest = replace(wanted, given={name: one for name, one in wanted.given.items() if name != prompts.name})
    if not problems and known.name and known.name not in {*rest.given, *rest.quota}:
        likely = prompts.likely(text, known.shares).tolist()
        rest = replace(rest, quota={**rest.quota, known.name: dict(zip(known.kinds, likely, strict=True))})
    return Asked(_asked(drawer, rest, problems), text)


def _asked(drawer: Classes | Facts, rest: Wanted, problems: list[Problem]) -> Any:
    """What is asked of labels or facts. Raises UsageError with what is wrong with it, and with the text."""
    try:
        made = drawer.asked(rest)
    except UsageError as error:
        raise UsageError(*problems, *error.problems) from None
    if problems:
        raise UsageError(*problems)
    return made
