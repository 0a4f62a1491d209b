"""The overview finds mail that goes in a circle, and aliases that the MTA does not expand."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0108_mta_views")]

    operations = [
        migrations.AddField("mailbox", "looped_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddIndex(
            "mailbox",
            models.Index(condition=models.Q(("looped_at__isnull", False)), fields=["looped_at"], name="mailbox_looped"),
        ),
        migrations.AddIndex(
            "alias",
            models.Index(
                condition=models.Q(("unexpanded_at__isnull", False)), fields=["unexpanded_at"], name="alias_unexpanded"
            ),
        ),
    ]
