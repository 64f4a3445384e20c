"""What the person declared about recordings: the schema file as parsed, checked as far as no data is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from semblance.core import declared
from semblance.core.declared import Common, is_number, is_text, is_texts, unknown
from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions
from semblance.modalities.signal.aami import MEMBERS

__all__ = ["LAYOUTS", "Said", "check", "unknown"]
DETECT, MISSING = "detect", "missing"
LAYOUTS = ("wide", "long", "leads x samples", "samples x leads")


@dataclass(frozen=True)
class Said(Common):
    """The declarations that hold.

    `rate` (Hz) is that of data which tells none; `resample` (Hz) the one that all are brought to, `assumed`
    (Hz) that of further data where neither the data nor the person tells one; `band` (Hz) are the lowest and the
    highest frequency that are kept. `leads` are the names of the leads, in order;
    `units` the unit of all, or of each by name. `layout` is one of LAYOUTS; `time`, `record`, `lead`, `value` and
    `state` name columns of a table of samples. `states` are texts that are states for sure; `beats` is "detect" where
    they shall be found in recordings that mark none, `spikes` "missing" where gross ones shall count as such.
    For differential privacy: `range` is the lowest and the highest value, of all leads or of each by name; `seconds` is
    how long a made recording is; `kinds` are the classes of beats that are learned, the usual one first.
    """

    rate: float | None = None
    resample: float | None = None
    assumed: float | None = None
    band: tuple[float, float] | None = None
    leads: tuple[str, ...] | None = None
    units: str | Mapping[str, str] | None = None
    layout: str | None = None
    annotator: str = "atr"
    beats: str | None = None
    spikes: str | None = None
    states: tuple[str, ...] = ()
    time: str | None = None
    record: str | None = None
    lead: str | None = None
    value: str | None = None
    state: str | None = None
    range: tuple[float, float] | Mapping[str, tuple[float, float]] | None = None
    seconds: float | None = None
    kinds: tuple[str, ...] | None = None

    def unit(self, lead: str) -> str | None:
        """The declared unit of a lead."""
        return self.units if self.units is None or isinstance(self.units, str) else self.units.get(lead)


def check(options: ReadOptions) -> tuple[Said, list[Problem]]:
    """The declarations of `options`, with every problem that they have."""
    common, signal, problems = declared.check(options, own="signal", rules=_SIGNAL)
    if problems:
        return Said(), problems
    lists = {key: tuple(signal[key]) for key in ("leads", "states", "kinds") if key in signal}
    rates = {key: float(signal[key]) for key in ("rate", "resample", "seconds") if key in signal}
    band = {"band": tuple(map(float, signal["band"]))} if "band" in signal else {}
    return Said(**{**signal, **lists, **rates, **band, **common}), []


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


def _is_span(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value)) and value[0] < value[1]


def _is_band(value: Any) -> bool:
    return _is_span(value) and value[0] >= 0


def _is_range(value: Any) -> bool:
    return _is_span(value) or (isinstance(value, Mapping) and bool(value) and all(map(_is_span, value.values())))


def _is_kinds(value: Any) -> bool:
    return is_texts(value) and len(value) > 0 and set(value) <= set(MEMBERS)


def _is_units(value: Any) -> bool:
    return is_text(value) or (isinstance(value, Mapping) and all(map(is_text, value.values())))


_SIGNAL: dict[str, tuple[Callable[[Any], bool], str]] = {
    "rate": (_is_rate, "a number of samples per second, above 0"),
    "resample": (_is_rate, "a number of samples per second, above 0"),
    "band": (_is_band, "a lowest and a highest frequency in Hz, such as [0.5, 40]; 0 keeps all that is slow"),
    "leads": (is_texts, "a list of different texts"),
    "range": (_is_range, "a lowest and a highest value, or a table such as { II = [-3, 3] }"),
    "seconds": (_is_rate, "a number of seconds, above 0"),
    "kinds": (_is_kinds, f"a list of different classes of {', '.join(MEMBERS)}, the usual one first"),
    "states": (is_texts, "a list of different texts"),
    "units": (_is_units, 'a text, or a table such as { II = "mV" }'),
    "layout": (lambda value: value in LAYOUTS, f"one of {', '.join(LAYOUTS)}"),
    "beats": (lambda value: value == DETECT, f"'{DETECT}', to find them in recordings that mark none"),
    "spikes": (lambda value: value == MISSING, f"'{MISSING}', where gross spikes are no signal"),
    "annotator": (is_text, "the suffix of the annotation files, such as atr"),
    **{key: (is_text, "the name of a column") for key in ("time", "record", "lead", "value", "state")},
}
