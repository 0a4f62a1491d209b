"""The diary's word for a session that was ended says that the password may be why."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0043_known_networks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="diarysession",
            name="ended",
            field=models.CharField(
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
                    ("pop-off", "refused: POP is switched off"),
                    ("main-off", "refused: the main password is barred from POP"),
                    ("throttled", "refused: too many failures"),
                ],
                max_length=9,
                verbose_name="how it ended",
            ),
        ),
    ]
