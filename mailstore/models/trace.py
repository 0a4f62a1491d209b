"""The trace: each answer that a sender got for a recipient, and how far the MTA's log was read."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.models.columns import plain


class TraceEntry(models.Model):
    """One answer to one recipient of one message.

    An alias that leads to several mailboxes, or into another domain, has further rows (`copy`) with the same
    `queue_id`: one for each further mailbox, for its owner, and one for each further domain, for its admins. Refusals
    of names that nobody has are folded: `tries` of an hour from `first_at` to `at`. A row with an empty recipient
    stands for the names that had no room.
    """

    class Answer(models.TextChoices):
        DELIVERED = "delivered", pgettext_lazy("answer", "Delivered")
        DEFERRED = "deferred", pgettext_lazy("answer", "Deferred")
        REFUSED = "refused", pgettext_lazy("answer", "Refused")
        UNRECORDED = "unrecorded", pgettext_lazy("answer", "Not recorded")

    class Reason(models.TextChoices):
        FULL = "full", _("mailbox full")
        DOMAIN_FULL = "domain-full", _("domain full")
        DISK = "disk", _("the mail store has no room")
        DATABASE = "database", _("database or mail store away")
        BUSY = "busy", _("too much to do")
        OUTSIDE = "outside", _("an alias leads outside")
        TROUBLE = "trouble", _("internal trouble")
        MANY = "many", _("too many recipients in one message")
        UNKNOWN = "unknown", _("no such mailbox")
        NO_DOMAIN = "no-domain", _("the domain is not hosted here")
        REMOVED = "removed", _("the mailbox was removed")
        ALIAS_EXPIRED = "alias-expired", _("the alias has expired")
        ALIAS_OFF = "alias-off", _("the alias is switched off")
        CLOSED = "closed", _("the mailbox receives nothing")
        DOMAIN_OFF = "domain-off", _("the domain is suspended")
        TOO_LARGE = "too-large", _("larger than the site takes")
        LOOP = "loop", _("the message goes in a circle")
        ADDRESS = "address", _("not an address")
        UTF8 = "utf8", _("an address in UTF-8 without SMTPUTF8")
        REJECTED = "rejected", _("rejected by the mail server")
        QUEUED = "queued", _("waits in the queue of the mail server")
        BOUNCED = "bounced", _("returned by the mail server")
        SENT = "sent", _("sent on by the mail server")

    class Source(models.TextChoices):
        LMTP = "lmtp", _("LMTP")
        PIPE = "pipe", _("the command deliver")
        NOTICE = "notice", _("our own notice")
        POLICY = "policy", _("policy service, at RCPT")
        MTA = "mta", _("log of the mail server")

    FULL = (Reason.FULL, Reason.DOMAIN_FULL)
    UNDELIVERED = (Answer.REFUSED, Answer.DEFERRED)

    at = models.DateTimeField(_("time"))
    first_at = models.DateTimeField(_("first"))
    tries = models.BigIntegerField(_("how often"), default=1)
    source = models.CharField(_("source"), max_length=6, choices=Source.choices)
    answer = models.CharField(_("answer"), max_length=10, choices=Answer.choices)
    reason = models.CharField(_("reason"), max_length=13, choices=Reason.choices, blank=True, default="")
    reply = models.TextField(_("reply"), blank=True, default="")
    sender = models.TextField(_("sender"), blank=True, default="")
    recipient = models.TextField(_("recipient"), blank=True, default="")
    # No constraints: their checks would wait for whoever has locked a mailbox. What it keeps says the row by itself.
    domain = models.ForeignKey(
        "mailstore.Domain", models.DO_NOTHING, null=True, verbose_name=_("domain"), db_constraint=False, db_index=False
    )
    mailbox = models.ForeignKey(
        "mailstore.Mailbox",
        models.DO_NOTHING,
        null=True,
        verbose_name=_("mailbox"),
        db_constraint=False,
        db_index=False,
    )
    copy = models.BooleanField(_("copy"), default=False)
    mailbox_count = models.IntegerField(_("mailboxes"), default=1)
    via = ArrayField(models.TextField(), verbose_name=_("by way of"), default=list)
    octets = models.BigIntegerField(_("size"), null=True)
    announced_octets = models.BigIntegerField(_("size as announced"), null=True)
    message_id = models.TextField(_("Message-ID"), blank=True, default="")
    queue_id = models.CharField(_("queue id"), max_length=70, blank=True, default="")
    uidl = models.CharField(_("UIDL"), max_length=70, blank=True, default="")
    mta_id = models.CharField(_("queue id of the mail server"), max_length=64, blank=True, default="")
    client = models.TextField(_("client"), blank=True, default="")
    origin = models.TextField(_("sending server"), blank=True, default="")
    pair = models.BigIntegerField(_("digest of sender, recipient and announced size"), null=True)
    fold_key = models.BinaryField(max_length=16, null=True, unique=True, editable=False)  # of an hour's refusals alike

    class Meta:
        verbose_name = _("trace entry")
        verbose_name_plural = _("trace")
        indexes = [
            # The page Trace of hosting admins: the latest first. The sweep, of rows without domain: the oldest.
            models.Index(fields=["-at", "-id"], condition=models.Q(copy=False), name="trace_by_time"),
            # The same of one answer that needs somebody's attention.
            models.Index(
                fields=["answer", "-at"],
                condition=models.Q(copy=False) & ~models.Q(answer="delivered"),
                name="trace_not_delivered",
            ),
            # The page of domain admins. The sweep, of rows without mailbox.
            models.Index(fields=["domain", "-at"], name="trace_of_a_domain"),
            # The page of owners, the timeline and the state line of a mailbox. The sweep.
            models.Index(fields=["mailbox", "-at"], name="trace_of_a_mailbox"),
            # Earlier tries of the same message to the same recipient.
            models.Index(fields=["pair", "-at"], name="trace_tries"),
            # The rows of one delivery to several mailboxes.
            models.Index(fields=["queue_id"], condition=models.Q(copy=True), name="trace_copies"),
            # The log of the MTA: whether a line is told already, and what an earlier line of the message said.
            models.Index(fields=["mta_id"], condition=~models.Q(mta_id=""), name="trace_by_mta_id"),
            # The searches by a part of the sender and of the recipient, also of names that nobody has.
            GinIndex(OpClass(plain("sender"), "gin_trgm_ops"), name="trace_sender_search"),
            GinIndex(OpClass(plain("recipient"), "gin_trgm_ops"), name="trace_recipient_search"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.recipient} {self.answer}"


class MtaLogPosition(models.Model):
    """How far a log of the MTA has been read, in the words of its kind: an octet of a file, a cursor of a journal."""

    source = models.TextField(_("log"), unique=True)
    position = models.TextField(_("position"))
    read_at = models.DateTimeField(_("read"))

    class Meta:
        verbose_name = _("position in a log of the mail server")
        verbose_name_plural = _("positions in logs of the mail server")

    def __str__(self) -> str:
        return self.source
