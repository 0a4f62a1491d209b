"""Mailboxes and devices may send mail, or may not; the diary knows the sign-ins for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0100_unconfirmed_targets")]

    operations = [
        migrations.AddField(
            "mailbox",
            "smtp",
            models.BooleanField(db_default=True, default=True, verbose_name="SMTP sign-in, to send"),
        ),
        migrations.AddField(
            "device",
            "may_send",
            models.BooleanField(db_default=False, default=False, verbose_name="may send mail"),
        ),
        migrations.AlterField(
            "diarysession",
            "ended",
            models.CharField(
                choices=[
                    ("quit", "QUIT"),
                    ("lost", "connection lost"),
                    ("idle", "silent for too long"),
                    ("barred", "ended here: this device may no longer use POP, or its password was changed"),
                    ("shutdown", "the server was stopped"),
                    ("failed", "the server failed"),
                    ("sent", "signed in to send mail"),
                    ("wrong", "refused: wrong password"),
                    ("previous", "refused: the previous password"),
                    ("suspended", "refused: suspended"),
                    ("pop-off", "refused: POP is off"),
                    ("main-off", "refused: mail programs may not use the main password"),
                    ("smtp-off", "refused: sending is off"),
                    ("no-sender", "refused: this device may not send"),
                    ("throttled", "refused: too many failures"),
                    ("malformed", "refused: the name or password is not readable"),
                ],
                max_length=9,
                verbose_name="how it ended",
            ),
        ),
    ]
