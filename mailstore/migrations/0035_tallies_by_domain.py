"""What was delivered to each domain lately is read from an index alone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0034_kept_holdings"),
    ]

    operations = [
        migrations.AlterField(
            model_name="tally",
            name="domain",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="mailstore.domain",
                verbose_name="domain",
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(fields=["domain", "day"], include=["deliveries"], name="tally_of_a_domain"),
        ),
    ]
