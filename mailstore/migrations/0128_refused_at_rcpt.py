"""The trace has what the policy service refused, before a message came."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0127_undelivered_by_day")]

    operations = [
        migrations.AlterField(
            "traceentry",
            "source",
            models.CharField(
                choices=[
                    ("lmtp", "LMTP"),
                    ("pipe", "the command deliver"),
                    ("notice", "our own notice"),
                    ("policy", "policy service, at RCPT"),
                    ("mta", "log of the mail server"),
                ],
                max_length=6,
                verbose_name="source",
            ),
        )
    ]
