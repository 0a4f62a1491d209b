"""Mailbox imports: files that somebody imports, with the result for each row. A run goes on where it stopped."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class MailboxImport(models.Model):
    """One file. Its rows are checked first (what each would change), then carried out, both in small steps."""

    class Mode(models.TextChoices):
        CREATE = "create", _("create new mailboxes only")
        UPDATE = "update", _("change existing mailboxes only")
        BOTH = "both", _("create and change mailboxes")

    class Stage(models.TextChoices):
        COLUMNS = "columns", _("columns not chosen yet")
        CHECKING = "checking", _("checking the rows")
        CHECKED = "checked", _("checked, nothing is changed yet")
        RUNNING = "running", _("import running")
        DONE = "done", _("imported")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, verbose_name=_("who"))
    file_name = models.CharField(_("file"), max_length=255)
    header = ArrayField(models.TextField(), verbose_name=_("columns"))
    meaning = ArrayField(models.CharField(max_length=20, blank=True), default=list, verbose_name=_("what they contain"))
    mode = models.CharField(_("what is done"), max_length=6, choices=Mode.choices, default=Mode.BOTH)
    stage = models.CharField(_("stage"), max_length=8, choices=Stage.choices, default=Stage.COLUMNS)
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

    `password_due`: a password was made for the row, and nobody has got it yet.
    """

    class Fate(models.TextChoices):
        UNKNOWN = "", _("not checked yet")
        CREATE = "create", _("new mailbox")
        CHANGE = "change", _("changed mailbox")
        SAME = "same", _("no change")
        WRONG = "wrong", _("error")

    mailbox_import = models.ForeignKey(MailboxImport, models.CASCADE, verbose_name=_("mailbox import"), db_index=False)
    line = models.PositiveIntegerField(_("line"))
    cells = ArrayField(models.TextField(), verbose_name=_("cells"))
    fate = models.CharField(_("result"), max_length=6, choices=Fate.choices, blank=True, default=Fate.UNKNOWN)
    column = models.TextField(_("column"), blank=True, default="")
    detail = models.TextField(_("detail"), blank=True, default="")
    address = models.TextField(_("address"), blank=True, default="")
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
