"""The diary: what POP3 sessions did, who was refused one, and what the detectors found in it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.columns import ChangeRanges


class DiarySession(models.Model):
    """One session; or several of one hour that are alike: polls that fetched and marked nothing, refused sign-ins.

    A sign-in to send mail is a session too: the MTA asked for it, and nothing is known of what it sent.

    `sessions` is how many the row stands for. The first began at `started_at`, the last ended at `ended_at`. `fetched`
    and `deleted` say which messages, as ranges of arrival numbers (Message.added). `device_mode` is the Device.Mode
    when the session ended: it says whether DELE removed for all, or hid from the device itself.
    `unremoved_messages` are those that DELE marked in vain: without a QUIT nothing is removed (RFC 1939 §6).
    `popadmin.web.session_text` says it in words.
    """

    class Ended(models.TextChoices):
        QUIT = "quit", _("QUIT")
        LOST = "lost", _("connection lost")
        IDLE = "idle", _("silent for too long")
        BARRED = "barred", _("ended here: this device may no longer use POP, or its password was changed")
        SHUTDOWN = "shutdown", _("the server was stopped")
        FAILED = "failed", _("the server failed")
        SENT = "sent", _("signed in to send mail")
        WRONG = "wrong", _("refused: wrong password")
        PREVIOUS = "previous", _("refused: the previous password")
        SUSPENDED = "suspended", _("refused: suspended")
        POP_OFF = "pop-off", _("refused: POP is off")
        MAIN_OFF = "main-off", _("refused: mail programs may not use the main password")
        SMTP_OFF = "smtp-off", _("refused: sending is off")
        NO_SENDER = "no-sender", _("refused: this device may not send")
        THROTTLED = "throttled", _("refused: too many failures")
        MALFORMED = "malformed", _("refused: the name or password is not readable")

    REFUSED = (
        Ended.WRONG, Ended.PREVIOUS, Ended.SUSPENDED, Ended.POP_OFF, Ended.MAIN_OFF, Ended.SMTP_OFF, Ended.NO_SENDER,
        Ended.THROTTLED, Ended.MALFORMED,
    )  # fmt: skip

    # No constraints: their checks would wait for the lock of the mailbox, and make others wait. A purge deletes the
    # rows of its mailbox. A device row is deleted only with its mailbox.
    mailbox = models.ForeignKey(
        "mailstore.Mailbox", models.DO_NOTHING, verbose_name=_("mailbox"), db_constraint=False, db_index=False
    )
    device = models.ForeignKey(
        "mailstore.Device",
        models.DO_NOTHING,
        null=True,
        blank=True,
        verbose_name=_("device"),
        db_constraint=False,
        db_index=False,
    )
    # Empty in rows that removed nothing, and in those of older versions.
    device_mode = models.CharField(_("mode of the device"), max_length=11, blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"))
    client = models.GenericIPAddressField(_("address"), null=True, blank=True)
    tls = models.CharField(_("encryption"), max_length=10, blank=True, default="")
    listed = models.BigIntegerField(_("messages in view"), default=0)
    list_requested = models.BooleanField(_("asked for the messages"), default=True, db_default=True)
    fetched_messages = models.BigIntegerField(_("fetched"), default=0)
    removed_messages = models.BigIntegerField(_("removed"), default=0)
    unremoved_messages = models.BigIntegerField(_("deletions not carried out"), default=0, db_default=0)
    octets_out = models.BigIntegerField(_("octets sent"), default=0)
    fetched = ChangeRanges(_("fetched, by arrival"), default="{}")
    deleted = ChangeRanges(_("removed, by arrival"), default="{}")
    ended = models.CharField(_("how it ended"), max_length=9, choices=Ended.choices)
    sessions = models.PositiveIntegerField(_("how many"), default=1)
    # Digest of the hour and of what the sessions of this row have in common; NULL for a row of one session.
    rollup_key = models.BinaryField(max_length=16, null=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("diary entry")
        verbose_name_plural = _("diary entries")
        indexes = [
            # The pages of the diary: one mailbox, the newest first.
            models.Index(fields=["mailbox", "-started_at"], name="diary_of_a_mailbox"),
            # The sweep: rows that are older than the policy keeps.
            models.Index(fields=["started_at"], name="diary_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.ended}"


class DiaryBatch(models.Model):
    """The last batch that a worker wrote. A batch is sent again if its answer was lost, but it is written once."""

    writer = models.UUIDField(_("worker"))
    number = models.BigIntegerField(_("number"))
    written_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("batch of diary entries")
        verbose_name_plural = _("batches of diary entries")
        constraints = [
            models.UniqueConstraint(fields=["writer", "number"], name="diary_batch_is_written_once"),
        ]

    def __str__(self) -> str:
        return f"{self.writer} {self.number}"


class RefusedName(models.Model):
    """What no diary of a mailbox can tell: names that nobody has, limits that refused somebody, and TLS not begun.

    A row stands for all tries that are alike, `tries` of them, on `days` days in a row up to the last one. `name`
    is an address in normal form, or the bare local part of a mailbox. It is empty for any other text, which may be
    a password in the wrong field, and for the names that had no room. Where TLS did not begin, `name` is the IP
    address of the client, and `version` the newest one that it offered; where a program is set up for another
    encryption than the port has, both are empty. `network` is empty where too many networks tried at once. `until` is
    when a limit ends.
    """

    class Reason(models.TextChoices):
        UNKNOWN = "unknown", _("no such name")
        NETWORK = "network", _("too many names that nobody has")
        ACCOUNT = "account", _("too many wrong passwords")
        CONNECTIONS = "connections", _("too many connections")
        TLS_VERSION = "tls-version", _("TLS too old")
        TLS_CIPHER = "tls-cipher", _("no common cipher")
        CLEARTEXT = "cleartext", _("no encryption")
        TLS_FIRST = "tls-first", _("TLS at once on the port for STARTTLS")
        TLS_MISSING = "tls-missing", _("no TLS on the port for SSL/TLS")

    LIMITS = (Reason.NETWORK, Reason.ACCOUNT, Reason.CONNECTIONS)
    TLS = (Reason.TLS_VERSION, Reason.TLS_CIPHER)
    ENCRYPTION = (Reason.CLEARTEXT, Reason.TLS_FIRST, Reason.TLS_MISSING)

    reason = models.CharField(_("why"), max_length=11, choices=Reason.choices)
    name = models.CharField(_("name"), max_length=254, blank=True, default="")
    network = models.CharField(_("network"), max_length=64, blank=True, default="")
    protocol = models.CharField(_("protocol"), max_length=4)  # pop3, smtp or web
    version = models.CharField(_("version of TLS"), max_length=7, blank=True, default="", db_default="")
    tries = models.BigIntegerField(_("how often"))
    days = models.IntegerField(_("days in a row"), default=1, db_default=1)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("refused name")
        verbose_name_plural = _("refused names")
        constraints = [
            # Alike tries are one row. It also counts the names of a network.
            models.UniqueConstraint(
                fields=["network", "reason", "name", "protocol", "version"], name="refused_name_is_one_row"
            ),
        ]
        indexes = [
            # The newest first, for the page and for the bound; the oldest for the sweep.
            models.Index(fields=["-last_at"], name="refused_name_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name or '-'} {self.network} {self.reason}"


class Finding(models.Model):
    """A mail program that is set up wrongly now. `since` is when it was found first. The sweep deletes what is over."""

    class Kind(models.TextChoices):
        AGAIN = "again", _("fetches the same mail again and again")
        SHARED = "shared", _("two machines use one password")
        HASTY = "hasty", _("checks for mail every few seconds")
        KEEPS = "keeps", _("never deletes, and the mailbox fills")
        UNENDED = "unended", _("never ends its sessions")
        UNDONE = "undone", _("deletes, and hangs up without QUIT")
        STOPPED = "stopped", _("stops at one message")
        PREVIOUS = "previous", _("the previous password is still in use")
        BARE = "bare", _("a user name without its domain")
        LIMIT = "limit", _("sends more than it may")

    # No constraints: their checks would wait for the lock of one mailbox while they hold the locks of others.
    mailbox = models.ForeignKey("mailstore.Mailbox", models.CASCADE, verbose_name=_("mailbox"), db_constraint=False)
    device = models.ForeignKey(
        "mailstore.Device", models.CASCADE, null=True, blank=True, verbose_name=_("device"), db_constraint=False
    )
    kind = models.CharField(_("problem"), max_length=8, choices=Kind.choices)
    since = models.DateTimeField(_("since"))
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")

    def __str__(self) -> str:
        return f"{self.kind} {self.mailbox_id}"


class SharedFailure(models.Model):
    """A failed sign-in that one worker counted, until the others have read it. It lives for a minute.

    `account` is an address, or a digest of what is none: it may be a password in the wrong field. `secret` is a keyed
    digest too short to find a password by. `forgiven` takes a failure back, `succeeded` exempts a network for a day.
    """

    at = models.DateTimeField()
    writer = models.UUIDField()
    kind = models.CharField(max_length=9)
    client = models.CharField(max_length=64)
    account = models.TextField()
    secret = models.BinaryField(max_length=8)
    unknown = models.BooleanField()
    loopback = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.kind} {self.client}"
