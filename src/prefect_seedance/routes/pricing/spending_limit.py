"""A spending limit: what an account may spend in a day or a month, over all batches of a ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["Per", "SpendingLimit", "strictest"]

Per = Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """What an account may spend in a calendar day or month.

    Attributes:
        amount: The limit, in the only currency that it can hold.
        per: The period: a day or a month of the calendar.
        time_zone: The zone in which days and months begin.
    """

    amount: Amount
    per: Per
    time_zone: str = "UTC"

    @classmethod
    def parse(cls, text: str, per: Per, time_zone: str = "UTC") -> Self | None:
        """Read a limit as a user writes it, such as `20 CNY`; an empty text is no limit.

        Raises:
            InputError: It is not an amount with its currency, or there is no such time zone.
        """
        zone = time_zone.strip()
        try:
            ZoneInfo(zone)
        except (LookupError, ValueError, OSError):
            raise InputError(message("spending.no_zone", zone=repr(time_zone))) from None
        return cls(Amount.parse(text, f"spending_limit_per_{per}"), per, zone) if text.strip() else None

    def period(self, moment: datetime) -> tuple[datetime, datetime]:
        """The start of the day or month that a moment lies in, and the start of the next one, in UTC."""
        first = moment.astimezone(ZoneInfo(self.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.per == "month":
            first = first.replace(day=1)
            following = (first + timedelta(days=32)).replace(day=1)
        else:
            following = first + timedelta(days=1)
        return first.astimezone(UTC), following.astimezone(UTC)

    def renewal(self, moment: datetime) -> str:
        """When the period of this moment ends, in the limit's own zone."""
        _, end = self.period(moment)
        return f"{end.astimezone(ZoneInfo(self.time_zone)):%Y-%m-%d %H:%M} {self.time_zone}"

    @property
    def now(self) -> Message:
        """The present period, in words."""
        return message("spending.today" if self.per == "day" else "spending.this_month")

    def __str__(self) -> str:
        return str(message("spending.per_day" if self.per == "day" else "spending.per_month", amount=self.amount))


def strictest(limits: Iterable[SpendingLimit]) -> tuple[SpendingLimit, ...]:
    """The limits that hold where several are set: of those for the same period and currency the lowest."""
    found: dict[tuple[str, str, str], SpendingLimit] = {}
    for limit in limits:
        key = (limit.per, limit.time_zone, limit.amount.currency)
        if key not in found or limit.amount.value < found[key].amount.value:
            found[key] = limit
    return tuple(found.values())
