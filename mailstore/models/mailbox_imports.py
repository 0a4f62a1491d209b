"""Imports: files of mailboxes, aliases and domains, with the result for each row. A run goes on where it stopped."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _


class MailboxImport(models.Model):
    """One file. Its rows are checked first (what each would change), then carried out, both in small steps."""

    class Kind(models.TextChoices):
        MAILBOXES = "mailboxes", _("mailboxes")
        ALIASES = "aliases", _("aliases")
        DOMAINS = "domains", _("domains")
        MIXED = "mixed", _("rows of several kinds")
        RENAMES = "renames", _("new addresses of mailboxes")

    class Mode(models.TextChoices):
        CREATE = "create", _("create what is new, change nothing")
        UPDATE = "update", _("change what exists, create nothing")
        BOTH = "both", _("create and change")

    class Unit(models.TextChoices):
        ASK = "", _("each must have one")
        OCTETS = "B", _("bytes")
        MB = "MB", _("MB")

    class Zero(models.TextChoices):
        ASK = "", _("each must say it")
        NO_LIMIT = "none", _("no limit")
        NO_MAIL = "0B", _("no mail at all")

    class Stage(models.TextChoices):
        COLUMNS = "columns", _("columns not chosen yet")
        CHECKING = "checking", _("checking the rows")
        CHECKED = "checked", _("checked, nothing is changed yet")
        RUNNING = "running", _("import running")
        DONE = "done", _("imported")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, verbose_name=_("who"))
    file_name = models.CharField(_("file"), max_length=255)
    header = ArrayField(models.TextField(), verbose_name=_("columns"))
    kind = models.CharField(_("what the rows are"), max_length=9, choices=Kind.choices, default=Kind.MAILBOXES)
    meaning = ArrayField(models.CharField(max_length=30, blank=True), default=list, verbose_name=_("what they contain"))
    mode = models.CharField(_("what is done"), max_length=6, choices=Mode.choices, default=Mode.BOTH)
    stage = models.CharField(_("stage"), max_length=8, choices=Stage.choices, default=Stage.COLUMNS)
    unit = models.CharField(
        _("sizes without a unit are in"), max_length=2, choices=Unit.choices, blank=True, default=Unit.ASK
    )
    zero = models.CharField(_("a size of 0 or -1 means"), max_length=4, choices=Zero.choices, blank=True, default="")
    small_sizes = models.BooleanField(_("sizes below 1 MB are meant"), default=False, db_default=False)
    existing_passwords = models.BooleanField(_("its passwords are those of another server"), default=False)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    class Meta:
        verbose_name = _("mailbox import")
        verbose_name_plural = _("mailbox imports")
        indexes = [
            # The list of a user's imports, newest first; what the columns meant in the user's last file that had them.
            models.Index(fields=["owner", "-created_at"], name="mailbox_import_newest_first"),
        ]

    def __str__(self) -> str:
        return self.file_name

    def title(self, number: int) -> str:
        """Return the name of a column, counted from 0; its position if it has no name."""
        return self.header[number] or gettext("column %(number)d") % {"number": number + 1}


class MailboxImportRow(models.Model):
    """One row: its cells and its result. The cells are emptied once the row is carried out or refused.

    `row_id` is the key of the mailbox, alias or domain that it created or changed, which may be renamed since.
    `password_due`: a password was made for the row, and nobody has got it yet.
    """

    class Kind(models.IntegerChoices):
        """What a row is. In the order in which rows are taken, so that a row may need one further down in the file."""

        DOMAIN = 1, _("domain")
        ALIAS_DOMAIN = 2, _("alias domain")
        MAILBOX = 3, _("mailbox")
        ALIAS = 4, _("alias")
        RENAME = 5, _("new address")

    class Fate(models.TextChoices):
        UNKNOWN = "", _("not checked yet")
        CREATE = "create", _("new")
        CHANGE = "change", pgettext_lazy("row", "changed")
        SAME = "same", pgettext_lazy("row", "no change")
        WRONG = "wrong", _("error")

    mailbox_import = models.ForeignKey(MailboxImport, models.CASCADE, verbose_name=_("mailbox import"), db_index=False)
    line = models.PositiveIntegerField(_("line"))
    cells = ArrayField(models.TextField(), verbose_name=_("cells"))
    kind = models.PositiveSmallIntegerField(_("kind"), choices=Kind.choices, default=Kind.MAILBOX)
    fate = models.CharField(_("result"), max_length=6, choices=Fate.choices, blank=True, default=Fate.UNKNOWN)
    column = models.TextField(_("column"), blank=True, default="")
    detail = models.TextField(_("detail"), blank=True, default="")
    address = models.TextField(_("address"), blank=True, default="")
    row_id = models.BigIntegerField(null=True)
    done = models.BooleanField(_("carried out"), default=False)
    password_due = models.BooleanField(_("a password is due"), default=False)

    class Meta:
        verbose_name = _("mailbox import row")
        verbose_name_plural = _("mailbox import rows")
        constraints = [
            models.UniqueConstraint(fields=["mailbox_import", "line"], name="mailbox_import_row_once"),
        ]
        indexes = [
            # Whether an earlier row has the same address.
            models.Index(fields=["mailbox_import", "address"], name="mailbox_import_row_address"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.address}"
