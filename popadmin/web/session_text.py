"""A session of the diary as text: what the mail program asked for, got and removed, and what was not carried out."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.models import Device, DiarySession
from popadmin.web.formats import count, facts

Ended = DiarySession.Ended
# Why deletions were not carried out. Of a session that ended with QUIT, the removal itself failed (RFC 1939 §6).
_CAUSES: dict[str, Promise] = {
    Ended.LOST: gettext_lazy("the program hung up without QUIT"),
    Ended.IDLE: gettext_lazy("the program was silent for too long"),
    Ended.BARRED: gettext_lazy("the device may no longer use POP, or its password was changed"),
    Ended.SHUTDOWN: gettext_lazy("the server was stopped"),
}
_FAILED = gettext_lazy("the server failed")


def sentence(session: DiarySession) -> str:
    """Return what the session did: `listed 6, fetched none`, `fetched 31, removed 4`; of a refused one, why.

    Of a sign-in to send mail it says no more than that: the MTA knows the rest.
    """
    if session.ended in (Ended.SENT, *DiarySession.REFUSED):
        return str(session.get_ended_display())
    return facts((_handled(session), _unremoved(session)))


def times(session: DiarySession) -> str:
    """Return how many sessions the row stands for: `9 times`; empty for one."""
    if session.sessions == 1:
        return ""
    return ngettext("%(number)s time", "%(number)s times", session.sessions) % {"number": count(session.sessions)}


def _handled(session: DiarySession) -> str:
    done = ", ".join(_amounts(session))
    if done or session.unremoved_messages:
        return done
    if not session.list_requested:
        return _("signed in, asked for nothing")
    if not session.listed:
        return _("found no messages")
    text = ngettext("listed %(number)s, fetched none", "listed %(number)s, fetched none", session.listed)
    return text % {"number": count(session.listed)}


def _amounts(session: DiarySession) -> Iterator[str]:
    if fetched := session.fetched_messages:
        yield ngettext("fetched %(number)s", "fetched %(number)s", fetched) % {"number": count(fetched)}
    if removed := session.removed_messages:
        yield _removed(removed, session.device_mode)


def _removed(number: int, mode: str) -> str:
    """Say whether DELE removed messages for all, or hid them from the device itself. Older rows do not tell it."""
    if mode == Device.Mode.PRIMARY:
        text = ngettext("removed %(number)s", "removed %(number)s", number)
    elif not mode:
        text = ngettext("deleted %(number)s", "deleted %(number)s", number)
    else:
        text = ngettext("deleted %(number)s for itself", "deleted %(number)s for itself", number)
    return text % {"number": count(number)}


def _unremoved(session: DiarySession) -> str:
    unremoved = session.unremoved_messages
    if not unremoved:
        return ""
    text = ngettext(
        "%(number)s deletion not carried out: %(cause)s", "%(number)s deletions not carried out: %(cause)s", unremoved
    )
    return text % {"number": count(unremoved), "cause": _CAUSES.get(session.ended, _FAILED)}
