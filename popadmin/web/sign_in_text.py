"""How a sign-in to POP or to send mail ended, as a sentence for the list of sign-ins."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from mailstore.models import DiarySession
from popadmin.web import session_text
from popadmin.web.formats import facts

Ended = DiarySession.Ended
REFUSALS: dict[str, Promise] = {
    Ended.WRONG: _("Refused: the password is wrong"),
    Ended.PREVIOUS: _("Refused: the program has the old password"),
    Ended.SUSPENDED: _("Refused: the mailbox is suspended"),
    Ended.POP_OFF: _("Refused: POP is off for this mailbox"),
    Ended.MAIN_OFF: _("Refused: only device passwords may be used here"),
    Ended.SMTP_OFF: _("Refused: sending is off for this mailbox"),
    Ended.NO_SENDER: _("Refused: this device may not send mail"),
    Ended.MALFORMED: _("Refused: the name or the password cannot be read"),
    Ended.THROTTLED: _("Refused: too many failures before"),
}
_ENDINGS: dict[str, Promise] = {
    Ended.LOST: _("the connection was lost"),
    Ended.IDLE: _("the program was silent for too long"),
    Ended.BARRED: _("ended here: the device may no longer use POP, or its password was changed"),
    Ended.SHUTDOWN: _("the server was stopped"),
    Ended.FAILED: _("the server failed"),
}


def outcome(session: DiarySession) -> str:
    """Return why a sign-in was refused, or what the session did, and how it ended if not with QUIT."""
    if session.ended in REFUSALS:
        return str(REFUSALS[session.ended])
    done = session_text.sentence(session)
    if session.unremoved_messages or session.ended not in _ENDINGS:  # then the sentence says the cause
        return str(capfirst(done))
    return str(capfirst(facts((done, str(_ENDINGS[session.ended])))))
