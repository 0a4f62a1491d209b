"""Counters of what rests in recovery; subject and sender of mail whose owner has listed it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0010_domain_caps_and_forwards"),
    ]

    operations = [
        migrations.AddField(
            model_name="body",
            name="sender",
            field=models.TextField(blank=True, editable=False, null=True, verbose_name="sender"),
        ),
        migrations.AddField(
            model_name="body",
            name="subject",
            field=models.TextField(blank=True, editable=False, null=True, verbose_name="subject"),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="recovery_messages",
            field=models.BigIntegerField(default=0, editable=False, verbose_name="messages in recovery"),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="recovery_octets",
            field=models.BigIntegerField(default=0, editable=False, verbose_name="size of recovery"),
        ),
        migrations.AddConstraint(
            model_name="mailbox",
            constraint=models.CheckConstraint(
                condition=models.Q(("recovery_messages__gte", 0), ("recovery_octets__gte", 0)),
                name="mailbox_recovery_not_negative",
            ),
        ),
    ]
