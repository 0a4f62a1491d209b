"""The trace says of mail that waited in the queue of the MTA that it was sent on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0128_refused_at_rcpt")]

    operations = [
        migrations.AlterField(
            "traceentry",
            "reason",
            models.CharField(
                blank=True,
                choices=[
                    ("full", "mailbox full"),
                    ("domain-full", "domain full"),
                    ("disk", "the mail store has no room"),
                    ("database", "database or mail store away"),
                    ("busy", "too much to do"),
                    ("outside", "an alias leads outside"),
                    ("trouble", "internal trouble"),
                    ("many", "too many recipients in one message"),
                    ("unknown", "no such mailbox"),
                    ("no-domain", "the domain is not hosted here"),
                    ("removed", "the mailbox was removed"),
                    ("alias-expired", "the alias has expired"),
                    ("alias-off", "the alias is switched off"),
                    ("closed", "the mailbox receives nothing"),
                    ("domain-off", "the domain is suspended"),
                    ("too-large", "larger than the site takes"),
                    ("loop", "the message goes in a circle"),
                    ("address", "not an address"),
                    ("utf8", "an address in UTF-8 without SMTPUTF8"),
                    ("rejected", "rejected by the mail server"),
                    ("queued", "waits in the queue of the mail server"),
                    ("bounced", "returned by the mail server"),
                    ("sent", "sent on by the mail server"),
                ],
                default="",
                max_length=13,
                verbose_name="reason",
            ),
        )
    ]
