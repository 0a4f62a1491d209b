"""A mailbox that is still at the old server of its domain has a row that says how far its move is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0030_old_servers")]

    operations = [
        migrations.CreateModel(
            name="MailboxMove",
            fields=[
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="move",
                        serialize=False,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting for a sign-in"),
                            ("moving", "moving"),
                            ("moved", "moved"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                ("messages", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(null=True)),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "the old server does not take the password any more"),
                            ("lost", "the old server cannot be reached, or was cut off"),
                            ("no-tls", "the old server offers no TLS"),
                            ("certificate", "the certificate of the old server is not trusted"),
                            ("tls", "TLS with the old server failed"),
                            ("no-uidl", "the old server does not tell UIDLs"),
                            ("not-pop3", "the old server does not speak POP3"),
                            ("messages", "some messages cannot be read there"),
                            ("store", "the mail could not be stored here"),
                        ],
                        default="",
                        max_length=11,
                    ),
                ),
                ("detail", models.TextField(blank=True, default="")),
                ("moved_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "move of a mailbox", "verbose_name_plural": "moves of mailboxes"},
        ),
    ]
