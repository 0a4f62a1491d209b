"""Mailboxes whose mail is still at the old server of their domain, until their owner has signed in here."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailboxMove(models.Model):
    """One mailbox that moves from the old server of its domain. Its owner's first sign-in moves it.

    WAITING: the next sign-in with a password moves it, or goes on. `moved_at` is when all mail was here for the first
    time. Before that, POP3 shows nothing of the mailbox: a mail program would take a part for the whole. The old server
    knows it by `former_address` if it was renamed here, else by its address.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a sign-in")
        MOVING = "moving", _("moving")
        MOVED = "moved", _("moved")
        FAILED = "failed", _("failed")

    class Reason(models.TextChoices):
        PASSWORD = "password", _("the old server does not take the password any more")
        LOST = "lost", _("the old server cannot be reached, or was cut off")
        NO_TLS = "no-tls", _("the old server offers no TLS")
        BAD_CERTIFICATE = "certificate", _("the certificate of the old server is not trusted")
        TLS_FAILED = "tls", _("TLS with the old server failed")
        NO_UIDL = "no-uidl", _("the old server does not tell UIDLs")
        NOT_POP3 = "not-pop3", _("the old server does not speak POP3")
        MESSAGES = "messages", _("some messages cannot be read there")
        STORE = "store", _("the mail could not be stored here")

    mailbox = models.OneToOneField(
        "mailstore.Mailbox", models.CASCADE, primary_key=True, related_name="move", verbose_name=_("mailbox")
    )
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    since = models.DateTimeField(_("since"))  # it has this state
    messages = models.PositiveIntegerField(default=0)  # read so far in this run
    total = models.PositiveIntegerField(null=True)  # on the old server; NULL: not known yet
    reason = models.CharField(max_length=11, choices=Reason.choices, blank=True, default="")  # why it failed
    detail = models.TextField(blank=True, default="")  # in the words of the old server or of our store
    moved_at = models.DateTimeField(null=True)
    former_address = models.TextField(null=True)  # noqa: DJ001 - NULL is "not renamed"

    class Meta:
        verbose_name = _("move of a mailbox")
        verbose_name_plural = _("moves of mailboxes")

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.state}"

    @property
    def percent(self) -> int:
        """Return how much of the mail has been read in this run."""
        return self.messages * 100 // self.total if self.total else 0
