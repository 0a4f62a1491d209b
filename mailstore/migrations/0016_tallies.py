"""Sums by day, and who is at work: what the overview tells."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0015_web_sessions")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.CharField(max_length=10, unique=True, verbose_name="part")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
            ],
            options={"verbose_name": "heartbeat", "verbose_name_plural": "heartbeats"},
        ),
        migrations.CreateModel(
            name="TallyMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message", models.BigIntegerField(default=0)),
                ("sessions_until", models.DateTimeField(null=True)),
                ("counted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("deliveries", models.BigIntegerField(default=0, verbose_name="deliveries")),
                ("octets", models.BigIntegerField(default=0, verbose_name="size")),
                ("sign_ins", models.BigIntegerField(default=0, verbose_name="sign-ins")),
                ("refused", models.BigIntegerField(default=0, verbose_name="refused sign-ins")),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="mailstore.domain", verbose_name="domain"
                    ),
                ),
            ],
            options={
                "verbose_name": "tally",
                "verbose_name_plural": "tallies",
                "constraints": [models.UniqueConstraint(fields=("day", "domain"), name="tally_once_a_day")],
            },
        ),
    ]
