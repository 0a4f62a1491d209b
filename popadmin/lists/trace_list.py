"""The page Trace for owners and admins: what senders were answered, a line per recipient. Subclasses give the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.validators import MinLengthValidator
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, pgettext_lazy

from mailstore.messages import trace_history
from mailstore.messages.trace_history import containing
from mailstore.models import TraceEntry
from popadmin.lists.columns import SEARCH_CHARACTERS, Column, Exported, Filters, ReadyView, Rows, midnight
from popadmin.lists.list_state import State
from popadmin.lists.views import ListPage
from popadmin.web import request_lookup, row_key, trace_text

SHOWN = "id"  # in the query string: the entry in the drawer
NOT_DELIVERED = "not-delivered"  # among the answers: refused or deferred
ADDRESS_CHARACTERS = 254
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AddressPart(forms.CharField):
    """Words of an address, one of them long enough for a trigram index."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=SEARCH_CHARACTERS, max_length=ADDRESS_CHARACTERS, **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            MinLengthValidator(SEARCH_CHARACTERS)(max(value.split(), key=len))


class TraceFilters(Filters):
    q = AddressPart(
        label=gettext_lazy("Sender or recipient"),
        widget=forms.TextInput(attrs={"type": "search", "placeholder": gettext_lazy("Sender or recipient")}),
    )
    sender = AddressPart(label=pgettext_lazy("mail", "From"))
    recipient = AddressPart(label=pgettext_lazy("mail", "To"))
    since = forms.DateField(label=gettext_lazy("Since"), widget=DAY)
    until = forms.DateField(label=gettext_lazy("Until"), widget=DAY)
    answer = forms.ChoiceField(
        label=gettext_lazy("Answer"),
        choices=[
            ("", gettext_lazy("Any")),
            *TraceEntry.Answer.choices,
            (NOT_DELIVERED, gettext_lazy("Refused or deferred")),
        ],
    )
    mailbox = forms.CharField(label=gettext_lazy("Mailbox"), widget=forms.HiddenInput)

    def by_q(self, rows: Rows, text: str) -> Rows:
        return rows.filter(containing(text, "sender", "recipient"))

    def by_sender(self, rows: Rows, text: str) -> Rows:
        return rows.filter(containing(text, "sender"))

    def by_recipient(self, rows: Rows, text: str) -> Rows:
        return rows.filter(containing(text, "recipient"))

    def by_since(self, rows: Rows, day: date) -> Rows:
        return rows.filter(at__gte=midnight(day))

    def by_until(self, rows: Rows, day: date) -> Rows:
        return rows.filter(at__lt=midnight(day + timedelta(days=1)))

    def by_answer(self, rows: Rows, answer: str) -> Rows:
        answers = TraceEntry.UNDELIVERED if answer == NOT_DELIVERED else [answer]
        return rows.filter(answer__in=answers)

    def by_mailbox(self, rows: Rows, _address: str) -> Rows:
        """Return the rows as they are: the page has chosen those of this mailbox."""
        return rows


class TracePage(ListPage):
    """A page of the trace. With `id` in the query string, the drawer has that entry with its life."""

    request: HttpRequest
    name = "trace"
    filters = TraceFilters
    columns = (
        Column("at", gettext_lazy("Time"), F("at"), down=True),
        Column("sender", pgettext_lazy("mail", "From")),
        Column("recipient", pgettext_lazy("mail", "To")),
        Column("answer", gettext_lazy("Answer")),
    )
    exported = (
        Exported(gettext_lazy("Time"), lambda row: row.at.isoformat()),
        Exported(pgettext_lazy("mail", "From"), lambda row: row.sender),
        Exported(pgettext_lazy("mail", "To"), lambda row: row.recipient),
        Exported(gettext_lazy("Answer"), TraceEntry.get_answer_display),
        Exported(gettext_lazy("Reason"), TraceEntry.get_reason_display),
        Exported(gettext_lazy("Count"), lambda row: row.tries),
        Exported(gettext_lazy("Reply"), lambda row: row.reply),
        Exported(gettext_lazy("Size in bytes"), lambda row: row.octets or row.announced_octets),
        Exported(gettext_lazy("Message-ID"), lambda row: row.message_id),
        Exported(gettext_lazy("Queue id of the mail server"), lambda row: row.mta_id),
        Exported(gettext_lazy("Sending server"), lambda row: row.origin),
    )

    def every_row(self) -> Rows:
        """Return all entries that the user may open in the drawer."""
        raise NotImplementedError

    def ready_views(self) -> Sequence[ReadyView]:
        """Return the answers, each within what is searched."""
        given = {name: value for name, value in self.state.filters.given().items() if name != "answer"}

        def view(label: Any, answer: str = "", level: str = "") -> ReadyView:
            return ReadyView(label, {**given, "answer": answer} if answer else given, level)

        answers = TraceEntry.Answer
        return (
            view(gettext_lazy("All answers")),
            view(answers.DEFERRED.label, answers.DEFERRED, "warn"),
            view(answers.REFUSED.label, answers.REFUSED, "bad"),
            view(answers.DELIVERED.label, answers.DELIVERED),
        )

    def _entry(self, rows: Sequence[TraceEntry]) -> TraceEntry | None:
        """Return the entry in the drawer, which `rows` may have. One that the user may not see does not exist."""
        keys = row_key.keys([self.request.GET.get(SHOWN, "")])
        listed = next((row for row in rows if row.pk in keys), None)
        return listed or (request_lookup.find(self.request, self.every_row(), pk__in=keys) if keys else None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        rows: list[Any] = context["page"].rows
        entry: Any = self._entry(rows)
        tries = trace_history.tries({row.pk: row for row in (*rows, entry) if row is not None}.values())
        for row in (*rows, entry):
            if row is not None:
                row.tries_before = tries.get(row.pk)
                row.told = trace_text.sentence(row, row.tries_before)
        here = context["here"]
        return context | {
            "entry": entry,
            "row_query": f"{here}&" if here else "?",
            "back": here or "?",
            "asked": _asked(self.state),
        }


def _asked(state: State) -> Mapping[str, Any]:
    """Return the fields of the sentence that searches, and what else its form must keep."""
    filters = state.filters
    return {
        "fields": [filters[name] for name in ("sender", "recipient", "since", "until")],
        "kept": {name: value for name, value in filters.given().items() if name in ("q", "answer", "mailbox")},
        "text": filters.search_text(),
        "without_text": state.without("q"),
    }


def query(**given: str) -> str:
    """Return the query string of a page of the trace with these filters."""
    return f"?{urlencode({name: value for name, value in given.items() if value})}"
