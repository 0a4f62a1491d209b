"""Bodies of messages, the store that has them, and how far their check has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Body(models.Model):
    """The octets of a message in the body store. The recipients of one delivery share it. It never changes.

    `subject` and `sender` are read from it when an owner first lists or searches their mail, never at its delivery.
    Only owners see them. NULL: not read yet.
    """

    key = models.TextField(_("key"), unique=True)
    wire_octets = models.BigIntegerField(_("octets at rest, dot-stuffed"))
    octets = models.BigIntegerField(_("octets, unstuffed"))
    digest = models.BinaryField(_("XXH3-128 of the octets at rest"), max_length=16)
    # NULL: stored before this was noted, until the check of the bodies has read it.
    has_nul = models.BooleanField(_("holds NUL"), null=True, editable=False)
    subject = models.TextField(_("subject"), null=True, blank=True, editable=False)  # noqa: DJ001 - NULL is "not read yet"
    sender = models.TextField(_("sender"), null=True, blank=True, editable=False)  # noqa: DJ001 - the same
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    unreferenced_at = models.DateTimeField(_("last row left"), null=True, blank=True)
    # Set while the body is known to be missing or changed.
    damaged_at = models.DateTimeField(_("damage found"), null=True, blank=True)
    damage_notified_at = models.DateTimeField(_("administrators told"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("body")
        verbose_name_plural = _("bodies")
        indexes = [
            # The sweep: bodies whose last message left more than a day ago.
            models.Index(
                fields=["unreferenced_at"],
                condition=models.Q(unreferenced_at__isnull=False),
                name="body_unreferenced",
            ),
            # Pages and monitors list damaged bodies, and the check reads them again. A delivery writes nothing here.
            models.Index(fields=["damaged_at"], condition=models.Q(damaged_at__isnull=False), name="body_damaged"),
        ]

    def __str__(self) -> str:
        return self.key


class StoreTie(models.Model):
    """The id of our body store, which stands in the store too. No row: no store is tied yet."""

    store_id = models.TextField(_("store"))

    class Meta:
        verbose_name = _("tie to a body store")
        verbose_name_plural = _("ties to a body store")

    def __str__(self) -> str:
        return self.store_id


class BodyCheck(models.Model):
    """How far the check of all bodies has come, in one row.

    `after` is the primary key of the last body that was read.
    """

    after = models.BigIntegerField(_("the last body that was read"), default=0)
    began_at = models.DateTimeField(_("the round began"))
    looked_at = models.DateTimeField(_("last look"))

    class Meta:
        verbose_name = _("check of bodies")
        verbose_name_plural = _("checks of bodies")

    def __str__(self) -> str:
        return str(self.after)
