"""Targets of a forward may wait for their confirmation, and LMTP notes mail that the MTA should have expanded."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0095_imported_content")]

    operations = [
        migrations.AddField(
            "alias",
            "unconfirmed",
            django.contrib.postgres.fields.ArrayField(
                models.TextField(),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                verbose_name="targets that wait for their confirmation",
            ),
        ),
        migrations.AddField(
            "alias", "unexpanded_at", models.DateTimeField(editable=False, null=True, verbose_name="last not expanded")
        ),
    ]
