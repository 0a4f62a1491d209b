"""A batch of the diary whose answer was lost is written once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0035_tallies_by_domain"),
    ]

    operations = [
        migrations.CreateModel(
            name="DiaryBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("writer", models.UUIDField(verbose_name="worker")),
                ("number", models.BigIntegerField(verbose_name="number")),
                ("written_at", models.DateTimeField(verbose_name="written")),
            ],
            options={
                "verbose_name": "batch of diary entries",
                "verbose_name_plural": "batches of diary entries",
                "constraints": [
                    models.UniqueConstraint(fields=("writer", "number"), name="diary_batch_is_written_once")
                ],
            },
        ),
    ]
