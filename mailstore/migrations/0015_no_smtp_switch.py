"""0.2.0: mailboxes lose the switch `smtp`, which nothing obeyed. Files that are half imported leave its column out."""

from django.db import migrations


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0044_ended_by_a_new_password"),  # a label alone, which 0006_diary has
        ("mailstore", "0045_no_smtp_switch"),
    ]
    dependencies = [("mailstore", "0014_known_networks")]

    operations = [
        migrations.RunSQL(
            "UPDATE mailstore_roster SET meaning = array_replace(meaning, 'smtp', '') WHERE 'smtp' = ANY (meaning)",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField(model_name="mailbox", name="smtp"),
    ]
