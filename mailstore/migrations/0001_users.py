"""Users, the sessions of their browsers, and the codes that were mailed to them."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models
from django.db.models.functions import Lower, Upper


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("mailstore", "0001_initial"),
        ("mailstore", "0008_search"),
        ("mailstore", "0013_recovery_address"),
        ("mailstore", "0014_must_change_password"),
        ("mailstore", "0015_web_sessions"),
        ("mailstore", "0019_hosting_admins"),
        ("mailstore", "0030_look_alikes"),
        ("mailstore", "0031_who_is_suspended"),
    ]
    dependencies = []

    operations = [
        # The searches of the lists, by any part of a text. The extension is a trusted one: no superuser is needed.
        TrigramExtension(),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: each sign-in, by POP3 and by web.
                ("address", models.TextField(unique=True, verbose_name="address")),
                ("name", models.CharField(blank=True, max_length=150, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "mailbox owner"), ("admin", "hosting admin")],
                        default="owner",
                        max_length=5,
                        verbose_name="role",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("previous_password", models.CharField(blank=True, default="", editable=False, max_length=128)),
                ("password_changed_at", models.DateTimeField(blank=True, null=True, verbose_name="password changed")),
                ("must_change_password", models.BooleanField(default=False, verbose_name="must choose a new password")),
                ("recovery_address", models.TextField(blank=True, default="", verbose_name="recovery address")),
                ("digested_at", models.DateTimeField(editable=False, null=True)),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "constraints": [
                    # The unique address compares octets, so that rows keep the normal form alone.
                    models.CheckConstraint(
                        condition=models.Q(address=Lower("address")), name="user_address_lower_case"
                    ),
                ],
                "indexes": [
                    # The list of administrators, and who of them is the last.
                    models.Index(fields=["address"], condition=models.Q(role="admin"), name="user_hosting_admins"),
                    # The list of suspended mailboxes, and the overview's count of them, which reads no row of theirs.
                    models.Index(
                        fields=["address"], include=["id"], condition=models.Q(is_active=False), name="user_suspended"
                    ),
                    # What new addresses in a domain could be taken for.
                    models.Index(
                        fields=["address"], condition=models.Q(address__regex="[^ -~]"), name="user_not_ascii"
                    ),
                    # The search of the lists, by any three characters of an address or a name, in any case.
                    GinIndex(
                        OpClass("address", "gin_trgm_ops"), OpClass(Upper("name"), "gin_trgm_ops"), name="user_search"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebSession",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                # Its index: the sweep, which deletes sessions that are over.
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                # Its index: the list of a user's browsers, and the end of all of them after a new password.
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={"verbose_name": "web session", "verbose_name_plural": "web sessions"},
        ),
        migrations.CreateModel(
            name="MailedCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # One code for each user: the next one ends the one before.
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name="user"
                    ),
                ),
                ("address", models.TextField(verbose_name="address")),
                ("digest", models.BinaryField(verbose_name="digest of the code")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                ("tries_left", models.PositiveSmallIntegerField(verbose_name="tries left")),
            ],
            options={"verbose_name": "mailed code", "verbose_name_plural": "mailed codes"},
        ),
    ]
