"""A client with which no TLS can begin has a row among the refused names, and each row counts its days in a row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0041_import_readings")]

    operations = [
        migrations.RemoveConstraint("refusedname", "refused_name_is_one_row"),
        migrations.AddField(
            "refusedname",
            "version",
            models.CharField(blank=True, db_default="", default="", max_length=7, verbose_name="version of TLS"),
        ),
        migrations.AddField(
            "refusedname", "days", models.IntegerField(db_default=1, default=1, verbose_name="days in a row")
        ),
        migrations.AlterField(
            "refusedname",
            "reason",
            models.CharField(
                choices=[
                    ("unknown", "no such name"),
                    ("network", "too many names that nobody has"),
                    ("account", "too many wrong passwords"),
                    ("connections", "too many connections"),
                    ("tls-version", "TLS too old"),
                    ("tls-cipher", "no common cipher"),
                ],
                max_length=11,
                verbose_name="why",
            ),
        ),
        migrations.AddConstraint(
            "refusedname",
            models.UniqueConstraint(
                fields=("network", "reason", "name", "protocol", "version"), name="refused_name_is_one_row"
            ),
        ),
        # Backwards only: these rows would be alike without their version.
        migrations.RunSQL(
            migrations.RunSQL.noop, "DELETE FROM mailstore_refusedname WHERE reason IN ('tls-version', 'tls-cipher')"
        ),
    ]
