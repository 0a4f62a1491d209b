"""The owner's mail lists: search, and subjects for the rows. Subclasses provide the rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.messages import message_file, message_titles
from popadmin.lists.columns import Filters, Rows
from popadmin.lists.views import ListPage

PAGE_ROWS = 25


class Words(Filters):
    words = forms.CharField(
        label=_("Search subject or sender"), max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )

    def by_words(self, rows: Rows, words: str) -> Rows:
        return rows.filter(message_titles.matching(words))


class MailList(ListPage):
    """A list of messages with subject and sender; these are read from the bodies once and then stored."""

    filters = Words
    page_rows = PAGE_ROWS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        store = message_file.site_store()
        words = self.state.filters.given().get("words")
        unread = message_titles.prepare(store, self.rows()) if words else 0
        context = super().get_context_data(**kwargs, unread=unread)
        message_titles.fill(store, context["page"].rows)
        return context
