"""An import has a confirmation that the sizes below 1 MB in its file are meant."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0124_invitation_address")]

    operations = [
        migrations.AddField(
            "mailboximport",
            "small_sizes",
            models.BooleanField(db_default=False, default=False, verbose_name="sizes below 1 MB are meant"),
        ),
    ]
