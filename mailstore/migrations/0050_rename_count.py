"""A lookup of several statements learns of a rename between them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0061_bare_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="RenameCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("renames", models.BigIntegerField(default=0)),
            ],
        ),
    ]
