"""0.2.0: all bodies are read from time to time, and which body store belongs to the database stands in both."""

from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0039_body_checks"),
        ("mailstore", "0040_store_tie"),
    ]
    dependencies = [("mailstore", "0010_overview")]

    operations = [
        # One row.
        migrations.CreateModel(
            name="BodyCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("after", models.BigIntegerField(default=0, verbose_name="the last body that was read")),
                ("began_at", models.DateTimeField(verbose_name="the round began")),
                ("looked_at", models.DateTimeField(verbose_name="last look")),
            ],
            options={"verbose_name": "check of bodies", "verbose_name_plural": "checks of bodies"},
        ),
        migrations.AddField(
            model_name="body",
            name="damaged_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="damage found"),
        ),
        migrations.AddField(
            model_name="body",
            name="damage_told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="administrators told"),
        ),
        # Pages, monitors, and the check itself, which looks at damaged bodies again.
        migrations.AddIndex(
            model_name="body",
            index=models.Index(
                fields=["damaged_at"], condition=models.Q(damaged_at__isnull=False), name="body_damaged"
            ),
        ),
        # One row.
        migrations.CreateModel(
            name="StoreTie",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store_id", models.TextField(verbose_name="store")),
            ],
            options={"verbose_name": "tie to a body store", "verbose_name_plural": "ties to a body store"},
        ),
    ]
