"""What the pages of live and of removed messages share: the list with its search, and notices."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.messages import message_file, message_summary
from mailstore.messages.recovery import Restored
from popadmin.lists.columns import Filters, Rows, SearchBox
from popadmin.lists.views import ListPage
from popadmin.web import notices
from popadmin.web.formats import count, size

PAGE_ROWS = 25
RESTORED = "restore"  # in the session: the latest restore, by its token, and the keys of its messages
UNDONE_MOST = 2000  # messages that the session remembers; more are not offered as one Undo


class SearchFilter(Filters):
    """Messages by words in their subject or sender."""

    search = "words"
    words = SearchBox(label=gettext_lazy("Search subject or sender"), max_length=100)

    def by_words(self, rows: Rows, words: str) -> Rows:
        return rows.filter(message_summary.matching(words))


class MailList(ListPage):
    """A list of messages with subject and sender, which are read from the bodies once and then stored."""

    filters = SearchFilter
    page_rows = PAGE_ROWS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        store = message_file.site_store()
        words = self.state.filters.given().get("words")
        unread = message_summary.prepare(store, self.rows()) if words else 0
        context = super().get_context_data(**kwargs, unread=unread)
        message_summary.fill(store, context["page"].rows)
        return context


def restore_notice(result: Restored) -> str:
    """Return the notice of a restore."""
    text = ngettext(
        "%(number)s message (%(size)s) is restored: your mail programs will fetch it next time.",
        "%(number)s messages (%(size)s) are restored: your mail programs will fetch them next time.",
        result.messages,
    )
    return text % {"number": count(result.messages), "size": size(result.octets)}


def tell_restored(request: HttpRequest, result: Restored, keys: Sequence[int]) -> None:
    """Tell what was restored, with an Undo, and whether the mailbox is over its quota now."""
    if len(keys) <= UNDONE_MOST:
        token = secrets.token_urlsafe(8)
        request.session[RESTORED] = {"token": token, "keys": list(keys)}
        notices.undoable(request, restore_notice(result), f"{reverse('recovery-undo')}?restore={token}")
    else:
        messages.success(request, restore_notice(result))
    if result.above_quota:
        messages.warning(
            request, _("Your mailbox is now over its quota: new mail is refused until there is room again.")
        )
