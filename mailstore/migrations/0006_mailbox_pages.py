"""What the pages about mailboxes show and change: the switch for SMTP, notes, the last sign-in of any device."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0005_rosters")]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="smtp",
            field=models.BooleanField(default=True, verbose_name="SMTP sign-in, to send"),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="notes",
            field=models.TextField(
                blank=True, default="", max_length=2000, verbose_name="notes, for administrators only"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="mailbox",
            name="last_sign_in_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last sign-in"),
        ),
    ]
