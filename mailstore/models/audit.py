"""The audit: what users changed in the panel or at the shell. Actions write it, and nothing edits it."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.columns import plain


class AuditEntry(models.Model):
    """One action. `subject` names its object. Owners see the entries of their `mailbox`, admins those of a `domain`.

    The key of the domain stays when the domain is purged. So admins of a new domain of that name see no old entries.
    """

    class Via(models.TextChoices):
        WEB = "web", _("web")
        SHELL = "shell", _("shell")

    at = models.DateTimeField(_("when"), auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("who"))
    actor_name = models.CharField(_("who, by name"), max_length=254)
    via = models.CharField(_("by way of"), max_length=5, choices=Via.choices)
    client = models.GenericIPAddressField(_("from where"), null=True, blank=True)
    verb = models.CharField(_("action"), max_length=40)
    subject = models.CharField(_("subject"), max_length=254)
    mailbox = models.ForeignKey("mailstore.Mailbox", models.SET_NULL, null=True, blank=True, verbose_name=_("mailbox"))
    domain = models.ForeignKey(
        "mailstore.Domain",
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        verbose_name=_("domain"),
    )
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["-at"], name="audit_newest_first"),  # the audit page
            models.Index(fields=["subject"], name="audit_of_a_subject"),  # what was done to a domain, on its page
            models.Index(fields=["domain", "-at"], name="audit_of_a_domain"),  # the audit page of a domain admin
            # The search of the audit page, by any three characters of what or who, without case and accents.
            GinIndex(OpClass(plain("subject", "actor_name"), "gin_trgm_ops"), name="audit_search"),
            models.Index(fields=["actor_name", "id"], name="audit_by_actor"),  # the audit page, sorted by actor
            # The filters of the audit page, where few entries match.
            models.Index(fields=["verb"], opclasses=["varchar_pattern_ops"], name="audit_by_verb"),
            models.Index(fields=["via"], name="audit_by_way"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"
