"""Dates: the format is found, and a text that the format would not write again is no date."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.modalities.table import dates

EXAMPLES = {
    "%Y-%m-%d": ["2020-01-31", "1999-12-01"],
    "%d.%m.%Y": ["31.01.2020", "01.12.1999"],
    "%m/%d/%Y": ["01/31/2020", "12/01/1999"],
    "%d/%m/%Y": ["31/01/2020", "01/12/1999"],
    "%-m/%-d/%Y": ["1/31/2020", "12/1/1999"],
    "%d%^b%Y": ["31JAN2020", "01DEC1999"],
    "%d-%b-%Y": ["31-Jan-2020", "01-Dec-1999"],
    "%B %-d, %Y": ["January 31, 2020", "December 1, 1999"],
    "%Y-%m": ["2020-01", "1999-12"],
    "%Y-%m-%d %H:%M:%S": ["2020-01-31 23:59:59", "1999-12-01 00:00:00"],
    "%Y-%m-%dT%H:%M:%SZ": ["2020-01-31T23:59:59Z", "1999-12-01T00:00:00Z"],
    "%Y-%m-%dT%H:%M:%S.%3fZ": ["2020-01-31T23:59:59.123Z", "1999-12-01T00:00:00.000Z"],
    "%-m/%-d/%Y %-I:%M %p": ["1/31/2020 1:05 PM", "12/1/1999 11:00 AM"],
}


@pytest.mark.parametrize("date_format", EXAMPLES)
def test_the_format_is_found_and_writes_the_same_text(date_format):
    texts = pa.array(EXAMPLES[date_format], pa.string())
    dating = dates.find_dating(texts, counts=np.ones(len(texts), dtype=int))
    assert dating is not None
    assert dating.date_format == date_format
    written = dates.date_texts(dating.seconds, date_format=date_format, na="")
    assert written.tolist() == EXAMPLES[date_format]


def test_seconds_are_counted_from_1970():
    seconds = dates.read_dates(pa.array(["1970-01-02", "1969-12-31"]), date_format="%Y-%m-%d")
    assert seconds.tolist() == [86400.0, -86400.0]


@given(st.lists(st.datetimes(datetime(1001, 1, 1), datetime(9999, 12, 31)), min_size=1))
def test_a_moment_survives_writing_and_reading(moments):
    seconds = np.array([m.replace(tzinfo=UTC, microsecond=0).timestamp() for m in moments])
    texts = dates.date_texts(seconds, date_format="%Y-%m-%dT%H:%M:%S", na="")
    assert dates.read_dates(pa.array(texts), date_format="%Y-%m-%dT%H:%M:%S").tolist() == seconds.tolist()


def test_an_order_of_day_and_month_that_cannot_be_told_is_ambiguous():
    counts = np.ones(1, dtype=int)
    unclear = dates.find_dating(pa.array(["01/02/2020"]), counts=counts)
    clear = dates.find_dating(pa.array(["01/20/2020"]), counts=counts)
    assert unclear is not None and unclear.ambiguous
    assert clear is not None and not clear.ambiguous


@pytest.mark.parametrize("text", ["2020-02-30", "2020-1-1", "Jan 2020", "hello"])
def test_what_the_format_would_not_write_is_no_date(text):
    assert np.isnan(dates.read_dates(pa.array([text]), date_format="%Y-%m-%d")).all()


def test_missing_and_impossible_moments_are_written_as_missing():
    assert dates.date_texts(np.array([np.nan, np.inf, 1e18]), date_format="%Y-%m-%d", na="NA").tolist() == ["NA"] * 3


def test_other_texts_are_no_dates():
    assert dates.find_dating(pa.array(["V45", "250.83", "[10-20)"]), counts=np.ones(3, dtype=int)) is None
