"""Says in one sentence why an old server did not give its mail, and what to do about it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from mailstore.transfer.sources.old_server_error import Flaw, OldServerError, PasswordRefused, Unusable
from mailstore.transfer.sources.pop3_client import Account

_FLAWS = {
    Flaw.NO_TLS: _(
        "%(server)s offers no TLS, so the password would be readable on the way: name its TLS port with pop3s://, or "
        "say that it may be plain with --plaintext"
    ),
    Flaw.BAD_CERTIFICATE: _(
        "the certificate of %(server)s is not trusted (%(detail)s): use the name in it, or name the authority's file "
        "with --ca-file"
    ),
    Flaw.TLS_FAILED: _("TLS with %(server)s failed (%(detail)s): its TLS may be too old, or the port is another one"),
    Flaw.NO_UIDL: _(
        "%(server)s does not tell UIDLs, so mail programs would get everything twice: import a Maildir or an mbox of it"
    ),
    Flaw.NOT_POP3: _("%(server)s does not speak POP3 (%(detail)s): check the name and the port"),
    Flaw.TOO_MANY: _("%(server)s has too many messages in this mailbox"),
}


def sentence(account: Account, error: OldServerError) -> str:
    """Return why signing in or listing the messages failed."""
    words = {"server": account.server, "user": account.user, "detail": str(error)}
    if isinstance(error, Unusable):
        return str(_FLAWS[error.flaw] % {**words, "detail": error.detail})
    if isinstance(error, PasswordRefused):
        return str(_("%(server)s does not take the password of %(user)s: %(detail)s") % words)
    return str(_("%(server)s cannot be reached: %(detail)s") % words)


def sentence_of_cut(account: Account, error: OldServerError) -> str:
    """Return why an import ended before its end. What came before it stays."""
    text = sentence(account, error)
    return str(_("%(reason)s. The messages so far are stored; run it again for the others") % {"reason": text})
