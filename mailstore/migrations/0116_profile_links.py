"""A link to the profile that sets up a device, for one use."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0115_dns_lookup")]

    operations = [
        migrations.CreateModel(
            name="ProfileLink",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="mailstore.device",
                        verbose_name="device",
                    ),
                ),
                ("digest", models.BinaryField(unique=True, verbose_name="digest of the link")),
                ("sealed", models.BinaryField(verbose_name="sealed secret")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
            ],
            options={"verbose_name": "profile link", "verbose_name_plural": "profile links"},
        ),
    ]
