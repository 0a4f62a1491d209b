"""A removed mailbox or domain can be wanted destroyed before it has rested; the sweep does it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0024_audit_of_a_subject"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="purge_asked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="purge_asked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
