"""How many messages a mailbox and a domain may send in an hour and a day, and how many are left."""

from django.db import migrations, models
from django.db.models.deletion import CASCADE


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0106_shared_failures")]

    operations = [
        migrations.AddField(
            "domain",
            "mailbox_send_hourly",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="messages that one mailbox sends an hour at most"
            ),
        ),
        migrations.AddField(
            "domain",
            "mailbox_send_daily",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="messages that one mailbox sends a day at most"
            ),
        ),
        migrations.AddField(
            "domain",
            "send_hourly",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="messages that all mailboxes together send an hour at most"
            ),
        ),
        migrations.AddField(
            "domain",
            "send_daily",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="messages that all mailboxes together send a day at most"
            ),
        ),
        migrations.AddField(
            "mailbox",
            "send_hourly",
            models.PositiveIntegerField(blank=True, null=True, verbose_name="messages sent an hour at most"),
        ),
        migrations.AddField(
            "mailbox",
            "send_daily",
            models.PositiveIntegerField(blank=True, null=True, verbose_name="messages sent a day at most"),
        ),
        migrations.AlterField(
            "finding",
            "kind",
            models.CharField(
                choices=[
                    ("again", "fetches the same mail again and again"),
                    ("shared", "two machines use one password"),
                    ("hasty", "checks for mail every few seconds"),
                    ("keeps", "never deletes, and the mailbox fills"),
                    ("unended", "never ends its sessions"),
                    ("undone", "deletes, and hangs up without QUIT"),
                    ("stopped", "stops at one message"),
                    ("previous", "the previous password is still in use"),
                    ("bare", "a user name without its domain"),
                    ("limit", "sends more than it may"),
                ],
                max_length=8,
                verbose_name="problem",
            ),
        ),
        migrations.CreateModel(
            name="SendingBudget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour_left", models.FloatField(null=True)),
                ("day_left", models.FloatField(null=True)),
                ("at", models.DateTimeField()),
                ("refused", models.BigIntegerField(default=0)),
                ("refused_at", models.DateTimeField(null=True)),
                ("by_domain", models.BooleanField(default=False)),
                ("warned_at", models.DateTimeField(null=True)),
                (
                    "domain",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=CASCADE,
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                (
                    "mailbox",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=CASCADE,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(mailbox__isnull=False, domain=None)
                        | models.Q(mailbox=None, domain__isnull=False),
                        name="sending_budget_is_of_a_mailbox_or_a_domain",
                    ),
                ],
            },
        ),
    ]
