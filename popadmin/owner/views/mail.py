"""The owner's lists of mail: how any of them searches, and how rows get their subjects. What is listed, others say."""

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
    """A list of messages with subject and sender, which are read from the bodies where nobody has asked before."""

    filters = Words
    page_rows = PAGE_ROWS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        store = message_file.site_store()
        words = self.state.filters.given().get("words")
        unread = message_titles.prepare(store, self.rows()) if words else 0
        context = super().get_context_data(**kwargs, unread=unread)
        message_titles.fill(store, context["page"].rows)
        return context
