"""What the overview shows: sums of each domain by day, what the site holds, and which parts are at work."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0016_tallies"),
        ("mailstore", "0034_kept_holdings"),
        ("mailstore", "0035_tallies_by_domain"),
    ]
    dependencies = [("mailstore", "0009_jobs")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                (
                    "domain",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                ("deliveries", models.BigIntegerField(default=0, verbose_name="deliveries")),
                ("octets", models.BigIntegerField(default=0, verbose_name="size")),
                ("sign_ins", models.BigIntegerField(default=0, verbose_name="sign-ins")),
                ("refused", models.BigIntegerField(default=0, verbose_name="refused sign-ins")),
            ],
            options={
                "verbose_name": "tally",
                "verbose_name_plural": "tallies",
                "constraints": [
                    # The sweep adds to the row of the day. Its index: the days of the overview.
                    models.UniqueConstraint(fields=["day", "domain"], name="tally_once_a_day"),
                ],
                "indexes": [
                    # The list of domains in the order of their deliveries, which reads no row.
                    models.Index(fields=["domain", "day"], include=["deliveries"], name="tally_of_a_domain"),
                ],
            },
        ),
        # How far the tallies have come: one row.
        migrations.CreateModel(
            name="TallyMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message", models.BigIntegerField(default=0)),
                ("sessions_until", models.DateTimeField(null=True)),
                ("counted_at", models.DateTimeField(null=True)),
            ],
        ),
        # What all mailboxes of a large site hold, as counted last: one row.
        migrations.CreateModel(
            name="KeptHoldings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_at", models.DateTimeField()),
                ("figures", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Each part has one row, which it writes again.
                ("part", models.CharField(max_length=10, unique=True, verbose_name="part")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
            ],
            options={"verbose_name": "heartbeat", "verbose_name_plural": "heartbeats"},
        ),
    ]
