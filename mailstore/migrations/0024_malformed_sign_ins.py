"""A sign-in whose name or password cannot be read has a word of its own in the diary."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0023_longer_password_hashes")]

    operations = [
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
                    ("wrong", "refused: wrong password"),
                    ("previous", "refused: the previous password"),
                    ("suspended", "refused: suspended"),
                    ("pop-off", "refused: POP is off"),
                    ("main-off", "refused: the main password may not be used for POP"),
                    ("throttled", "refused: too many failures"),
                    ("malformed", "refused: the name or password is not readable"),
                ],
                max_length=9,
                verbose_name="how it ended",
            ),
        ),
    ]
