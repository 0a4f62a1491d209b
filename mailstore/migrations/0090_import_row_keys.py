"""A row of an import knows by key what it wrote, so that a rename does not hide that from an undo."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0050_rename_count")]

    operations = [
        migrations.AddField("mailboximportrow", "row_id", models.BigIntegerField(null=True)),
    ]
