"""Why mail left says by which rule, and that only its owner removes it by hand."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0025_purge_asked"),
    ]

    operations = [
        migrations.AlterField(
            model_name="earlierstay",
            name="removed_why",
            field=models.CharField(
                choices=[
                    ("dele", "deleted by a device"),
                    ("every", "every device has it"),
                    ("expired", "expired by retention policy"),
                    ("had", "expired: every device has had it for long enough"),
                    ("relief", "quota relief"),
                    ("person", "removed by the owner, in the pages"),
                ],
                max_length=7,
                verbose_name="why",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="removed_why",
            field=models.CharField(
                blank=True,
                choices=[
                    ("dele", "deleted by a device"),
                    ("every", "every device has it"),
                    ("expired", "expired by retention policy"),
                    ("had", "expired: every device has had it for long enough"),
                    ("relief", "quota relief"),
                    ("person", "removed by the owner, in the pages"),
                ],
                default="",
                max_length=7,
                verbose_name="why",
            ),
        ),
    ]
