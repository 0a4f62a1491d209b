"""The list of sign-ins to POP: what was accepted or refused, when, from where and why."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device, DiarySession
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows, Search
from popadmin.lists.views import ListPage
from popadmin.panel import access, refusals, refused_names
from popadmin.panel.search_terms import address_or_name
from popadmin.web.people import signed_in
from popadmin.web.sign_in_text import outcome

ACCEPTED, REFUSED = "let-in", "refused"
Ended = DiarySession.Ended


class SignInFilters(Filters):
    q = Search(label=_("Search address or name"))
    ended = forms.ChoiceField(
        label=_("What happened"),
        choices=[("", _("Anything")), (ACCEPTED, _("Accepted")), (REFUSED, _("Refused")), *DiarySession.Ended.choices],
    )
    days = forms.ChoiceField(
        label=_("When"),
        choices=[("", _("Any time")), ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days"))],
    )

    def by_q(self, rows: Rows, query: str) -> Rows:
        return rows.filter(address_or_name(query, "mailbox__user__"))

    def by_ended(self, rows: Rows, ended: str) -> Rows:
        if ended == ACCEPTED:
            return rows.exclude(ended__in=DiarySession.REFUSED)
        return rows.filter(ended__in=DiarySession.REFUSED if ended == REFUSED else [ended])

    def by_days(self, rows: Rows, days: str) -> Rows:
        return rows.filter(started_at__gte=timezone.now() - timedelta(days=int(days)))


class SignIns(access.AdminPage, ListPage):
    template_name = "panel/sign_ins.html"
    name = "visits"  # also the name of the exported file, which stays
    filters = SignInFilters
    columns = (
        Column("at", _("When"), F("started_at"), down=True),
        Column("mailbox", _("Mailbox")),
        Column("ended", _("What happened")),
        Column("device", _("Password of"), css="c-more"),
        Column("client", _("From"), css="c-more"),
    )
    views = (
        ReadyView(_("Accepted"), {"ended": ACCEPTED}, is_costly=True),
        ReadyView(_("Refused"), {"ended": REFUSED}, is_costly=True),
        ReadyView(_("Wrong password"), {"ended": Ended.WRONG}, is_costly=True),
        ReadyView(_("Old password"), {"ended": Ended.PREVIOUS}, "warn", is_costly=True),
        ReadyView(_("Limits"), {"ended": Ended.THROTTLED}, "warn", is_costly=True),
        ReadyView(_("POP is off"), {"ended": Ended.POP_OFF}, css="chip-less", is_costly=True),
    )
    exported = (
        Exported(_("When"), lambda row: row.started_at.isoformat()),
        Exported(_("Mailbox"), lambda row: row.mailbox.user.address),
        Exported(_("Device"), lambda row: _device(row.device)),
        Exported(_("From"), lambda row: row.client),
        Exported(_("Encryption"), lambda row: row.tls),
        Exported(_("What happened"), outcome),
        Exported(_("Count"), lambda row: row.sessions),
    )
    row_fields = (
        "started_at", "client", "tls", "ended", "sessions", "mailbox__user__address", "device__main", "device__name",
        "listed", "list_requested", "fetched_messages", "removed_messages", "unremoved_messages",
    )  # fmt: skip

    def rows(self) -> Rows:
        return access.diary_sessions(signed_in(self.request))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        user = signed_in(self.request)
        shown: dict[str, object] = {}
        if not self.state.filters.given():
            shown = {"refusals": refusals.lately(user), "refused": refused_names.lately(user)}
        return super().get_context_data(**kwargs, **shown)


def _device(device: Device | None) -> str:
    """Return the device of a row, as the page shows it."""
    if device is None:
        return gettext("none")
    return gettext("Main password") if device.main else device.name
