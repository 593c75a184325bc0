"""Time stamps, and the days of time zones (contract, sections 3 and 6)."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from customergraph.domain import timestamps
from customergraph.errors import ValueRefused
from customergraph.rows import Column
from customergraph.schema.scalars import JSON_OPTIONS
from customergraph.store.timestamps import Timestamp

ZONES = (
    "UTC",
    "America/Sao_Paulo",
    "America/Toronto",
    "America/Havana",
    "America/St_Johns",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Europe/Dublin",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "Pacific/Chatham",
)
DAY = timedelta(days=1)
zones = st.sampled_from(ZONES).map(ZoneInfo)
utc_timestamps = st.datetimes(timezones=st.just(UTC))
days = st.dates(max_value=date.max - DAY)
recent_days = st.dates(date(1880, 1, 1), date(2037, 12, 31))
stored_texts = st.lists(
    st.none()
    | utc_timestamps.map(lambda timestamp: f"{timestamp:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0"))
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.from_regex(r"[0-2]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{6}[Zz0]", fullmatch=True)
    | st.sampled_from(["2026-11-24T09:30:00.0+01:00", "2026-02-30T09:30:00.000000Z", "2026-W05-1T09:30:00.000000Z"])
    | st.text(max_size=27),
    max_size=4,
)


@settings(max_examples=500)
@given(stored_texts)
def test_a_stored_text_is_written_as_the_time_that_it_is_or_not_at_all(stored: list[str | None]) -> None:
    times = list(Column(Timestamp.conversion, stored))
    try:
        written = Timestamp.conversion.encodable(stored)
    except (OverflowError, ValueError):
        assert any(isinstance(time, Exception) for time in times)
    else:
        expected = [None if time is None else timestamps.rfc_3339(time) for time in times]
        assert orjson.dumps(written, option=JSON_OPTIONS) == orjson.dumps(expected)


def bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the bounds of a day that is not at an end of the calendar."""
    since, until = timestamps.bounds(day, day, zone)
    assert since is not None
    assert until is not None
    return since, until


@given(utc_timestamps)
def test_a_timestamp_is_read_back_as_it_was_written(timestamp: datetime) -> None:
    text = timestamps.rfc_3339(timestamp)
    assert timestamps.parsed(text) == timestamp
    assert len(text) == len("2026-11-24T09:30:00Z" if timestamp.microsecond == 0 else "2026-11-24T09:30:00.000000Z")


@given(utc_timestamps, st.integers(-1439, 1439))
def test_a_timestamp_may_be_written_with_any_offset(timestamp: datetime, minutes: int) -> None:
    try:
        local = timestamp.astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:
        return
    text = local.isoformat()
    assert timestamps.parsed(text) == timestamp
    assert timestamps.parsed(text.replace("T", "t")) == timestamp
    assert timestamps.parsed(text).tzinfo is UTC


@given(utc_timestamps)
def test_unix_seconds_are_the_same_timestamp_as_number_and_as_digits(timestamp: datetime) -> None:
    whole = timestamp.replace(microsecond=0)
    seconds = timestamps.microseconds(whole) // 1_000_000
    assert timestamps.parsed(seconds) == timestamps.parsed(str(seconds)) == whole
    assert timestamps.from_microseconds(timestamps.microseconds(timestamp)) == timestamp


@given(st.one_of(st.text(), st.text("0123456789-+:.TZtz "), st.integers()))
def test_any_value_is_a_timestamp_or_refused(value: str | int) -> None:
    try:
        timestamp = timestamps.parsed(value)
    except ValueRefused:
        return
    assert timestamps.parsed(timestamps.rfc_3339(timestamp)) == timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24",
        "2026-11-24T09:30:00",
        "2026-11-24T09:30Z",
        "2026-11-24T09:30:00+0100",
        "2026-11-24T09:30:00+01",
        "2026-11-24T09:30:00+01:60",
        "2026-11-24T09:30:00+24:00",
        "2026-11-24T24:00:00Z",
        "2026-11-24T09:60:00Z",
        "2026-11-24T09:30:00,5Z",
        "2026-11-24T09:30:00.Z",
        "2026-02-29T00:00:00Z",
        "2026-W48-2T09:30:00Z",
        "20261124T093000Z",
        " 2026-11-24T09:30:00Z",
        "2026-11-24T09:30:00Z\n",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "12026-11-24T09:30:00Z",
        "\u0662026-11-24T09:30:00Z",
        "1.5",
        "1e3",
        "+1",
        "0x10",
        "\u0661",
        "9" * 5000,
    ],
)
def test_a_text_that_is_not_rfc_3339_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueRefused):
        timestamps.parsed(text)


