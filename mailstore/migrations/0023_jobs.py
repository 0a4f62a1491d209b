"""Jobs: what somebody does with many rows of a list, in steps."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0022_no_index_by_time_of_removal"),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_name", models.CharField(max_length=20, verbose_name="list")),
                ("act", models.CharField(max_length=20, verbose_name="action")),
                ("asked", models.JSONField(default=dict, verbose_name="asked")),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("running", "being done"),
                            ("done", "done"),
                            ("undoing", "being undone"),
                            ("undone", "undone"),
                        ],
                        default="running",
                        max_length=8,
                        verbose_name="stage",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="begun")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name="who"
                    ),
                ),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
            },
        ),
        migrations.CreateModel(
            name="JobRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.BigIntegerField()),
                ("subject", models.TextField(blank=True, default="", verbose_name="subject")),
                (
                    "fate",
                    models.CharField(
                        choices=[("bad", "refused"), ("done", "done"), ("undone", "undone"), ("waiting", "waiting")],
                        default="waiting",
                        max_length=7,
                        verbose_name="result",
                    ),
                ),
                ("detail", models.TextField(blank=True, default="", verbose_name="detail")),
                ("back", models.JSONField(null=True)),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.job",
                        verbose_name="job",
                    ),
                ),
            ],
            options={
                "verbose_name": "row of a job",
                "verbose_name_plural": "rows of jobs",
                "indexes": [models.Index(fields=["job", "fate"], name="job_row_fate")],
            },
        ),
    ]
