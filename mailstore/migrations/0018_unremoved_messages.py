"""The diary tells deletions that were not carried out, sessions that asked for nothing, and the mode of a device."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0017_audit_verbs")]

    operations = [
        migrations.AddField(
            "diarysession",
            "device_mode",
            models.CharField(blank=True, db_default="", default="", max_length=11, verbose_name="mode of the device"),
        ),
        migrations.AddField(
            "diarysession",
            "list_requested",
            models.BooleanField(db_default=True, default=True, verbose_name="asked for the messages"),
        ),
        migrations.AddField(
            "diarysession",
            "unremoved_messages",
            models.BigIntegerField(db_default=0, default=0, verbose_name="deletions not carried out"),
        ),
    ]
