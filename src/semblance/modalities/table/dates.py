"""How a date is written: the formats that are known, and dates as seconds since 1970-01-01 UTC.

A format is a strptime format with three additions: "%-d" (and %-m, %-H, %-I) is a number without padding, "%^b" a month
in capitals (SAS DATE9), "%3f" milliseconds. A text follows a format only if the format writes exactly that text again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from semblance.modalities.table.notation import matches

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%-m/%-d/%Y",
    "%d/%m/%Y",
    "%-d/%-m/%Y",
    "%d.%m.%Y",
    "%-d.%-m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d-%^b-%Y",
    "%d %b %Y",
    "%d%b%Y",
    "%d%^b%Y",
    "%d %B %Y",
    "%-d %B %Y",
    "%B %d, %Y",
    "%B %-d, %Y",
    "%b %d, %Y",
    "%b %-d, %Y",
    "%Y%m%d",
    "%m/%d/%y",
    "%-m/%-d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d-%b-%y",
    "%d-%^b-%y",
)
_TIMES = (
    "",
    " %H:%M:%S",
    " %H:%M",
    "T%H:%M:%S",
    "T%H:%M",
    "T%H:%M:%SZ",
    "T%H:%M:%S+00:00",
    " %H:%M:%S+00:00",
    " %-H:%M",
    " %I:%M %p",
    " %-I:%M %p",
    " %I:%M:%S %p",
    " %-I:%M:%S %p",
    " %H:%M:%S.%3f",
    " %H:%M:%S.%f",
    "T%H:%M:%S.%3f",
    "T%H:%M:%S.%f",
    "T%H:%M:%S.%3fZ",
    "T%H:%M:%S.%fZ",
    ":%H:%M:%S",
    ":%H:%M:%S.%3f",
    "%H%M%S",
    " %H%M",
)
_FORMATS = (*(day + time for day, time in product(_DAYS, _TIMES)), "%Y-%m")
_LOOKS = (
    r"^(?:[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{1,2}[- ]?[A-Za-z]{3,9}[- ]?[0-9]{2,4}"
    r"|[A-Za-z]{3,9} [0-9]{1,2}, [0-9]{4}|[12][0-9]{3}-[0-9]{2}$|[12][0-9]{7}$|[12][0-9]{13}$)"
)
_ISO = {
    "%Y-%m-%d": ("D", " "),
    "%Y-%m-%d %H:%M:%S": ("s", " "),
    "%Y-%m-%dT%H:%M:%S": ("s", "T"),
    "%Y-%m-%d %H:%M": ("m", " "),
}
_MEDICINE = (datetime(1850, 1, 1, tzinfo=UTC).timestamp(), datetime(2150, 1, 1, tzinfo=UTC).timestamp())
_LIMITS = (datetime(1, 1, 1, tzinfo=UTC).timestamp(), datetime(9999, 12, 31, tzinfo=UTC).timestamp() + 86400)


@dataclass(frozen=True)
class Dating:
    """How a column's dates are written.

    `seconds` (k,) of its distinct texts, NaN for misfits; `ambiguous` where another order of day and month fits too.
    """

    date_format: str
    seconds: np.ndarray
    ambiguous: bool


def _strptime(date_format: str) -> str:
    return date_format.replace("%-", "%").replace("%^", "%").replace("%3f", "%f")


def read_dates(texts: pa.Array, *, date_format: str) -> np.ndarray:
    """(k,) float64 seconds, NaN where the text is not exactly what the format writes."""
    plain = pd.Series(texts.to_pandas(), dtype=object)
    seconds = seconds_of(pd.to_datetime(plain, format=_strptime(date_format), errors="coerce"))
    same = date_texts(seconds, date_format=date_format, na="") == plain.to_numpy()
    return np.where(same, seconds, np.nan)


def is_format(date_format: str) -> bool:
    """Whether this is a format that dates can be written in and read from."""
    day = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp()
    try:
        texts = date_texts(np.array([day]), date_format=date_format, na="")
        return "%" in date_format and not np.isnan(read_dates(pa.array(texts), date_format=date_format)).any()
    except (ValueError, re.error):
        return False


def seconds_of(stamps: pd.Series) -> np.ndarray:
    """(n,) float64 seconds since 1970-01-01 UTC, NaN for NaT."""
    naive = stamps.dt.tz_convert(None) if stamps.dt.tz is not None else stamps
    whole = naive.astype("datetime64[us]")
    return np.where(whole.isna(), np.nan, whole.to_numpy().astype("int64") / 1e6)


def stamps_of(seconds: np.ndarray) -> pd.DatetimeIndex:
    """The inverse of `seconds_of`, to the microsecond; NaN and what lies outside the years 1 to 9999 become NaT."""
    with np.errstate(invalid="ignore"):
        inside = (seconds >= _LIMITS[0]) & (seconds < _LIMITS[1])
    micro = np.round(np.where(inside, seconds, 0) * 1e6).astype("int64").astype("datetime64[us]")
    return pd.DatetimeIndex(np.where(inside, micro, np.datetime64("NaT", "us")))


def date_texts(seconds: np.ndarray, *, date_format: str, na: str) -> np.ndarray:
    """(n,) texts of dates in the source's format, `na` for NaN."""
    code, distinct = pd.factorize(seconds)
    if not len(distinct):
        return np.full(len(seconds), na, dtype=object)
    stamps = stamps_of(distinct)
    if date_format in _ISO:
        unit, gap = _ISO[date_format]
        iso: Any = np.datetime_as_string(stamps.to_numpy(), unit=unit)  # type: ignore[call-overload]
        texts = np.char.replace(iso, "T", gap).astype(object)
    else:
        texts = _strftime(stamps, date_format)
    return np.append(np.where(stamps.isna(), na, texts).astype(object), na)[code]


