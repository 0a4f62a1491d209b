"""A quota warning that would take the last room of its mailbox waits until there is room."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0081_stopped_programs")]

    operations = [
        migrations.AddField(
            "mailbox", "warning_waits", models.BooleanField(db_default=False, default=False, editable=False)
        ),
    ]
