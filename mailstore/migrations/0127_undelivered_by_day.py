"""A tally counts what was refused or deferred on that day, so that the overview need not read the trace."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0126_rename_files")]

    operations = [
        migrations.AddField(
            "tally",
            "undelivered",
            models.BigIntegerField(db_default=0, default=0, verbose_name="mail refused or deferred"),
        ),
        migrations.AddField(
            "tally",
            "undelivered_full",
            models.BigIntegerField(db_default=0, default=0, verbose_name="of them because something was full"),
        ),
        migrations.RenameField("tallymark", "sessions_until", "hours_until"),
    ]
