"""Hashes of other servers are stored with their scheme and figures, so they are longer than our own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0022_refused_names")]

    operations = [
        migrations.AlterField("user", "password", models.CharField(max_length=255, verbose_name="password")),
        migrations.AlterField(
            "user", "previous_password", models.CharField(blank=True, default="", editable=False, max_length=255)
        ),
    ]