def test_finer_fractions_are_cut_to_microseconds() -> None:
    timestamp = timestamps.parsed("2026-11-24T09:30:00.123456789Z")
    assert timestamps.rfc_3339(timestamp) == "2026-11-24T09:30:00.123456Z"
    assert timestamps.rfc_3339(timestamps.parsed("2026-11-24T09:30:00.0000009Z")) == "2026-11-24T09:30:00Z"


@given(st.one_of(st.text(), st.text("0123456789-")))
def test_a_day_is_read_exactly_or_refused(text: str) -> None:
    try:
        day = timestamps.parsed_day(text)
    except ValueRefused:
        return
    assert day.isoformat() == text


@given(days, zones)
@example(date(2018, 11, 3), ZoneInfo("America/Sao_Paulo"))
@example(date(2011, 12, 29), ZoneInfo("Pacific/Apia"))
@example(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
@example(date(1919, 3, 30), ZoneInfo("America/Toronto"))
@example(date(1, 1, 1), ZoneInfo("Pacific/Kiritimati"))
@example(date(9999, 12, 30), ZoneInfo("America/Los_Angeles"))
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: ZoneInfo) -> None:
    since, until = bounds_of(day, zone)
    following, _ = timestamps.bounds(day + DAY, None, zone)
    assert since <= until == following
    assert timedelta() <= until - since <= timedelta(hours=49)


@settings(max_examples=300)
@given(recent_days, zones)
@example(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
@example(date(2018, 2, 18), ZoneInfo("America/Sao_Paulo"))
@example(date(2011, 12, 31), ZoneInfo("Pacific/Apia"))
@example(date(1919, 3, 31), ZoneInfo("America/Toronto"))
@example(date(2014, 5, 16), ZoneInfo("Africa/Cairo"))
@example(date(2023, 4, 28), ZoneInfo("Africa/Cairo"))
@example(date(2006, 10, 29), ZoneInfo("America/St_Johns"))
@example(date(1993, 8, 21), ZoneInfo("Pacific/Kwajalein"))
@example(date(1972, 1, 7), ZoneInfo("Africa/Monrovia"))
def test_a_day_begins_with_its_first_instant(day: date, zone: ZoneInfo) -> None:
    first = timestamps.first_instant(day, zone)
    assert first.tzinfo is UTC
    assert first.astimezone(zone).date() >= day
    # Before it the day has not been there, for longer than clocks were ever set back.
    for seconds in (1, 60, 1800, 3599, 3600, 7200, 20_000):
        assert (first - timedelta(seconds=seconds)).astimezone(zone).date() < day


@given(recent_days, zones, st.integers(0, 86_399))
def test_every_time_of_day_lies_within_its_day_when_clocks_stand_still(day: date, zone: ZoneInfo, second: int) -> None:
    since, until = bounds_of(day, zone)
    timestamp = since + timedelta(seconds=second)
    if until - since == DAY:
        assert since <= timestamp < until
        assert timestamp.astimezone(zone).date() == day


@pytest.mark.parametrize(
    ("zone", "day", "since", "hours"),
    [
        ("UTC", "2026-03-01", "2026-03-01T00:00:00Z", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24),
        ("America/Toronto", "1919-03-30", "1919-03-30T05:00:00Z", 23.5),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", 23.5),
        ("Africa/Cairo", "2014-05-15", "2014-05-14T22:00:00Z", 24),
        ("Africa/Cairo", "2014-05-16", "2014-05-15T22:00:00Z", 23),
        ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z", 23),
        ("Africa/Cairo", "2023-10-26", "2023-10-25T21:00:00Z", 25),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(zone: str, day: str, since: str, hours: float) -> None:
    first, until = bounds_of(date.fromisoformat(day), ZoneInfo(zone))
    assert timestamps.rfc_3339(first) == since
    assert until - first == timedelta(hours=hours)


def test_the_ends_of_the_calendar_bound_nothing() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    assert timestamps.bounds(date.min, date.max, zone) == (datetime.min.replace(tzinfo=UTC), None)
    assert timestamps.bounds(None, None, zone) == (None, None)
