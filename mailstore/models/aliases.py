"""Aliases, with the forwards of mailboxes and the catch-alls of domains."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from mailstore.models.columns import NOT_ASCII, joined, plain
from mailstore.models.domains import Domain


class Alias(models.Model):
    """An address that stands for others. `@domain` is the catch-all of a domain: it answers for unknown names.

    An alias with a `mailbox` is the forward of that mailbox, and has its address. With `keep_copy` the mailbox gets the
    mail too.
    """

    address = models.TextField(_("address"), unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, verbose_name=_("domain"))
    targets = ArrayField(models.TextField(), verbose_name=_("targets"))
    mailbox = models.OneToOneField(
        "mailstore.Mailbox",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="forward",
        verbose_name=_("forward of the mailbox"),
    )
    keep_copy = models.BooleanField(_("keep a copy"), default=False)
    # Those of `targets` outside that have not agreed yet. Nothing is sent to them.
    unconfirmed = ArrayField(
        models.TextField(),
        verbose_name=_("targets that wait for their confirmation"),
        default=list,
        db_default=[],
        blank=True,
        editable=False,
    )
    # When LMTP last got mail for this address, which the MTA has to expand. A minute late at most.
    unexpanded_at = models.DateTimeField(_("last not expanded"), null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=200, blank=True)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        constraints = [
            models.CheckConstraint(condition=models.Q(address=Lower("address")), name="alias_address_lower_case"),
            models.CheckConstraint(condition=models.Q(targets__len__gt=0), name="alias_has_a_target"),
            models.CheckConstraint(
                condition=models.Q(keep_copy=False) | models.Q(mailbox__isnull=False),
                name="alias_copy_only_in_a_mailbox",
            ),
        ]
        indexes = [
            # The sweep: aliases that expired long ago.
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="alias_expiring"),
            # Addresses that a new address in the domain could be mistaken for.
            models.Index(fields=["domain"], condition=NOT_ASCII, name="alias_not_ascii"),
            # The search of the list, by any three characters of an address, a target or the comment.
            GinIndex(OpClass(plain("address", joined("targets"), "comment"), "gin_trgm_ops"), name="alias_search"),
            # The overview: aliases that the MTA did not expand lately.
            models.Index(
                fields=["unexpanded_at"], condition=models.Q(unexpanded_at__isnull=False), name="alias_unexpanded"
            ),
            # The orders of the list.
            models.Index(fields=["created_at", "id"], name="alias_by_age"),
            models.Index(fields=["comment", "id"], name="alias_by_comment"),
            # The filter for aliases that are switched off.
            models.Index(fields=["address"], condition=models.Q(active=False), name="alias_off"),
        ]

    def __str__(self) -> str:
        return self.address
