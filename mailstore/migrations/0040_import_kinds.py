"""A file may hold mailboxes, aliases, domains, or rows of several kinds."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0031_mailbox_moves")]

    operations = [
        migrations.AddField(
            "mailboximport",
            "kind",
            models.CharField(
                choices=[
                    ("mailboxes", "mailboxes"),
                    ("aliases", "aliases"),
                    ("domains", "domains"),
                    ("mixed", "rows of several kinds"),
                ],
                default="mailboxes",
                max_length=9,
                verbose_name="what the rows are",
            ),
        ),
        migrations.AddField(
            "mailboximportrow",
            "kind",
            models.PositiveSmallIntegerField(
                choices=[(1, "domain"), (2, "alias domain"), (3, "mailbox"), (4, "alias")],
                default=3,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            "mailboximport",
            "meaning",
            ArrayField(
                models.CharField(blank=True, max_length=30),
                default=list,
                size=None,
                verbose_name="what they contain",
            ),
        ),
        migrations.AlterField(
            "mailboximport",
            "mode",
            models.CharField(
                choices=[
                    ("create", "create what is new, change nothing"),
                    ("update", "change what exists, create nothing"),
                    ("both", "create and change"),
                ],
                default="both",
                max_length=6,
                verbose_name="what is done",
            ),
        ),
        migrations.AlterField(
            "mailboximportrow",
            "fate",
            models.CharField(
                blank=True,
                choices=[
                    ("", "not checked yet"),
                    ("create", "new"),
                    ("change", "changed"),
                    ("same", "no change"),
                    ("wrong", "error"),
                ],
                default="",
                max_length=6,
                verbose_name="result",
            ),
        ),
    ]
