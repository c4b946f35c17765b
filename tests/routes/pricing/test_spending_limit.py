"""Days and months of spending limits, in any zone, and how limits are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import Per, SpendingLimit, strictest

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def limit(text: str, per: Per = "day", zone: str = "UTC") -> SpendingLimit:
    found = SpendingLimit.parse(text, per, zone)
    assert found is not None
    return found


@given(zone=ZONES, moment=MOMENTS, per=st.sampled_from(["day", "month"]))
def test_each_moment_lies_in_one_period_and_the_next_one_follows_it(zone: str, moment: datetime, per: Per) -> None:
    this = limit("1 CNY", per, zone)
    start, end = this.period(moment)
    assert start <= moment < end
    assert this.period(start) == (start, end)
    assert this.period(end)[0] == end
    assert this.period(start - timedelta(microseconds=1))[1] == start
    day = moment.astimezone(ZoneInfo(zone))
    inside = start.astimezone(ZoneInfo(zone))
    assert (inside.year, inside.month) == (day.year, day.month)
    assert per == "month" or inside.date() == day.date()


def test_a_day_begins_where_its_zone_says() -> None:
    shanghai = limit("20 CNY", zone="Asia/Shanghai")
    evening = datetime(2026, 11, 30, 18, tzinfo=UTC)  # 02:00 on 1 December
    assert shanghai.period(evening) == (datetime(2026, 11, 30, 16, tzinfo=UTC), datetime(2026, 12, 1, 16, tzinfo=UTC))
    assert shanghai.renewal(evening) == "2026-12-02 00:00 Asia/Shanghai"
    assert limit("20 CNY", "month").renewal(evening) == "2026-12-01 00:00 UTC"
    berlin = limit("20 CNY", zone="Europe/Berlin")
    start, end = berlin.period(datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert end - start == timedelta(hours=23)


def test_limits_as_they_are_written() -> None:
    assert SpendingLimit.parse(" ", "day") is None
    assert str(limit("20 cny")) == "20 CNY a day"
    assert str(limit("300 CNY", "month")) == "300 CNY a month"
    for text, zone, words in (("20", "UTC", "spending_limit_per_day"), ("20 CNY", "Mars", "time zone 'Mars'")):
        with pytest.raises(InputError, match=words):
            SpendingLimit.parse(text, "day", zone)
    with pytest.raises(InputError, match="time zone"):
        SpendingLimit.parse("20 CNY", "day", "../etc/passwd")


def test_the_strictest_of_several_limits_holds() -> None:
    limits = [limit("20 CNY"), limit("10 CNY"), limit("30 CNY"), limit("5 USD"), limit("9 CNY", "month")]
    assert [each.amount for each in strictest(limits)] == [
        Amount.parse("10 CNY"),
        Amount.parse("5 USD"),
        Amount.parse("9 CNY"),
    ]
    assert len(strictest([limit("20 CNY"), limit("20 CNY", zone="Asia/Tokyo")])) == 2
