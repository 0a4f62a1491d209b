"""How much a mailbox, or a domain, may still send."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SendingBudget(models.Model):
    """What is left of the sending limits of a mailbox or of a domain, as of `at`; it fills up as time goes on.

    `hour_left` and `day_left` are messages, with fractions; NULL where there was no limit. `refused` counts the
    messages of a mailbox that were refused in a row of days, the last at `refused_at`; `by_domain`: by the limit of its
    domain. The sweep deletes rows that are full again.
    """

    mailbox = models.OneToOneField(
        "mailstore.Mailbox", models.CASCADE, null=True, db_constraint=False, verbose_name=_("mailbox")
    )
    domain = models.OneToOneField(
        "mailstore.Domain", models.CASCADE, null=True, db_constraint=False, verbose_name=_("domain")
    )
    hour_left = models.FloatField(null=True)
    day_left = models.FloatField(null=True)
    at = models.DateTimeField()
    refused = models.BigIntegerField(default=0)
    refused_at = models.DateTimeField(null=True)
    by_domain = models.BooleanField(default=False)
    warned_at = models.DateTimeField(null=True)  # when the owner got the last notice

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mailbox__isnull=False, domain=None) | models.Q(mailbox=None, domain__isnull=False),
                name="sending_budget_is_of_a_mailbox_or_a_domain",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id or self.domain_id}"
