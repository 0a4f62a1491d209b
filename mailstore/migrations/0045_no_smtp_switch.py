"""Mailboxes lose the switch `smtp`, which nothing obeyed; files of mailboxes that are half read leave its column out.

Some fields get the label that pages and files have; that changes nothing in the database.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0044_ended_by_a_new_password"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE mailstore_roster SET meaning = array_replace(meaning, 'smtp', '') WHERE 'smtp' = ANY (meaning)",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField(
            model_name="mailbox",
            name="smtp",
        ),
        migrations.AlterField(
            model_name="mailbox",
            name="held",
            field=models.BooleanField(default=False, verbose_name="on hold"),
        ),
        migrations.AlterField(
            model_name="mailbox",
            name="notes",
            field=models.TextField(blank=True, max_length=2000, verbose_name="notes"),
        ),
        migrations.AlterField(
            model_name="domain",
            name="allotment_octets",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="all quotas together at most"),
        ),
        migrations.AlterField(
            model_name="domain",
            name="mailbox_quota_most",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="quota of one mailbox at most"),
        ),
    ]
