"""What the database knows of its body store: which it is, and how far the check of bodies has come. One row each."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StoreTie(models.Model):
    """Which body store is ours: what stands in it as well. No row: none was tied yet."""

    store_id = models.TextField(_("store"))

    class Meta:
        verbose_name = _("tie to a body store")
        verbose_name_plural = _("ties to a body store")

    def __str__(self) -> str:
        return self.store_id


class BodyCheck(models.Model):
    """Where the reading of all bodies stands: the primary key of the last body, since when, and the last look."""

    after = models.BigIntegerField(_("the last body that was read"), default=0)
    began_at = models.DateTimeField(_("the round began"))
    looked_at = models.DateTimeField(_("last look"))

    class Meta:
        verbose_name = _("check of bodies")
        verbose_name_plural = _("checks of bodies")

    def __str__(self) -> str:
        return str(self.after)
