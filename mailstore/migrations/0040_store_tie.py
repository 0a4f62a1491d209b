"""Which body store belongs to the database stands in both."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0039_body_checks"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoreTie",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store_id", models.TextField(verbose_name="store")),
            ],
            options={
                "verbose_name": "tie to a body store",
                "verbose_name_plural": "ties to a body store",
            },
        ),
    ]
