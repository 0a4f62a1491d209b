"""What the detectors have found: mail programs that are set up wrongly. Written by the sweep, read by pages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.mailboxes import Device, Mailbox


class Finding(models.Model):
    """One thing that is so now. `since` is when it was found first; it goes when it is so no more."""

    class Kind(models.TextChoices):
        AGAIN = "again", _("fetches the same mail again and again")
        SHARED = "shared", _("two machines on one password")
        HASTY = "hasty", _("looks for mail every few seconds")
        KEEPS = "keeps", _("never deletes, and the mailbox fills")
        UNENDED = "unended", _("never ends its sessions")
        PREVIOUS = "previous", _("the previous password is still in use")

    # No constraints: their checks would wait for whoever has locked one of the mailboxes, while they hold the others.
    mailbox = models.ForeignKey(Mailbox, models.CASCADE, verbose_name=_("mailbox"), db_constraint=False)
    device = models.ForeignKey(
        Device, models.CASCADE, null=True, blank=True, verbose_name=_("device"), db_constraint=False
    )
    kind = models.CharField(_("finding"), max_length=8, choices=Kind.choices)
    since = models.DateTimeField(_("since"))
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")

    def __str__(self) -> str:
        return f"{self.kind} {self.mailbox_id}"
