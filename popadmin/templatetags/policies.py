"""The rules of a retention policy as sentences, and what a change of them would do."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.models import RetentionPolicy
from mailstore.policy.retention import HORIZON_DAYS, DomainLeaving, Forecast, Leaving
from popadmin.web.forecast_chart import chart
from popadmin.web.formats import calendar_day, count, day_and_month, fill, long_date, size

register = template.Library()

SWEEP_ZONE = datetime.UTC  # of the days of a forecast
SHOWN_DOMAINS = 3  # of a forecast, with most messages; a last row has the rest


@register.filter
def leaving_rules(policy: RetentionPolicy) -> list[str]:
    """Return when this policy removes mail: one sentence per rule, or one that says that all mail stays."""
    return list(_leaving(policy)) or [_("All mail stays until a device deletes it.")]


@register.filter
def other_rules(policy: RetentionPolicy) -> list[str]:
    """Return which devices mail waits for, and how long recovery and diary are kept."""
    return list(_others(policy))


@register.filter
def all_of(going: Leaving) -> str:
    """Return text such as `412 messages, 1.2 GB, in 9 mailboxes`."""
    messages = ngettext("%(count)s message", "%(count)s messages", going.messages) % {"count": count(going.messages)}
    boxes = ngettext("in %(count)s mailbox", "in %(count)s mailboxes", going.mailboxes) % {
        "count": count(going.mailboxes)
    }
    return f"{messages}, {size(going.octets)}, {boxes}"


@register.filter
def shown(forecast: Forecast) -> dict[str, Any]:
    """Return what a preview shows beside the forecast itself: its days as a chart, its largest domains."""
    first = forecast.days[0].date if forecast.days else None
    today = timezone.now().astimezone(SWEEP_ZONE).date()
    messages = {day.date: day.messages for day in forecast.days if day.date is not None}
    rest = forecast.domains[SHOWN_DOMAINS:]
    return {
        "horizon": HORIZON_DAYS,
        "first": first,
        "start": calendar_day(first, day_and_month(first), SWEEP_ZONE) if first and first > today else "",
        "chart": chart(messages, today) if messages else "",
        "domains": forecast.domains[:SHOWN_DOMAINS],
        "rest": DomainLeaving("", sum(each.messages for each in rest), sum(each.octets for each in rest)),
        "rest_count": len(rest),
    }


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """Return a forecast as sentences; that with a date is HTML."""
    values = {"horizon": str(HORIZON_DAYS), "what": all_of(forecast.total)}
    if forecast.days and (date := forecast.days[0].date):
        text = _("Removes %(what)s within %(horizon)s days, the first on %(date)s. Removed mail stays in recovery.")
        yield fill(text, **values, date=calendar_day(date, long_date(date), SWEEP_ZONE))
    else:
        yield _("Removes nothing within %(horizon)s days.") % values
    if forecast.before.messages:
        yield _("With the current rules, %(what)s would be removed in that time.") % {"what": all_of(forecast.before)}
    if forecast.destroyed.messages:
        text = _("The next sweep would delete from recovery for good: %(what)s.")
        yield text % {"what": all_of(forecast.destroyed)}
    yield _(
        "Not counted: mail that is removed to make room in full mailboxes, and mail that no longer "
        "waits for silent devices."
    )


def _leaving(policy: RetentionPolicy) -> Iterator[str]:
    if policy.expire_days is not None:
        text = (
            ngettext(
                "Mail is removed %(days)d day after it arrived, fetched or not.",
                "Mail is removed %(days)d days after it arrived, fetched or not.",
                policy.expire_days,
            )
            if policy.expire_unfetched
            else ngettext(
                "Mail is removed %(days)d day after it arrived, if it was fetched.",
                "Mail is removed %(days)d days after it arrived, if it was fetched.",
                policy.expire_days,
            )
        )
        yield text % {"days": policy.expire_days}
    if policy.expire_confirmed_days is not None:
        yield ngettext(
            "Mail is removed %(days)d day after every device has it.",
            "Mail is removed %(days)d days after every device has it.",
            policy.expire_confirmed_days,
        ) % {"days": policy.expire_confirmed_days}
    if policy.remove_when_confirmed:
        yield ngettext(
            "Mail is removed when every device has it, but not earlier than %(days)d day after it arrived.",
            "Mail is removed when every device has it, but not earlier than %(days)d days after it arrived.",
            policy.hold_days,
        ) % {"days": policy.hold_days}
    if policy.relief == RetentionPolicy.Relief.EVERY:
        yield _("A full mailbox makes room by removing the oldest mail that every device has.")
    if policy.relief == RetentionPolicy.Relief.ONE:
        yield _(
            "A full mailbox makes room by removing the oldest mail that every device has, then the oldest "
            "mail that one device has."
        )


def _others(policy: RetentionPolicy) -> Iterator[str]:
    yield ngettext(
        "Mail no longer waits for a device that has been silent for %(days)d day.",
        "Mail no longer waits for a device that has been silent for %(days)d days.",
        policy.silent_days,
    ) % {"days": policy.silent_days}
    yield ngettext(
        "Removed mail stays in recovery for %(days)d day.",
        "Removed mail stays in recovery for %(days)d days.",
        policy.recovery_days,
    ) % {"days": policy.recovery_days}
    if policy.recovery_octets is not None:
        yield _("Recovery holds at most %(size)s; mail that was removed first is deleted first.") % {
            "size": size(policy.recovery_octets)
        }
    yield ngettext("The diary is kept for %(days)d day.", "The diary is kept for %(days)d days.", policy.diary_days) % {
        "days": policy.diary_days
    }
