"""What somebody does with many rows at once: files of mailboxes, and jobs on the rows of a list."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0005_rosters"),
        ("mailstore", "0023_jobs"),
    ]
    dependencies = [("mailstore", "0008_audit")]

    operations = [
        migrations.CreateModel(
            name="Roster",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the files go with the user.
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                ("file_name", models.CharField(max_length=255, verbose_name="file")),
                ("header", ArrayField(base_field=models.TextField(), size=None, verbose_name="columns")),
                (
                    "meaning",
                    ArrayField(
                        base_field=models.CharField(blank=True, max_length=20),
                        default=list,
                        size=None,
                        verbose_name="what they hold",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("create", "create new mailboxes only"),
                            ("update", "change existing mailboxes only"),
                            ("both", "create and change mailboxes"),
                        ],
                        default="both",
                        max_length=6,
                        verbose_name="what is done",
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("columns", "columns not chosen yet"),
                            ("checking", "checking the rows"),
                            ("checked", "checked, nothing is changed yet"),
                            ("running", "import running"),
                            ("done", "imported"),
                        ],
                        default="columns",
                        max_length=8,
                        verbose_name="stage",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="brought in")),
            ],
            options={
                "verbose_name": "roster",
                "verbose_name_plural": "rosters",
                "indexes": [
                    # The list of a user's files, newest first; what the last one with these columns took them for.
                    models.Index(fields=["owner", "-created_at"], name="roster_newest_first"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RosterRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "roster",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.roster",
                        verbose_name="roster",
                    ),
                ),
                ("line", models.PositiveIntegerField(verbose_name="line")),
                ("cells", ArrayField(base_field=models.TextField(), size=None, verbose_name="cells")),
                (
                    "fate",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not checked yet"),
                            ("create", "new mailbox"),
                            ("change", "changed mailbox"),
                            ("same", "no change"),
                            ("wrong", "error"),
                        ],
                        default="",
                        max_length=6,
                        verbose_name="result",
                    ),
                ),
                ("column", models.TextField(blank=True, default="", verbose_name="column")),
                ("detail", models.TextField(blank=True, default="", verbose_name="detail")),
                ("address", models.TextField(blank=True, default="", verbose_name="address")),
                ("done", models.BooleanField(default=False, verbose_name="carried out")),
                ("password_due", models.BooleanField(default=False, verbose_name="a password is due")),
            ],
            options={
                "verbose_name": "roster row",
                "verbose_name_plural": "roster rows",
                "constraints": [
                    # Its index: the rows of a file in order, and where a check or a run goes on.
                    models.UniqueConstraint(fields=["roster", "line"], name="roster_row_once"),
                ],
                "indexes": [
                    # Whether an earlier row has the same address.
                    models.Index(fields=["roster", "address"], name="roster_row_address"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the jobs of a user.
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name="who"
                    ),
                ),
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
            ],
            options={"verbose_name": "job", "verbose_name_plural": "jobs"},
        ),
        migrations.CreateModel(
            name="JobRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.job",
                        verbose_name="job",
                    ),
                ),
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
            ],
            options={
                "verbose_name": "row of a job",
                "verbose_name_plural": "rows of jobs",
                "indexes": [
                    # The rows that wait, at each step; and the page of the results.
                    models.Index(fields=["job", "fate"], name="job_row_fate"),
                ],
            },
        ),
    ]
