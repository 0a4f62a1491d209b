"""Grants: who administers which domains. A hosting admin needs none: every domain is his."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.domains import Domain


class DomainGrant(models.Model):
    """Makes a user a domain admin of one domain; he may or may not own a mailbox, there or elsewhere."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants", verbose_name=_("user"))
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="grants", verbose_name=_("domain"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(fields=["user", "domain"], name="domain_grant_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user.address} {self.domain.name}"
