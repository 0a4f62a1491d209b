"""Messages, each in one mailbox. A restore begins a new stay of the same row."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Message(models.Model):
    """One message in one mailbox, live from change `added` until change `removed`; after that it rests in recovery.

    A restore gives its row a new `added`. This begins a new stay, in which no device has hidden or confirmed the
    message. The stay before becomes an EarlierStay.

    A session at change c sees exactly the stays, of either table, with added <= c < removed (or not removed).
    """

    class Why(models.TextChoices):
        DELE = "dele", _("deleted by a device")
        EVERY_DEVICE = "every", _("every device has it")
        SETTLED = "settled", _("mail no longer waits for a device, and all others have deleted it")
        EXPIRED = "expired", _("expired by retention policy")
        HAD = "had", _("expired: every device has had it for long enough")
        RELIEF = "relief", _("quota relief")
        PERSON = "person", _("removed on the pages")

    # No constraint: every index here is partial, so its check would read the whole table at each purge of a mailbox, or
    # need one more index at each delivery. A purge deletes the messages first, under the lock that deliveries need.
    mailbox = models.ForeignKey(
        "mailstore.Mailbox", models.DO_NOTHING, verbose_name=_("mailbox"), db_constraint=False, db_index=False
    )
    body = models.ForeignKey(
        "mailstore.Body", models.PROTECT, verbose_name=_("body")
    )  # its index: a purge asks whether a message is left
    uidl = models.CharField(_("UIDL"), max_length=70)
    prefix = models.BinaryField(_("delivery headers, in wire form"))
    octets = models.BigIntegerField(_("octets"))
    arrived_at = models.DateTimeField(_("arrived"))
    # When it was imported or restored: retention then counts its age from here, not from its arrival.
    aged_from = models.DateTimeField(_("aged from"), null=True, blank=True)
    added = models.BigIntegerField(_("arrival's change number"))
    removed = models.BigIntegerField(_("removal's change number"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    removed_why = models.CharField(_("why"), max_length=7, choices=Why.choices, blank=True, default="")
    removed_by = models.ForeignKey(  # no constraint: a device row goes only with its mailbox
        "mailstore.Device",
        models.DO_NOTHING,
        null=True,
        blank=True,
        verbose_name=_("removed by"),
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            # Its index is the list of a session: live rows in order. With what is included, the sweep and previews
            # judge a mailbox without reading its rows.
            models.UniqueConstraint(
                fields=["mailbox", "added"],
                include=["arrived_at", "aged_from", "octets"],
                condition=models.Q(removed__isnull=True),
                name="message_one_change_one_arrival",
            ),
            models.UniqueConstraint(
                fields=["mailbox", "uidl"],
                condition=models.Q(removed__isnull=True),
                name="message_uidl_once_in_a_maildrop",
            ),
            models.CheckConstraint(
                condition=models.Q(removed__isnull=True, removed_at__isnull=True)
                | models.Q(removed__gt=models.F("added"), removed_at__isnull=False),
                name="message_removed_after_it_was_added",
            ),
            models.CheckConstraint(condition=models.Q(octets__gte=0), name="message_octets_not_negative"),
        ]
        indexes = [
            # The list of a session: rows that left after it opened. The owner's recovery page. The sweep: what left
            # first.
            models.Index(
                fields=["mailbox", "removed"],
                condition=models.Q(removed__isnull=False),
                name="message_recovery",
            ),
        ]

    def __str__(self) -> str:
        return self.uidl


class EarlierStay(models.Model):
    """An earlier stay of a restored message, for sessions that opened within it, and for the message's history.

    The message's own row is the last stay. A restore writes this row. It is deleted with its message, or once the diary
    has no session of that time any more.
    """

    mailbox = models.ForeignKey("mailstore.Mailbox", models.CASCADE, verbose_name=_("mailbox"), db_index=False)
    # No constraint: its check would cost time for each row that a purge deletes. The purge deletes the stays too.
    message = models.ForeignKey(
        Message,
        models.DO_NOTHING,
        verbose_name=_("message"),
        related_name="earlier_stays",
        db_constraint=False,
        db_index=False,
    )
    uidl = models.CharField(_("UIDL"), max_length=70)
    added = models.BigIntegerField(_("arrival's change number"))
    removed = models.BigIntegerField(_("removal's change number"))
    removed_at = models.DateTimeField(_("removed"))
    removed_why = models.CharField(_("why"), max_length=7, choices=Message.Why.choices)
    removed_by = models.ForeignKey(
        "mailstore.Device",
        models.DO_NOTHING,
        null=True,
        verbose_name=_("removed by"),
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    restored_at = models.DateTimeField(_("restored"))

    class Meta:
        verbose_name = _("earlier stay")
        verbose_name_plural = _("earlier stays")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(removed__gt=models.F("added")), name="earlier_stay_removed_after_it_was_added"
            ),
        ]
        indexes = [
            # The list of a session: stays that ended after it opened. The sweep: stays older than the diary.
            models.Index(fields=["mailbox", "removed"], name="earlier_stay_of_a_mailbox"),
            # The history of a message, and its purge.
            models.Index(fields=["message"], name="earlier_stay_of_a_message"),
        ]

    def __str__(self) -> str:
        return self.uidl


class ImportedSource(models.Model):
    """A message that an import has brought in. A second run does not bring it in again, even after its removal.

    Also the occasion of a notice of our own, so that it is delivered once. `uidl_digest` is of the UIDL that an
    imported message kept. No other message of the mailbox ever gets it (`transfer/spent_uidls.py`). `content_digest`
    finds the same message in another place (`transfer/twins.py`); mail that 0.2.0 imported has neither digest.
    """

    mailbox = models.ForeignKey("mailstore.Mailbox", models.CASCADE, verbose_name=_("mailbox"), db_index=False)
    source = models.BinaryField(_("digest of the source's identity"), max_length=16)
    uidl_digest = models.BinaryField(_("digest of the UIDL"), max_length=8, null=True)
    place_digest = models.BinaryField(_("digest of the place"), max_length=8, null=True)
    content_digest = models.BinaryField(_("digest of the content"), max_length=16, null=True)

    class Meta:
        verbose_name = _("imported source")
        verbose_name_plural = _("imported sources")
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "source"], name="imported_source_once"),
            # The import asks its index for the UIDLs of its next messages.
            models.UniqueConstraint(
                fields=["mailbox", "uidl_digest"],
                condition=models.Q(uidl_digest__isnull=False),
                name="imported_uidl_once",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.source).hex()
