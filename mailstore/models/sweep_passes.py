"""Passes of the sweep: when it last ran and what it did, for whoever watches over the site."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SweepPass(models.Model):
    """One pass that was not stopped. `figures` is what `sweep --json` prints."""

    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        verbose_name = _("pass of the sweep")
        verbose_name_plural = _("passes of the sweep")
        get_latest_by = "pk"

    def __str__(self) -> str:
        return str(self.started_at)
