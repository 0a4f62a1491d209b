"""Addresses that new ones could be taken for are found by an index."""

from django.db import migrations, models

NOT_ASCII = models.Q(address__regex="[^ -~]")


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0029_settled_mail"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="alias",
            index=models.Index(fields=["domain"], condition=NOT_ASCII, name="alias_not_ascii"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["address"], condition=NOT_ASCII, name="user_not_ascii"),
        ),
    ]
