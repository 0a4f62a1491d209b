"""Codes that were mailed to prove an address, until they are typed or too old."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.users import User


class MailedCode(models.Model):
    """The last one of a user: asking again ends the one before. `address` is what it will confirm."""

    user = models.OneToOneField(User, models.CASCADE, verbose_name=_("user"))
    address = models.TextField(_("address"))
    digest = models.BinaryField(_("digest of the code"))
    ends_at = models.DateTimeField(_("ends"))
    tries_left = models.PositiveSmallIntegerField(_("tries left"))

    class Meta:
        verbose_name = _("mailed code")
        verbose_name_plural = _("mailed codes")

    def __str__(self) -> str:
        return self.address
