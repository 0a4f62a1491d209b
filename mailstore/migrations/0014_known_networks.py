"""0.2.0: the networks from which each user signed in within a month, so that they outlive a restart."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("mailstore", "0043_known_networks")]
    dependencies = [("mailstore", "0013_uidls_of_old_mail")]

    operations = [
        migrations.CreateModel(
            name="KnownNetwork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # No constraint: its check would wait for a form that has locked the user.
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("network", models.CharField(max_length=64)),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "known network",
                "verbose_name_plural": "known networks",
                "constraints": [
                    # Its index: each sign-in from a network that the worker has not noted itself.
                    models.UniqueConstraint(fields=["user", "network"], name="known_network_once_per_user"),
                ],
            },
        ),
    ]
