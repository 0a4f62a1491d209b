"""The reader of the MTA's log goes on where it ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0110_trace")]

    operations = [
        migrations.CreateModel(
            name="MtaLogPosition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.TextField(unique=True, verbose_name="log")),
                ("position", models.TextField(verbose_name="position")),
                ("read_at", models.DateTimeField(verbose_name="read")),
            ],
            options={
                "verbose_name": "position in a log of the mail server",
                "verbose_name_plural": "positions in logs of the mail server",
            },
        ),
    ]
