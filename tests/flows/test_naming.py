"""Names of batches: two nights never have one name, and one night never two, by the clock of any place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from prefect_seedance.errors import InputError
from prefect_seedance.flows.naming import batch_name, is_template, names_elsewhere, needs_zone

NIGHTLY = "nightly-{scheduled:%Y-%m-%d}"
YEAR = 366

NIGHTS = [
    ("30 1 * * *", "Europe/Berlin"),
    ("30 2 * * *", "Europe/Berlin"),  # an hour that is not there in spring, and twice there in autumn
    ("30 0 * * *", "Europe/London"),
    ("30 19 * * *", "America/New_York"),
    ("0 2 * * *", "Asia/Shanghai"),
    ("0 2 * * *", "Australia/Lord_Howe"),  # clocks go half an hour
    ("59 23 * * *", "Pacific/Kiritimati"),
    ("0 2 * * *", "UTC"),
]
if not version("prefect").startswith("3.8."):
    # Midnight is skipped in spring. Prefect 3.8 runs that night on the evening before, which is the day before's date.
    NIGHTS.append(("30 0 * * *", "Africa/Cairo"))


async def a_year_of(schedule: CronSchedule | IntervalSchedule | RRuleSchedule, zone: str) -> list[datetime]:
    """The times at which Prefect's own server runs a schedule in a year, in UTC as a flow run knows them."""
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    found = await schedule.get_dates(n=2 * YEAR * 24, start=start, end=start + timedelta(days=YEAR))
    return [datetime.fromtimestamp(each.timestamp(), UTC) for each in found]


@pytest.mark.parametrize(("cron", "zone"), NIGHTS)
async def test_each_night_has_a_name_of_its_own_in_the_schedules_zone(cron: str, zone: str) -> None:
    minute, hour, *_ = (int(part) for part in cron.split()[:2])
    first = datetime(2026, 1, 1, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    schedules = [
        CronSchedule(cron=cron, timezone=zone),
        IntervalSchedule(interval=timedelta(days=1), anchor_date=first, timezone=zone),
    ]
    for schedule in schedules:
        nights = await a_year_of(schedule, zone)
        names = [batch_name(NIGHTLY, night, ZoneInfo(zone)) for night in nights]
        days = [datetime.strptime(name, "nightly-%Y-%m-%d") for name in names]  # noqa: DTZ007 - a day has no zone
        assert len(names) >= YEAR - 1
        assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}, type(schedule)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"])
async def test_hours_that_come_twice_in_autumn_have_two_names(zone: str) -> None:
    hours = await a_year_of(IntervalSchedule(interval=timedelta(minutes=30), timezone=zone), zone)
    for template in ("at-{scheduled}", "at-{scheduled:%Y-%m-%d %H.%M}", "at-{scheduled@" + zone + ":%d %b %I.%M %p}"):
        names = [batch_name(template, hour, ZoneInfo(zone)) for hour in hours]
        assert len(set(names)) == len(hours)
    assert len({batch_name(NIGHTLY, hour, ZoneInfo(zone)) for hour in hours}) <= YEAR + 1


def test_a_template_may_name_its_zone() -> None:
    night = datetime(2026, 11, 30, 18, 0, tzinfo=UTC)  # 02:00 on 1 December in Shanghai
    assert batch_name(NIGHTLY, night) == "nightly-2026-11-30"
    assert batch_name(NIGHTLY, night, ZoneInfo("Asia/Shanghai")) == "nightly-2026-12-01"
    named = "nightly-{scheduled@Asia/Shanghai:%Y-%m-%d}"
    assert batch_name(named, night) == "nightly-2026-12-01"
    assert (is_template(named), needs_zone(named), needs_zone(NIGHTLY), is_template("spring")) == (
        True,
        False,
        True,
        False,
    )
    assert names_elsewhere(named, night) == ["nightly-2026-11-30", "nightly-2026-12-01"]


@pytest.mark.parametrize("zone", ["Mars/Base", "Asia", "", "../../etc/passwd", "/etc/passwd", "+08", "a" * 300])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(InputError, match="is not a time zone") as caught:
        batch_name("nightly-{scheduled@" + zone + ":%Y-%m-%d}", datetime.now(UTC))
    assert "Asia/Shanghai" in str(caught.value)


def test_another_field_is_refused_and_both_spellings_are_offered() -> None:
    with pytest.raises(InputError, match=r"\{scheduled@Asia/Shanghai:%Y-%m-%d\}"):
        batch_name("nightly-{date}", datetime.now(UTC))


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 - made aware below
    st.timezones(no_cache=True),
    st.sampled_from([NIGHTLY, "at-{scheduled:%Y-%m-%d %H}", "week-{scheduled:%G-%V}"]),
)
def test_the_name_in_a_zone_is_among_those_that_the_time_has_on_earth(
    moment: datetime, zone: ZoneInfo, template: str
) -> None:
    scheduled = moment.replace(tzinfo=UTC)
    if not scheduled.astimezone(zone).fold and scheduled.astimezone(zone).utcoffset().total_seconds() % 900 == 0:
        assert batch_name(template, scheduled, zone) in names_elsewhere(template, scheduled)
