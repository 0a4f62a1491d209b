"""An import says what its sizes mean, and whether its passwords are those of another server."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0040_import_kinds")]

    operations = [
        migrations.AddField(
            "mailboximport",
            "unit",
            models.CharField(
                blank=True,
                choices=[("", "each must have one"), ("B", "bytes"), ("MB", "MB")],
                default="",
                max_length=2,
                verbose_name="sizes without a unit are in",
            ),
        ),
        migrations.AddField(
            "mailboximport",
            "zero",
            models.CharField(
                blank=True,
                choices=[("", "each must say it"), ("none", "no limit"), ("0B", "no mail at all")],
                default="",
                max_length=4,
                verbose_name="a size of 0 or -1 means",
            ),
        ),
        migrations.AddField(
            "mailboximport",
            "existing_passwords",
            models.BooleanField(default=False, verbose_name="its passwords are those of another server"),
        ),
    ]
