"""A file may list mailboxes with their new addresses."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0125_small_sizes")]

    operations = [
        migrations.AlterField(
            "mailboximport",
            "kind",
            models.CharField(
                choices=[
                    ("mailboxes", "mailboxes"),
                    ("aliases", "aliases"),
                    ("domains", "domains"),
                    ("mixed", "rows of several kinds"),
                    ("renames", "new addresses of mailboxes"),
                ],
                default="mailboxes",
                max_length=9,
                verbose_name="what the rows are",
            ),
        ),
        migrations.AlterField(
            "mailboximportrow",
            "kind",
            models.PositiveSmallIntegerField(
                choices=[(1, "domain"), (2, "alias domain"), (3, "mailbox"), (4, "alias"), (5, "new address")],
                default=3,
                verbose_name="kind",
            ),
        ),
    ]
