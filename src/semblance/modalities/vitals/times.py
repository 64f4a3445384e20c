"""Times of measurements as files tell them, in minutes since a stay began: numbers, HH:MM, or timestamps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.modalities.vitals.data import Clock
from semblance.modalities.vitals.declare import CLOCKS
from semblance.modalities.vitals.digits import decimals_of

HOUR = r"\d+:\d\d(:\d\d)?"
MINUTES: dict[str, float] = {"minutes": 1.0, "hours": 60.0}
EPOCH = pd.Timestamp("2000-01-01")
"""When every synthetic stay begins, where files tell timestamps."""


def clock_of(texts: pd.Series, name: str) -> Clock:
    """How the column `name` tells times, by its values and its name."""
    some = texts.dropna().head(1000)
    if pd.api.types.is_datetime64_any_dtype(texts):
        return "timestamps"
    # As most cells have it: an odd one is then told, and not all others.
    if pd.api.types.is_numeric_dtype(texts) or _most(pd.to_numeric(some, errors="coerce").notna()):
        return "hours" if name.lower().startswith(("hour", "hr")) else "minutes"
    return "HH:MM" if _most(some.astype(str).str.fullmatch(HOUR)) else "timestamps"


def _most(told: pd.Series) -> bool:
    return bool(len(told)) and float(told.mean()) >= 0.5


def minutes(texts: pd.Series, stay: np.ndarray, clock: Clock, name: str) -> np.ndarray:
    """(m,) minutes; timestamps count from the first one of each stay. Raises DataError for what is no time."""
    made = known_minutes(texts, stay, clock)
    odd = np.flatnonzero(~np.isfinite(made))
    if len(odd):
        found = f"{len(odd):,} {'cell is' if len(odd) == 1 else 'cells are'} no time ({clock})"
        others = ", ".join(one for one in CLOCKS if one != clock)
        fix = f"write all of them alike; or, if they are told otherwise, [vitals] clock = one of {others}"
        raise DataError(Problem(found, "every measurement has a time", fix, name, int(odd[0]) + 1))
    return made


def known_minutes(texts: pd.Series, stay: np.ndarray, clock: Clock, *, alone: bool = False) -> np.ndarray:
    """(m,) minutes as `minutes` has them, NaN for what is no time. Where each cell is read `alone`, timestamps are
    those of ISO 8601, whatever others look like."""
    if clock in MINUTES:
        return pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float) * MINUTES[clock]
    if clock == "HH:MM":
        parts = texts.astype(str).str.extract(r"^(\d+):(\d\d)(?::(\d\d))?$").astype(float)
        told: np.ndarray = (60 * parts[0] + parts[1] + parts[2].fillna(0) / 60).to_numpy(dtype=float)
        return told
    when = _alone(texts) if alone else _moments(texts)
    since: np.ndarray = ((when - when.groupby(stay).transform("min")).dt.total_seconds() / 60).to_numpy(dtype=float)
    return since


def _alone(texts: pd.Series) -> pd.Series:
    """Timestamps of ISO 8601, to the microsecond: a single finer one makes years beyond 2262 none for all."""
    told = texts.astype(str).str.replace(r"([.,]\d{6})\d+", r"\1", regex=True)
    told = told.where(told.str.match(r"\d{4}-?\d\d"))  # what no date begins, such as "now"
    return pd.to_datetime(told, errors="coerce", utc=True, format="ISO8601")


def _moments(texts: pd.Series) -> pd.Series:
    """Timestamps; where the first one's format is not that of all (seconds here, none there), ISO 8601 is."""
    texts = texts.mask(texts.astype(str).str.fullmatch(HOUR))  # an hour of no day is no day's
    when = pd.to_datetime(texts, errors="coerce", utc=True)
    odd = when.isna() & texts.notna()
    return (
        when.where(~odd, pd.to_datetime(texts[odd], errors="coerce", utc=True, format="ISO8601")) if odd.any() else when
    )


def grain_of(minute: np.ndarray, clock: Clock) -> float:
    """The minutes between two times that a file with these can tell apart."""
    if clock in MINUTES:
        return float(MINUTES[clock] / 10 ** decimals_of(minute / MINUTES[clock]))
    return 1.0 if np.allclose(minute, np.round(minute), atol=1e-6) else 1 / 60


def told(minute: np.ndarray, clock: Clock, grain: float) -> pd.Series:
    """(m,) times as the file tells them, `grain` minutes apart at least: the inverse of `minutes`."""
    if clock == "timestamps":
        return pd.Series(EPOCH + pd.to_timedelta(np.round(minute * 60), unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")
    if clock == "HH:MM":
        second = np.round(np.round(minute / grain) * grain * 60).astype(int)
        ends = [f":{s % 60:02d}" if grain < 1 else "" for s in second]
        return pd.Series(
            [f"{s // 3600:02d}:{s // 60 % 60:02d}{e}" for s, e in zip(second, ends, strict=True)], dtype=object
        )
    digits = round(np.log10(MINUTES[clock] / grain))
    made = np.round(minute / MINUTES[clock], digits)
    return pd.Series(made if digits else made.astype(np.int64))
