"""Sets of change numbers are kept as they are: compressing a large one costs a QUIT more than all the rest of it."""

from django.db import migrations

COLUMNS = (
    ("mailstore_device", "hidden"),
    ("mailstore_device", "skipped"),
    ("mailstore_device", "confirmed"),
    ("mailstore_diarysession", "fetched"),
    ("mailstore_diarysession", "deleted"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0017_findings"),
    ]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL",
            f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTENDED",
        )
        for table, column in COLUMNS
    ]
