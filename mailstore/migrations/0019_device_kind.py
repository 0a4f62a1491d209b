"""Devices know what they are: a phone, a tablet, a laptop, a desktop computer or something else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0018_unremoved_messages")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="kind",
            field=models.CharField(
                choices=[
                    ("phone", "phone"),
                    ("tablet", "tablet"),
                    ("laptop", "laptop"),
                    ("pc", "desktop computer"),
                    ("other", "something else"),
                ],
                db_default="other",
                default="other",
                max_length=6,
                verbose_name="kind",
            ),
        ),
    ]
