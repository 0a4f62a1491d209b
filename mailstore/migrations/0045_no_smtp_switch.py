"""Mailboxes lose the switch `smtp`, which nothing obeyed; files of mailboxes that are half read leave its column out."""

from django.db import migrations


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
    ]
