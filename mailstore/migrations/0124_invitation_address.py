"""A new owner is invited by mail, to an address that becomes the recovery address once the link is used."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0123_stored_by_day")]

    operations = [
        migrations.AddField(
            "user",
            "invitation_address",
            models.TextField(blank=True, db_default="", default="", verbose_name="address for the invitation"),
        ),
    ]
