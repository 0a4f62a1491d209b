"""Jobs: an operation on many rows of a list, with the result for each row."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """One operation. It is done in small steps, and can be undone in small steps. Its rows are chosen when it begins.

    `list_name` and `act` name the operation. `form_data` has the fields of its form, as they were sent,
    and how many rows have each result once it has ended.
    """

    class Stage(models.TextChoices):
        RUNNING = "running", _("being done")
        DONE = "done", _("done")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("who"))
    list_name = models.CharField(_("list"), max_length=20)
    act = models.CharField(_("action"), max_length=20)
    form_data = models.JSONField(_("form data"), default=dict)
    stage = models.CharField(_("stage"), max_length=8, choices=Stage.choices, default=Stage.RUNNING)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return f"{self.list_name}: {self.act}"


class JobRow(models.Model):
    """One row: its primary key (`key`), its name (`subject`), and what undo needs (`undo_data`, or NULL)."""

    class Fate(models.TextChoices):
        REFUSED = "bad", _("refused")  # in the order of the page of results
        DONE = "done", _("done")
        UNDONE = "undone", _("undone")
        WAITING = "waiting", _("waiting")

    job = models.ForeignKey(Job, models.CASCADE, verbose_name=_("job"), db_index=False)
    key = models.BigIntegerField()
    subject = models.TextField(_("subject"), blank=True, default="")
    fate = models.CharField(_("result"), max_length=7, choices=Fate.choices, default=Fate.WAITING)
    detail = models.TextField(_("detail"), blank=True, default="")
    undo_data = models.JSONField(null=True)

    class Meta:
        verbose_name = _("row of a job")
        verbose_name_plural = _("rows of jobs")
        indexes = [
            # The rows that wait, and the page of the results.
            models.Index(fields=["job", "fate"], name="job_row_fate"),
        ]

    def __str__(self) -> str:
        return self.subject
