"""A tally says what its domain stored on that day, so that growth can be told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0122_wrong_encryption")]

    operations = [
        migrations.AddField(
            "tally",
            "stored_octets",
            models.BigIntegerField(null=True, verbose_name="stored at the end of the day"),
        ),
    ]
