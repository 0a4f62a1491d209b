"""An entry of the audit says of which domain it is: who administers the domain reads it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0026_why_mail_left"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="domain",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="mailstore.domain",
                verbose_name="domain",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["domain", "-at"], name="audit_of_a_domain"),
        ),
    ]