def _strftime(stamps: pd.DatetimeIndex, date_format: str) -> np.ndarray:
    head, milli, tail = date_format.partition("%3f")
    texts = stamps.fillna(pd.Timestamp(0)).strftime(head.replace("%^", "%")).to_numpy(dtype=object)
    if milli:
        texts = texts + np.array([f"{int(us) // 1000:03d}{tail}" for us in stamps.microsecond.fillna(0)], dtype=object)
    return np.array([text.upper() for text in texts], dtype=object) if "%^" in head else texts


def find_dating(texts: pa.Array, *, counts: np.ndarray) -> Dating | None:
    """The format that most rows follow, or None where fewer than nine rows in ten are dates.

    `counts` (k,) are the rows of each distinct text.
    """
    looks = matches(texts, _LOOKS)
    if counts[looks].sum() < 0.9 * counts.sum():
        return None
    first = texts.filter(pa.array(looks)).slice(0, 5).to_pylist()
    tried = {f: read_dates(texts, date_format=f) for f in _FORMATS if any(_fits(text, f) for text in first)}
    score = {f: int(counts[~np.isnan(seconds)].sum()) for f, seconds in tried.items()}
    if not score or max(score.values()) < 0.9 * counts.sum():
        return None
    best = max(score, key=lambda f: score[f])
    rivals = [f for f in score if score[f] == score[best] and _orderless(f) == _orderless(best)]
    return Dating(best, tried[best], len(rivals) > 1)


def _orderless(date_format: str) -> str:
    return date_format.replace("-", "").replace("%m", "%d")


def _fits(text: str, date_format: str) -> bool:
    try:
        datetime.strptime(text, _strptime(date_format))
    except ValueError:
        return False
    return True


def in_medicine(seconds: np.ndarray) -> bool:
    """Whether all are dates that medicine has seen: digits such as 20200131 are believed only then."""
    return len(seconds) >= 3 and bool(np.all((seconds > _MEDICINE[0]) & (seconds < _MEDICINE[1])))
